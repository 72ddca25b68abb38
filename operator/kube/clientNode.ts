import { KubeConfig } from '@kubernetes/client-node'
import { fieldManager, refOf, type KubeObject, type Ref, type ResourceType } from '../api/meta.ts'
import type { CallOptions, KubeClient, ListOptions, ListPage, WatchEvent, WatchOptions } from './client.ts'
import { isKubeError, KubeError } from './errors.ts'
import { parseLines } from './lines.ts'
import { collectionPath, objectPath, queryOf } from './paths.ts'
import { Transport, type TransportOptions, type TransportStats, type Wire } from './transport.ts'

/** A KubeClient with a transport of its own. */
export interface PooledKubeClient extends KubeClient {
  /** Counts since the start: T12 promises at most one new connection per 1,000 requests. */
  stats(): TransportStats
  close(): Promise<void>
}

const json = 'application/json'
const jsonPatch = 'application/json-patch+json'
/** Said to be YAML; JSON is YAML. */
const applyPatch = 'application/apply-patch+yaml'

const managed = queryOf({ fieldManager })
const forced = queryOf({ fieldManager, force: true })

/** etcd's limit of an object is 1.5 MiB; a DELETED event of such an object with its envelope fits well. */
const maxLineBytes = 16 * 1024 * 1024

const defaultTimeoutSeconds = 300

/** A KubeConfig as kubectl would find it (KUBECONFIG, ~/.kube/config, in the cluster), or of one file. */
export function loadKubeConfig(file?: string): KubeConfig {
  const kubeConfig = new KubeConfig()
  if (file === undefined) kubeConfig.loadFromDefault()
  else kubeConfig.loadFromFile(file)
  return kubeConfig
}

/** The KubeClient of a KubeConfig's current context; throws an Error that names the fault of the kubeconfig. */
export function makeKubeClient(kubeConfig: KubeConfig, options: TransportOptions = {}): PooledKubeClient {
  return makeClientOver(new Transport(kubeConfig, options))
}

/** The KubeClient that speaks through a wire. */
export function makeClientOver(wire: Wire): PooledKubeClient {
  return {
    ...makeReads(wire),
    ...makeWrites(wire),
    stats: () => wire.stats,
    close: () => wire.close(),
  }
}

function makeReads(wire: Wire): Pick<KubeClient, 'get' | 'list' | 'watch'> {
  return {
    async get(type, ref, options = {}) {
      const what = describe('get', type, ref)
      return objectOf(
        what,
        await wire.call({ what, method: 'GET', path: objectPath(type, ref), signal: options.signal }),
      )
    },
    async list(type, options = {}) {
      const what = `list ${type.plural}`
      const path = collectionPath(type) + listQuery(options)
      const accept = acceptOf('PartialObjectMetadataList', options.metadataOnly)
      return pageOf(what, type, await wire.call({ what, method: 'GET', path, accept, signal: options.signal }))
    },
    watch: (type, options) => watch(wire, type, options),
  }
}

function makeWrites(wire: Wire): Pick<KubeClient, 'create' | 'apply' | 'patchStatus' | 'patch' | 'delete'> {
  return {
    async create(type, object, { signal } = {}) {
      const ref = refOf(object)
      const what = describe('create', type, ref)
      const path = collectionPath(type, ref.namespace) + managed
      const body = JSON.stringify(object)
      return objectOf(what, await wire.call({ what, method: 'POST', path, contentType: json, body, signal }))
    },
    async apply(type, object, { signal } = {}) {
      const ref = refOf(object)
      const what = describe('apply', type, ref)
      const path = objectPath(type, ref) + forced
      const body = JSON.stringify(object)
      return objectOf(what, await wire.call({ what, method: 'PATCH', path, contentType: applyPatch, body, signal }))
    },
    patchStatus(type, ref, uid, status, options = {}) {
      const operations = [
        { op: 'test', path: '/metadata/uid', value: uid },
        { op: 'add', path: '/status', value: status },
      ]
      const what = describe('patch status of', type, ref)
      return patch(wire, what, `${objectPath(type, ref)}/status`, { operations, ...options })
    },
    patch(type, ref, operations, options = {}) {
      return patch(wire, describe('patch', type, ref), objectPath(type, ref), { operations, ...options })
    },
    async delete(type, ref, uid, { signal } = {}) {
      const what = describe('delete', type, ref)
      const body = JSON.stringify({ preconditions: { uid }, propagationPolicy: 'Background' })
      await wire.call({ what, method: 'DELETE', path: objectPath(type, ref), contentType: json, body, signal })
    },
  }
}

async function patch(
  wire: Wire,
  what: string,
  path: string,
  { operations, signal }: CallOptions & { readonly operations: readonly unknown[] },
): Promise<KubeObject> {
  const body = JSON.stringify(operations)
  const request = { what, method: 'PATCH', path: path + managed, contentType: jsonPatch, body, signal } as const
  try {
    return objectOf(what, await wire.call(request))
  } catch (error) {
    throw asConflict(what, error)
  }
}

async function* watch(
  wire: Wire,
  type: ResourceType,
  options: WatchOptions,
): AsyncGenerator<WatchEvent, void, undefined> {
  const what = `watch ${type.plural}`
  const path =
    collectionPath(type) +
    queryOf({
      watch: 1,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      labelSelector: options.labelSelector,
      timeoutSeconds: options.timeoutSeconds ?? defaultTimeoutSeconds,
    })
  const accept = acceptOf('PartialObjectMetadata', options.metadataOnly)
  const chunks = wire.stream({ what, method: 'GET', path, accept, signal: options.signal })
  for await (const value of parseLines(what, chunks, maxLineBytes)) {
    const event = value as WatchEvent
    if (typeof event !== 'object' || event === null || typeof event.object !== 'object' || event.object === null) {
      throw new KubeError('Malformed', `${what}: an event has no object`)
    }
    yield event.type === 'ERROR' ? event : { type: event.type, object: named(type, event.object) }
  }
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
    limit: options.limit,
    continue: options.continueToken,
    resourceVersion: options.resourceVersion,
  })
}

function objectOf(what: string, value: unknown): KubeObject {
  const object = value as KubeObject | null
  if (typeof object !== 'object' || object === null || typeof object.metadata !== 'object') {
    throw new KubeError('Malformed', `${what}: the answer is no object`)
  }
  return object
}

function pageOf(what: string, type: ResourceType, value: unknown): ListPage {
  const page = value as {
    metadata?: { resourceVersion?: string; continue?: string }
    items?: KubeObject[] | null
  } | null
  if (typeof page?.metadata?.resourceVersion !== 'string')
    throw new KubeError('Malformed', `${what}: the answer is no list`)
  return {
    items: (page.items ?? []).map((item) => named(type, item)),
    resourceVersion: page.metadata.resourceVersion,
    continueToken: page.metadata.continue ?? '',
  }
}

/** Items of lists say no kind, and metadata-only objects a foreign one: ours says what it is. */
function named(type: ResourceType, object: KubeObject): KubeObject {
  return Object.assign(object, {
    apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
    kind: type.kind,
  })
}

/** A failed `test` of a JSON patch comes as 422 without details; it means that the object is not the one we decided about. */
function asConflict(what: string, error: unknown): unknown {
  if (
    !isKubeError(error, 'Invalid') ||
    error.field !== '' ||
    !error.message.includes('the server rejected our request')
  )
    return error
  return new KubeError('Conflict', `${what}: the object has changed meanwhile`, {
    status: error.status,
    reason: error.reason,
    cause: error,
  })
}
