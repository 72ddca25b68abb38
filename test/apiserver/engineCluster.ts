import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll } from '@jest/globals'
import type { KubeObject, ResourceType } from '../../operator/api/meta.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient, type PooledKubeClient } from '../../operator/kube/restClient.ts'
import { startCluster, stopCluster, type Cluster } from '../cluster/cluster.ts'
import { killAll, launch, recorded } from '../cluster/process.ts'

export const configMapType: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
}
export const namespaceType: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
}

/** The real control plane of one test file, and an admin's client of it. */
export interface TestCluster {
  readonly cluster: Cluster
  readonly client: PooledKubeClient
}

/** Starts a control plane for this file and removes it afterwards; the fields are there once the tests run. */
export function useCluster(name: string): TestCluster {
  const held: { cluster?: Cluster; client?: PooledKubeClient } = {}
  beforeAll(async () => {
    held.cluster = await startCluster({ name, level: 'control', report: () => undefined })
    // AppsteadOperator finds its cluster as kubectl does.
    process.env['KUBECONFIG'] = held.cluster.kubeconfig
    held.client = makeKubeClient(loadKubeConfig(held.cluster.kubeconfig))
  }, 120_000)
  afterAll(async () => {
    await held.client?.close()
    await stopCluster({ name, report: () => undefined })
  }, 60_000)
  return held as TestCluster
}

/** A new namespace with a name of its own. */
export async function makeNamespace(client: PooledKubeClient): Promise<string> {
  const name = `t-${randomBytes(4).toString('hex')}`
  await client.create(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  return name
}

export function makeConfigMap(namespace: string, name: string, more: Partial<KubeObject['metadata']> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, ...more } }
}

/** Resolves when `check` holds; an error counts as not yet. Rejects with the last error after `seconds`. */
export async function eventually(check: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  let last: unknown
  for (;;) {
    try {
      if (await check()) return
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`not so after ${seconds} s`, { cause: last })
    await pause(50)
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

interface AuditEntry {
  readonly verb: string
  readonly userAgent?: string
  readonly requestURI: string
}

/** What the API server answered to clients whose user agent begins with `appstead`. */
export function requestsOf(cluster: Cluster): readonly AuditEntry[] {
  const lines = readFileSync(cluster.auditLog ?? '', 'utf8').split('\n')
  const entries = lines
    .filter((line) => line.includes('"userAgent":"appstead'))
    .map((line) => JSON.parse(line) as AuditEntry)
  return entries
}

/** Kills the API server like a power cut; the returned function starts it again on the same data. */
export async function killApiServer(cluster: Cluster): Promise<() => Promise<void>> {
  const folder = dirname(cluster.auditLog ?? '')
  const started = recorded(folder).get('kube-apiserver')
  if (started === undefined) throw new Error(`no record of kube-apiserver in ${folder}`)
  const [command = '', ...args] = readFileSync(`/proc/${started.pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  await killAll([started])
  return async () => {
    await launch({ name: 'kube-apiserver', command, args, folder })
    const client = makeKubeClient(loadKubeConfig(cluster.kubeconfig))
    await eventually(async () => (await client.list(namespaceType)).items.length > 0, 60)
    await client.close()
  }
}
