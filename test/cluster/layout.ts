import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'

/** The checkout this file belongs to; clusters live in its `.cluster` folder. */
export const checkout = realpathSync(resolve(import.meta.dirname, '../..'))

export const defaultName = 'default'

/** Names that `.cluster` itself uses. */
const reservedNames = new Set(['bin', 'kubeconfig'])

/** Where everything of one cluster lies. */
export interface Layout {
  name: string
  /** Short and unique on this machine: a hash of the folder, so that clusters of two checkouts do not meet. */
  id: string
  /** `.cluster`, shared by all clusters of this checkout. */
  base: string
  /** Everything of this one cluster. */
  folder: string
  logs: string
  pids: string
  pki: string
  /** What a process keeps that is not root, and so may not be able to enter the folder. */
  outside: string
  etcd: string
  state: string
  lock: string
  auditLog: string
  /** What users and tests give to kubectl. */
  kubeconfig: string
}

/** Whether this can name a cluster: as a folder, and where Kubernetes wants a label. */
export const isName = (name: string): boolean =>
  /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name) && !reservedNames.has(name)

/**
 * Says where the cluster of this name lies in this checkout.
 * Throws when the name could not be a folder, a device or a label.
 */
export function layoutOf(name: string = defaultName, root: string = checkout): Layout {
  if (!isName(name)) {
    throw new Error(
      `NAME=${JSON.stringify(name)} cannot name a cluster: use 1 to 32 of a-z, 0-9 and '-', ` +
        `not '-' at an end, and neither ${[...reservedNames].join(' nor ')}`,
    )
  }
  const base = join(root, '.cluster')
  const folder = join(base, name)
  const id = createHash('sha256').update(folder).digest('hex').slice(0, 8)
  return {
    name,
    id,
    base,
    folder,
    outside: join(tmpdir(), `appstead-${id}`),
    logs: join(folder, 'logs'),
    pids: join(folder, 'pids'),
    pki: join(folder, 'pki'),
    etcd: join(folder, 'etcd'),
    state: join(folder, 'state.json'),
    lock: join(base, `${name}.lock`),
    auditLog: join(folder, 'audit.log'),
    kubeconfig: name === defaultName ? join(base, 'kubeconfig') : join(folder, 'kubeconfig'),
  }
}

/** Where the parts of one node of a cluster lie. */
export interface NodeLayout {
  name: string
  /** What its containers and its kubelet keep. */
  folder: string
  /** The control group of its pods. */
  cgroup: string
  /** Names a process of it, in logs and records. */
  process: (part: string) => string
}

/** The cluster's control group; those of its nodes are below it. */
export const cgroupOf = (layout: Layout): string => `/appstead-${layout.id}`

/** The first node, which every cluster of level `node` has, or the second. */
export function nodeOf(layout: Layout, number: 1 | 2): NodeLayout {
  const name = `node-${number}`
  return {
    name,
    folder: join(layout.folder, name),
    cgroup: join(cgroupOf(layout), name),
    process: (part) => (number === 1 ? part : `${part}-${number}`),
  }
}

/** The cache for binaries: outside the work tree, so that every checkout shares it. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'appstead', 'bin')
}
