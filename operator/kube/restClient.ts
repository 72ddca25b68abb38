import type { KubeConfig } from '@kubernetes/client-node'
import { fieldManager as operatorsOwn, refOf, type KubeObject, type Ref, type ResourceType } from '../api/meta.ts'
import type { CallOptions, KubeClient, ListOptions, ListPage, WatchEvent, WatchOptions } from './client.ts'
import type { Credentials } from './credentials.ts'
import { isKubeError, KubeError } from './errors.ts'
import { parseLines } from './lines.ts'
import { collectionPath, objectPath, queryOf } from './paths.ts'
import { Transport, type TransportOptions } from './transport.ts'
import type { Request, TransportStats, Wire } from './wire.ts'

/** A KubeClient with a transport of its own. */
export interface PooledKubeClient extends KubeClient {
  /** Counts since the start: T12 promises at most one new connection per 1,000 requests. */
  stats(): TransportStats
  /** Of the API server, such as v1.36.3; throws a KubeError. */
  version(): Promise<string>
  close(): Promise<void>
}

const json = 'application/json'
const jsonPatch = 'application/json-patch+json'
/** Said to be YAML; JSON is YAML. */
const applyPatch = 'application/apply-patch+yaml'

/** etcd's limit of an object is 1.5 MiB, and the answer to a call about one object is no list. */
const maxObjectBytes = 16 * 1024 * 1024

/** etcd's limit of an object is 1.5 MiB; a DELETED event of such an object with its envelope fits well. */
const maxLineBytes = 16 * 1024 * 1024

const defaultTimeoutSeconds = 300

export interface ClientOptions extends TransportOptions {
  /** Whose fields those are that it writes. Default: the operator's. */
  readonly fieldManager?: string
}

/** The KubeClient of a KubeConfig's current context, or of credentials; throws an Error that names the kubeconfig's fault. */
export function makeKubeClient(
  access: KubeConfig | Credentials,
  { fieldManager, ...options }: ClientOptions = {},
): PooledKubeClient {
  return makeClientOver(new Transport(access, options), fieldManager)
}

/** The KubeClient that speaks through a wire, and what it writes is this manager's. */
export function makeClientOver(wire: Wire, fieldManager = operatorsOwn): PooledKubeClient {
  return {
    ...makeReads(wire),
    ...makeWrites(wire, fieldManager),
    stats: () => wire.stats,
    async version() {
      const answer = await wire.call({ what: 'get the version', method: 'GET', path: '/version' })
      return (answer as { readonly gitVersion?: string } | undefined)?.gitVersion ?? ''
    },
    close: () => wire.close(),
  }
}

function makeReads(wire: Wire): Pick<KubeClient, 'get' | 'list' | 'watch'> {
  return {
    async get(type, ref, options = {}) {
      const what = describe('get', type, ref)
      return await callForObject(wire, { what, method: 'GET', path: objectPath(type, ref), ...limitsOf(options) })
    },
    async list(type, options = {}) {
      const what = `list ${type.plural}`
      const path = collectionPath(type, options.namespace) + listQuery(options)
      const accept = acceptOf('PartialObjectMetadataList', options.metadataOnly)
      return pageOf(what, type, await wire.call({ what, method: 'GET', path, accept, ...limitsOf(options) }))
    },
    watch: (type, options) => watch(wire, type, options),
  }
}

function makeWrites(
  wire: Wire,
  fieldManager: string,
): Pick<KubeClient, 'create' | 'apply' | 'patchStatus' | 'patch' | 'delete'> {
  const managed = queryOf({ fieldManager })
  const forced = queryOf({ fieldManager, force: true })
  const inVain = queryOf({ fieldManager, dryRun: 'All' })
  return {
    async create(type, object, { isDryRun = false, ...options } = {}) {
      const ref = refOf(object)
      const what = describe('create', type, ref)
      const query = isDryRun ? inVain : managed
      const path = collectionPath(type, ref.namespace) + query
      const body = JSON.stringify(object)
      return await callForObject(wire, { what, method: 'POST', path, contentType: json, body, ...limitsOf(options) })
    },
    async apply(type, object, options = {}) {
      const ref = refOf(object)
      const what = describe('apply', type, ref)
      const path = objectPath(type, ref) + forced
      const body = JSON.stringify(object)
      const request = { what, method: 'PATCH', path, contentType: applyPatch, body, ...limitsOf(options) } as const
      try {
        return await callForObject(wire, request)
      } catch (error) {
        throw asConflict(what, error)
      }
    },
    patchStatus(type, ref, uid, status, { resourceVersion, ...options } = {}) {
      const operations = [
        { op: 'test', path: '/metadata/uid', value: uid },
        ...(resourceVersion === undefined
          ? []
          : [{ op: 'test', path: '/metadata/resourceVersion', value: resourceVersion }]),
        { op: 'add', path: '/status', value: status },
      ]
      const what = describe('patch status of', type, ref)
      return patch(wire, what, `${objectPath(type, ref)}/status${managed}`, { operations, ...options })
    },
    patch(type, ref, operations, { isDryRun = false, ...options } = {}) {
      const path = objectPath(type, ref) + (isDryRun ? inVain : managed)
      return patch(wire, describe('patch', type, ref), path, { operations, ...options })
    },
    async delete(type, ref, uid, options = {}) {
      const what = describe('delete', type, ref)
      const path = objectPath(type, ref)
      const body = JSON.stringify({ preconditions: { uid }, propagationPolicy: 'Background' })
      await wire.call({ what, method: 'DELETE', path, contentType: json, body, ...limitsOf(options) })
    },
  }
}

