import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { goModuleFolder } from './binaries.ts'
import { kubeconfigOf, waitFor, type Start } from './controlPlane.ts'
import { ask, create, isReady, type Connection, type NodeObject } from './kubeApi.ts'
import type { Layout } from './layout.ts'
import type { Started } from './process.ts'

export const kwokBinaries = ['kube-scheduler', 'kwok'] as const

/** Room for the 10,000 instances of the benches. */
const nodeCount = 10
const podsPerNode = '5000'

/** What kwok does to nodes and pods, as it comes with its module: ready at once, done at once (jobs), gone at once. */
const stages = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
]

/** Copies the stages from kwok's module to the binary's folder, where they stay when Go's own cache is emptied. */
async function ensureStages(kwok: string): Promise<string[]> {
  const folder = join(dirname(kwok), 'stages')
  if (!existsSync(folder)) {
    const module = await goModuleFolder('kwok')
    const unfinished = `${folder}.new`
    mkdirSync(unfinished, { recursive: true })
    for (const stage of stages)
      copyFileSync(join(module, 'kustomize', 'stage', stage), join(unfinished, basename(stage)))
    renameSync(unfinished, folder)
  }
  return stages.map((stage) => join(folder, basename(stage)))
}

/** With kwok's own numbers of workers it would be what every benchmark measures. */
const kwokConfig = {
  apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
  kind: 'KwokConfiguration',
  options: {
    podPlayStageParallelism: 64,
    nodePlayStageParallelism: 16,
    nodeLeaseParallelism: 4,
    podsOnNodeSyncParallelism: 16,
    enablePodsOnNodeSyncListPager: true,
    enablePodsOnNodeSyncStreamWatch: false,
  },
}

function makeNode(index: number): unknown {
  const size = { cpu: '1000', memory: '4Ti', pods: podsPerNode }
  const name = `kwok-${index}`
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    type: 'kwok',
  }
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, status: { allocatable: size, capacity: size } }
}

/** Starts kwok and registers its nodes: pods on them become Ready and run nothing. */
export async function startKwok(layout: Layout, kwok: string, connection: Connection, start: Start): Promise<Started> {
  const configFile = join(layout.folder, 'kwok.json')
  writeFileSync(configFile, JSON.stringify(kwokConfig))
  const started = await start('kwok', kwok, [
    `--config=${configFile}`,
    `--kubeconfig=${kubeconfigOf(layout, 'kwok')}`,
    ...(await ensureStages(kwok)).map((stage) => `--config=${stage}`),
    '--manage-all-nodes',
    '--v=WARN',
    '--node-lease-duration-seconds=40',
  ])
  for (let index = 1; index <= nodeCount; index++) await create(connection, '/api/v1/nodes', makeNode(index))
  return started
}

/** Waits until every node is Ready. */
export async function waitForKwok(layout: Layout, kwok: Started, connection: Connection): Promise<void> {
  await waitFor(layout, kwok, 'kwok', `${nodeCount} nodes are Ready`, async () => {
    const { body } = await ask(connection, { path: '/api/v1/nodes' })
    const { items = [] } = body as { items?: NodeObject[] }
    return items.length === nodeCount && items.every(isReady)
  })
}
