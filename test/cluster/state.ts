import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Connection } from './kubeApi.ts'
import type { Layout } from './layout.ts'
import { readPair, type Pair } from './certificates.ts'

/** How much of a cluster there is; each level has what the one before it has, except that `node` has no kwok. */
export const levels = ['control', 'kwok', 'node'] as const
export type Level = (typeof levels)[number]

/** Who runs the cluster: this folder, kind, or somebody else whose kubeconfig we were given. */
export type Provider = 'local' | 'kind' | 'given'

/** Where the parts of a cluster listen. */
export interface Addresses {
  /** The address of the API server, as the host reaches it. */
  host: string
  apiServerPort: number
  etcdPort: number
  etcdPeerPort: number
  /** The range of Service addresses. */
  serviceRange: string
}

/** What is remembered of a cluster that came up; written last, so that a half-made cluster has none. */
export interface State {
  level: Level
  provider: Provider
  server: string
  addresses?: Addresses
  /** The container engine under kind. */
  engine?: string
}

/** Reads what is remembered of a cluster, or undefined when it did not come up. */
export function readState(layout: Layout): State | undefined {
  try {
    return JSON.parse(readFileSync(layout.state, 'utf8')) as State
  } catch {
    return undefined
  }
}

/** Remembers that a cluster came up. */
export function writeState(layout: Layout, state: State): void {
  writeWhole(layout.state, JSON.stringify(state, null, 2))
}

/** Writes a file in one step: a reader sees the old one or the whole new one. */
export function writeWhole(path: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, content, { mode })
  renameSync(`${path}.new`, path)
}

/** The way to the API server of a local cluster, as its administrator. */
export function connectionTo(layout: Layout, server: string): Connection {
  return {
    server,
    authority: readFileSync(join(layout.pki, 'ca.crt'), 'utf8'),
    client: readPair(layout.pki, 'admin'),
  }
}

const base64 = (content: string): string => Buffer.from(content).toString('base64')

/** A kubeconfig (JSON is YAML) for one cluster and one client certificate. */
export function makeKubeconfig(contextName: string, server: string, authority: string, client: Pair): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': contextName,
    contexts: [{ name: contextName, context: { cluster: contextName, user: contextName } }],
    clusters: [{ name: contextName, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name: contextName,
        user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
      },
    ],
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