async function patch(
  wire: Wire,
  what: string,
  path: string,
  { operations, ...options }: CallOptions & { readonly operations: readonly unknown[] },
): Promise<KubeObject> {
  const body = JSON.stringify(operations)
  const limits = limitsOf(options)
  try {
    return await callForObject(wire, {
      what,
      method: 'PATCH',
      path,
      contentType: jsonPatch,
      body,
      ...limits,
    })
  } catch (error) {
    throw asConflict(what, error)
  }
}

async function callForObject(wire: Wire, request: Request): Promise<KubeObject> {
  return objectOf(request.what, await wire.call({ ...request, maxBodyBytes: maxObjectBytes }))
}

function limitsOf({ signal, timeoutSeconds }: CallOptions): Pick<Request, 'signal' | 'timeoutSeconds'> {
  return { signal, timeoutSeconds }
}

async function* watch(
  wire: Wire,
  type: ResourceType,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, void, undefined> {
  const what = `watch ${type.plural}`
  const path =
    collectionPath(type, options.namespace) +
    queryOf({
      watch: 1,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      timeoutSeconds: options.timeoutSeconds ?? defaultTimeoutSeconds,
    })
  const accept = acceptOf('PartialObjectMetadata', options.metadataOnly)
  const chunks = wire.stream({ what, method: 'GET', path, accept, signal: options.signal })
  for await (const value of parseLines(what, chunks, maxLineBytes)) {
    yield eventOf(what, type, value)
  }
}

function eventOf(what: string, type: ResourceType, value: unknown): WatchEvent {
  const event = value as WatchEvent | null
  if (event?.type === 'ERROR' && isFields(event.object)) return event
  if (!isObject(event?.object)) throw new KubeError('Malformed', `${what}: an event has no object`)
  return { type: event.type, object: named(type, event.object) }
}

function describe(verb: string, type: ResourceType, ref: Ref): string {
  return `${verb} ${type.plural} ${ref.namespace === '' ? '' : `${ref.namespace}/`}${ref.name}`
}

function acceptOf(kind: string, metadataOnly: boolean | undefined): string {
  return metadataOnly === true ? `application/json;as=${kind};g=meta.k8s.io;v=v1` : json
}

function listQuery(options: ListOptions): string {
  return queryOf({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continueToken,
  })
}

function objectOf(what: string, value: unknown): KubeObject {
  if (!isObject(value)) throw new KubeError('Malformed', `${what}: the answer is no object`)
  return value
}

function pageOf(what: string, type: ResourceType, value: unknown): ListPage {
  const page = isFields(value) ? value : {}
  const { resourceVersion, continue: continueToken = '' } = isFields(page['metadata']) ? page['metadata'] : {}
  const list = page['items'] ?? []
  if (typeof resourceVersion !== 'string' || typeof continueToken !== 'string' || !Array.isArray(list))
    throw new KubeError('Malformed', `${what}: the answer is no list`)
  if (!list.every(isObject)) throw new KubeError('Malformed', `${what}: an item of the list is no object`)
  return { items: list.map((item) => named(type, item)), resourceVersion, continueToken }
}

/** True for what can be treated as an object of the API without a look at each step. */
function isObject(value: unknown): value is KubeObject {
  return isFields(value) && isFields(value['metadata'])
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Items of lists say no kind, and metadata-only objects a foreign one: ours says what it is. */
function named(type: ResourceType, object: KubeObject): KubeObject {
  return Object.assign(object, {
    apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
    kind: type.kind,
  })
}

/**
 * A failed `test` of a JSON patch comes as 422 without details, an apply to an object with another uid as 422 about its
 * uid; both mean that the object is not the one we decided about.
 */
function asConflict(what: string, error: unknown): unknown {
  if (!isKubeError(error, 'Invalid')) return error
  const isFailedTest = error.field === '' && error.message.includes('the server rejected our request')
  if (!isFailedTest && error.field !== 'metadata.uid') return error
  return new KubeError('Conflict', `${what}: the object has changed meanwhile`, {
    status: error.status,
    reason: error.reason,
    cause: error,
  })
}
