import { readFile } from 'node:fs/promises'
import { Agent, request, type RequestOptions } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { load } from 'js-yaml'
import { crdFiles } from '../../crds/crd.ts'
import type { KubeObject, ResourceType } from '../../operator/api/meta.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { objectPath } from '../../operator/kube/paths.ts'
import { startCluster, type Cluster } from '../cluster/cluster.ts'
import { waitUntil } from '../cluster/kubeApi.ts'

/** What the server answered. */
export interface Reply {
  readonly status: number
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown
  /** Texts of the Warning headers. */
  readonly warnings: readonly string[]
}

/** One request; `body` is sent as JSON. */
export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  /** Default application/json; of a PATCH, application/merge-patch+json. */
  readonly contentType?: string
  readonly accept?: string
  /** Sent as if by this user: an administrator may impersonate everybody. */
  readonly as?: Requester
}

/** A user, as the API server sees one. */
export interface Requester {
  readonly user: string
  readonly groups?: readonly string[]
}

/** An administrator of the cluster, on kept connections; an answer of any status is returned. */
export type Admin = (call: Call) => Promise<Reply>

export interface ApiServer {
  readonly cluster: Cluster
  readonly admin: Admin
}

let started: Promise<ApiServer> | undefined

/**
 * The one control plane of this jest run, started when the first test asks for it; test files share it, so each works in
 * namespaces of its own. It is left running for the next run; `make test` removes it at its end.
 */
export function apiServer(): Promise<ApiServer> {
  started ??= start()
  return started
}

async function start(): Promise<ApiServer> {
  const cluster = await startCluster({ name: 'test-apiserver', level: 'control' })
  return { cluster, admin: await makeAdmin(cluster.kubeconfig) }
}

/** An Admin of the cluster of a kubeconfig. */
export async function makeAdmin(kubeconfig: string): Promise<Admin> {
  const config = loadKubeConfig(kubeconfig)
  const server = config.getCurrentCluster()?.server
  if (server === undefined) throw new Error(`${kubeconfig} names no server`)
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const agent = new Agent({ ...(options as object), keepAlive: true, maxSockets: 8 })
  return (call) => send(new URL(call.path, server), call, { ...options, agent })
}

function send(url: URL, call: Call, options: RequestOptions): Promise<Reply> {
  const { method = 'GET', body, accept = 'application/json' } = call
  const contentType = call.contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json')
  const text = body === undefined ? '' : JSON.stringify(body)
  // Of a DELETE Node says no length by itself, and the server takes its body for the next request.
  const described = { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }
  const { user, groups = [] } = call.as ?? { user: '' }
  const impersonation = user === '' ? {} : { 'impersonate-user': user, 'impersonate-group': [...groups] }
  const headers = { ...options.headers, accept, ...impersonation, ...(body === undefined ? {} : described) }
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ...options, method, headers }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          body: parse(Buffer.concat(chunks).toString()),
          warnings: incoming.headersDistinct['warning'] ?? [],
        }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(text)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * Sends it and returns the body; throws with the server's own words unless the status is 2xx. A server that asks to be asked
 * again in a second, as it does of a kind whose CRD was just changed, is.
 */
export async function demand<T = KubeObject>(admin: Admin, call: Call): Promise<T> {
  let { status, body } = await admin(call)
  for (const deadline = Date.now() + 30_000; status === 429 && Date.now() < deadline;) {
    await pause(1000)
    ;({ status, body } = await admin(call))
  }
  if (status < 200 || status > 299) {
    throw new Error(`${call.method ?? 'GET'} ${call.path}: ${status} ${JSON.stringify(body)}`)
  }
  return body as T
}

const namespaces: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
}
const crds: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
}

/** A new namespace with a name that begins with `prefix`; returns the name. */
export async function makeNamespace(admin: Admin, prefix: string): Promise<string> {
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { generateName: `${prefix}-` } }
  const made = await demand(admin, { method: 'POST', path: '/api/v1/namespaces', body })
  return made.metadata.name
}

/** Deletes a namespace without waiting until it is gone. */
export async function dropNamespace(admin: Admin, name: string): Promise<void> {
  await admin({ method: 'DELETE', path: objectPath(namespaces, { namespace: '', name }) })
}

/** The generated CRDs, in the order of their file names. */
export async function readCrds(): Promise<readonly KubeObject[]> {
  const folder = new URL('../../crds/', import.meta.url)
  return Promise.all(crdFiles.map(async (name) => load(await readFile(new URL(name, folder), 'utf8')) as KubeObject))
}

interface CrdStatus {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** Applies the generated CRDs as they are in the work tree and waits until each is served. */
export async function establishCrds(admin: Admin): Promise<void> {
  for (const crd of await readCrds()) {
    const path = objectPath(crds, { namespace: '', name: crd.metadata.name })
    await demand(admin, {
      method: 'PATCH',
      path: `${path}?fieldManager=appstead-test&force=true&fieldValidation=Strict`,
      body: crd,
      contentType: 'application/apply-patch+yaml',
    })
    await waitUntil(`${crd.metadata.name} is served`, 30, async () => {
      const { status } = await demand<CrdStatus>(admin, { path })
      const established = status?.conditions?.some((each) => each.type === 'Established' && each.status === 'True')
      const [plural, ...group] = crd.metadata.name.split('.')
      const listed = established && (await admin({ path: `/apis/${group.join('.')}/v1alpha1/${plural}?limit=1` }))
      return listed !== false && listed?.status === 200
    })
  }
}
