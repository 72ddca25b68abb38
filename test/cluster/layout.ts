import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
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
  return {
    name,
    id: createHash('sha256').update(folder).digest('hex').slice(0, 8),
    base,
    folder,
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

/** The cache for binaries: outside the work tree, so that every checkout shares it. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'appstead', 'bin')
}
