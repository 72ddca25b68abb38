import type { Anything, Hands } from './hands.ts'
import type { SteppedOperator } from './steppedOperator.ts'

/** On the control level no kubelet runs: a test says by these what becomes of pods; the controller-manager does the rest. */

type ContainerState = object

async function livingPods(hands: Hands, namespace: string): Promise<readonly Anything[]> {
  const pods = await hands.list('Pod', namespace)
  const ended = ['Succeeded', 'Failed']
  return pods.filter(({ metadata, status }) => !metadata.deletionTimestamp && !ended.includes(status.phase))
}

/** Every pod there is becomes ready. */
export async function makePodsReady(
  hands: Hands,
  namespace: string,
  concerns: (pod: Anything) => boolean = () => true,
): Promise<void> {
  for (const pod of (await livingPods(hands, namespace)).filter(concerns)) {
    if (!isReady(pod)) await setPod(hands, pod, true, { state: { running: {} } })
  }
}

/** Pods for which `concerns` holds stop being ready, with the state of their container. */
export async function breakPods(
  hands: Hands,
  namespace: string,
  container: ContainerState,
  concerns: (pod: Anything) => boolean = () => true,
): Promise<void> {
  for (const pod of (await livingPods(hands, namespace)).filter(concerns)) await setPod(hands, pod, false, container)
}

/** The processes of pods for which `concerns` holds end, with this exit code and these last lines. */
export async function endPods(
  hands: Hands,
  namespace: string,
  { exitCode, message = '' }: { readonly exitCode: number; readonly message?: string },
  concerns: (pod: Anything) => boolean,
): Promise<void> {
  const reason = exitCode === 0 ? 'Completed' : 'Error'
  const container = { state: { terminated: { exitCode, reason, message } } }
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed'
  for (const pod of (await livingPods(hands, namespace)).filter(concerns)) {
    await setPod(hands, pod, false, container, phase)
  }
}

/** The controller-manager makes pods and they become ready, until every Deployment is complete. */
export async function rollOut(hands: Hands, operator: SteppedOperator, namespace: string): Promise<void> {
  await operator.until(`the Deployments in ${namespace} are rolled out`, async () => {
    await makePodsReady(hands, namespace)
    const deployments = await hands.list('Deployment', namespace)
    return deployments.length > 0 && deployments.every(isRolledOut)
  })
  await operator.settle()
}

function isRolledOut({ metadata, spec, status }: Anything): boolean {
  const { replicas, updatedReplicas, availableReplicas, observedGeneration } = status ?? {}
  return (
    observedGeneration === metadata.generation &&
    [replicas, updatedReplicas, availableReplicas].every((count) => count === spec['replicas'])
  )
}

export function isReady(pod: Anything): boolean {
  const conditions: { type: string; status: string }[] = pod['status'].conditions ?? []
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
}

/** Longer than any minReadySeconds: a pod that is ready here has been so for long enough to count at once. */
const readyForMilliseconds = 60_000

async function setPod(
  hands: Hands,
  pod: Anything,
  ready: boolean,
  container: ContainerState,
  phase = ready ? 'Running' : 'Pending',
): Promise<void> {
  const { name, namespace = '' } = pod.metadata
  const status = ready ? 'True' : 'False'
  const lastTransitionTime = new Date(Date.now() - readyForMilliseconds).toISOString()
  const { image } = pod['spec'].containers[0]
  const containerStatus = {
    name: pod['spec'].containers[0].name,
    ready,
    restartCount: 0,
    image,
    imageID: '',
    ...container,
  }
  const change = {
    status: {
      phase,
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
        type,
        status: type === 'PodScheduled' ? 'True' : status,
        lastTransitionTime,
      })),
      containerStatuses: [containerStatus],
    },
  }
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`
  const reply = await hands.admin({ method: 'PATCH', path, body: change })
  // The controller-manager may have removed it since.
  if (reply.status > 299 && reply.status !== 404) throw new Error(`pod ${name}: ${JSON.stringify(reply.body)}`)
}
