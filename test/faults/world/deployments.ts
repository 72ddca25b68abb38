import { isSame, membersOf, type Members } from '../double/json.ts'
import type { Double } from '../double/server.ts'
import { servedKind } from '../double/served.ts'
import { metaOf } from '../double/writes.ts'
import type { Random } from '../schedule/random.ts'
import { imageOf, pathOf, templateHash, type Act } from './objects.ts'

interface DeploymentSpec {
  readonly replicas?: number
  readonly template: Members & { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } }
}

interface Pods {
  readonly current: readonly Members[]
  readonly old: readonly Members[]
  readonly ready: number
}

/** Of this image no pod ever becomes ready. */
export const brokenImage = 'hello:broken'

const namespaceType = servedKind('Namespace')
const podType = servedKind('Pod')
const deploymentType = servedKind('Deployment')
const imageAnnotation = 'test/image'
const hashLabel = 'pod-template-hash'
/** Under which a pod names its Deployment; the double makes no ReplicaSets. */
export const deploymentLabel = 'test/deployment'

/** What the Deployment controller or a kubelet does next for a Deployment; undefined when all is done. */
export function nextOfDeployment(double: Double, deployment: Members, random: Random): Act | undefined {
  const pods = podsOf(double, deployment)
  const status = statusOf(deployment, pods)
  const tell = isSame(deployment['status'] ?? {}, status)
    ? undefined
    : (): void => patchStatus(double, deploymentType, deployment, status)
  const act = nextOfPods(double, deployment, pods)
  return tell !== undefined && (act === undefined || random.chance(0.5)) ? tell : act
}

function podsOf(double: Double, deployment: Members): Pods {
  const { uid, namespace } = metaOf(deployment)
  const hash = templateHash(specOf(deployment).template)
  const pods = double.store
    .list(podType)
    .filter(([key]) => key.startsWith(`${namespace}/`))
    .map(([, pod]) => pod)
    .filter((pod) => metaOf(pod).ownerReferences?.[0]?.uid === uid)
  const isCurrent = (pod: Members): boolean => metaOf(pod).labels?.[hashLabel] === hash
  return {
    current: pods.filter(isCurrent),
    old: pods.filter((pod) => !isCurrent(pod)),
    ready: pods.filter(isReady).length,
  }
}

function specOf(deployment: Members): DeploymentSpec {
  return deployment['spec'] as DeploymentSpec
}

function isReady(pod: Members): boolean {
  return membersOf(pod['status'])['phase'] === 'Running'
}

function isBroken(pod: Members): boolean {
  return membersOf(metaOf(pod).annotations)[imageAnnotation] === brokenImage
}

/** New pods first, one more than asked for at a time; an old one goes when enough are ready without it. */
function nextOfPods(double: Double, deployment: Members, { current, old, ready }: Pods): Act | undefined {
  const { replicas = 1 } = specOf(deployment)
  const waiting = [...current, ...old].find((pod) => !isReady(pod) && !isBroken(pod))
  if (waiting !== undefined) return () => patchStatus(double, podType, waiting, running)
  const room = replicas + (old.length > 0 ? 1 : 0) - current.length - old.length
  if (current.length < replicas && room > 0 && isOpen(double, deployment))
    return () => createPod(double, deployment, current)
  const surplus = current.length > replicas ? current.at(-1) : ready > replicas ? old[0] : old.find(isBroken)
  if (surplus === undefined) return undefined
  return () => void double.handle({ method: 'DELETE', path: pathOf(podType, surplus) }, 'world')
}

/** In a namespace that is going away nothing is made any more. */
function isOpen(double: Double, deployment: Members): boolean {
  const namespace = double.store.get(namespaceType, `/${metaOf(deployment).namespace}`)
  return namespace !== undefined && metaOf(namespace).deletionTimestamp === undefined
}

const running = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True' }],
  containerStatuses: [{ name: 'main', ready: true, state: { running: {} } }],
}

function patchStatus(double: Double, type: typeof podType, object: Members, status: Members): void {
  const question = {
    method: 'PATCH',
    path: `${pathOf(type, object)}/status?fieldManager=kube-controller-manager`,
    contentType: 'application/merge-patch+json',
    body: { status },
  }
  double.handle(question, 'world')
}

function createPod(double: Double, deployment: Members, current: readonly Members[]): void {
  const { name, namespace = '', uid } = metaOf(deployment)
  const { template } = specOf(deployment)
  const hash = templateHash(template)
  const taken = new Set(current.map((pod) => metaOf(pod).name))
  // A Deployment made anew has pods of other names than the one before.
  const prefix = `${name}-${hash}-${uid?.slice(0, 4)}`
  let number = 0
  while (taken.has(`${prefix}-${number}`)) number += 1
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${prefix}-${number}`,
      namespace,
      annotations: { [imageAnnotation]: imageOf(deployment) },
      labels: { ...template.metadata?.labels, [hashLabel]: hash, [deploymentLabel]: name },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true }],
    },
    spec: {},
  }
  double.handle({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods`, body }, 'world')
}

function statusOf(deployment: Members, { current, old, ready }: Pods): Members {
  return {
    observedGeneration: metaOf(deployment).generation ?? 0,
    replicas: current.length + old.length,
    updatedReplicas: current.length,
    readyReplicas: ready,
    availableReplicas: ready,
  }
}
