import { join } from 'node:path'
import process from 'node:process'
import { ensureHelm } from '../cluster/binaries.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { layoutOf } from '../cluster/layout.ts'
import { findFreePorts } from '../cluster/ports.ts'
import { killAll, launch, recorded, run, tailOf } from '../cluster/process.ts'
import type { Report } from '../cluster/progress.ts'
import { writeAccountKubeconfig } from './account.ts'
import type { DemoImages } from './images.ts'
import type { Kubectl } from './kubectl.ts'
import { waitFor } from './wait.ts'

/** The operator that the demo installed. */
export interface Platform {
  /** What it said last, for an error report. */
  logs(): Promise<string>
}

/** The namespace and the name of the release. */
export const platformNamespace = 'appstead-system'
const release = 'appstead'
const root = join(import.meta.dirname, '../..')
const processName = 'operator'

/** Pods of this namespace must pass the strictest of Kubernetes' own standards: the operator's do. */
const namespaceManifest = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: platformNamespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
})

/** Installs the chart with the operator as a pod, or brings it up to date; resolves when it is ready. */
export async function installOperator(
  cluster: Cluster,
  kubectl: Kubectl,
  { operator: { repository, tag } }: DemoImages,
  report: Report,
): Promise<Platform> {
  await installChart(cluster, kubectl, [`image.repository=${repository}`, `image.tag=${tag}`], report)
  await waitFor('the operator', 5, 120, report, () => lookAtOperator(kubectl))
  return { logs: () => kubectl.text('-n', platformNamespace, 'logs', `deployment/${release}`, '--tail=30') }
}

/**
 * Installs the chart without its pod and starts the operator as a process of this machine, under the account and with the
 * rights that the chart gives it; resolves when it is ready.
 */
export async function startOperator(cluster: Cluster, kubectl: Kubectl, report: Report): Promise<Platform> {
  await installChart(cluster, kubectl, ['replicas=0'], report)
  const { folder, id } = layoutOf(cluster.name)
  const before = recorded(folder).get(processName)
  if (before !== undefined) await killAll([before])
  const [port = 0] = await findFreePorts(id, 1)
  const kubeconfig = join(folder, 'operator.kubeconfig')
  await writeAccountKubeconfig(kubectl, { namespace: platformNamespace, name: release }, kubeconfig)
  await launch({
    name: processName,
    command: process.execPath,
    args: [join(root, 'operator/main.ts')],
    folder,
    env: {
      KUBECONFIG: kubeconfig,
      APPSTEAD_HEALTH_PORT: String(port),
      APPSTEAD_METRICS_PORT: '0',
    },
  })
  await waitFor('the operator', 3, 60, report, async () => {
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    return { isDone: isReady, text: isReady ? 'ready' : 'fills its caches' }
  })
  return { logs: () => Promise.resolve(tailOf(folder, processName, 30)) }
}

async function installChart(
  cluster: Cluster,
  kubectl: Kubectl,
  values: readonly string[],
  report: Report,
): Promise<void> {
  const helm = await ensureHelm(report)
  await kubectl.apply(namespaceManifest)
  const chart = join(root, 'charts/appstead')
  const sets = values.flatMap((value) => ['--set', value])
  const where = ['--kubeconfig', cluster.kubeconfig, '--namespace', platformNamespace]
  await run(helm, ['upgrade', '--install', release, chart, ...where, ...sets])
  const { stdout } = await kubectl.ask('-n', platformNamespace, 'get', 'serviceaccount', release, '-o', 'name')
  report(`  the chart is installed: our kinds, ${stdout.trim()}, its rights, a Deployment`)
}

async function lookAtOperator(kubectl: Kubectl): Promise<{ isDone: boolean; text: string }> {
  const deployment = await kubectl.json<Deployment>('-n', platformNamespace, 'get', 'deployment', release)
  const { metadata, spec, status } = deployment
  const isSeen = status.observedGeneration === metadata.generation
  const counts = [status.replicas, status.updatedReplicas, status.readyReplicas]
  const isDone = isSeen && counts.every((count) => count === spec.replicas)
  return { isDone, text: isDone ? 'ready' : await sayPods(kubectl, platformNamespace) }
}

/** The pods of a namespace in a line. */
export async function sayPods(kubectl: Kubectl, namespace: string): Promise<string> {
  const { items } = await kubectl.json<{ items: readonly Pod[] }>('-n', namespace, 'get', 'pods')
  const words = items.map(({ metadata, status }) => {
    const state = status.containerStatuses?.[0]
    return `${metadata.name} ${state?.state?.waiting?.reason ?? status.phase}${state?.ready === true ? ', ready' : ''}`
  })
  return words.length === 0 ? 'no pod yet' : words.toSorted().join('; ')
}

interface Deployment {
  readonly metadata: { readonly generation: number }
  readonly spec: { readonly replicas: number }
  readonly status: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
  }
}

interface Pod {
  readonly metadata: { readonly name: string }
  readonly status: {
    readonly phase: string
    readonly containerStatuses?: readonly {
      readonly ready: boolean
      readonly state?: { readonly waiting?: { readonly reason?: string } }
    }[]
  }
}
