import type { Blame } from './conditions.ts'
import type { ObservedPod } from './observed.ts'

/** How many pods there are, each counted once besides in `total`. */
export interface Counts {
  readonly total: number
  readonly running: number
  readonly pending: number
  readonly failed: number
}

/** Why a pod cannot serve, in one sentence that names the cause. */
export interface Cause extends Blame {
  readonly reason:
    | 'ImagePullFailed'
    | 'CrashLoop'
    | 'Unschedulable'
    | 'ConfigurationError'
    | 'Forbidden'
    | 'ClaimUnbound'
    | 'ClaimNotFound'
    | 'HealthCheckFailed'
  readonly message: string
  /** What tells more, where that is another object than the service's pods. */
  readonly command?: string
}

const imageReasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'])
const configurationReasons = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'])

/** Counts of an instance's pods; those that are terminating are left out. */
export function countPods(pods: readonly ObservedPod[]): Counts {
  const living = pods.filter((pod) => !pod.metadata.deletionTimestamp)
  const running = living.filter((pod) => pod.isReady).length
  const failed = living.filter((pod) => !pod.isReady && isFailed(pod)).length
  return {
    total: living.length,
    running,
    pending: living.length - running - failed,
    failed,
  }
}

/** Whether a pod has not ended yet; one that has, such as that of a Job, does not start again. */
export function isAlive({ phase }: ObservedPod): boolean {
  return phase !== 'Succeeded' && phase !== 'Failed'
}

function isFailed(pod: ObservedPod): boolean {
  const reason = causeOf(pod)?.reason
  return pod.phase === 'Failed' || (reason !== undefined && reason !== 'Unschedulable')
}

/**
 * The worst cause among the pods of one service; undefined when none is known. `explain` knows of a pod what its own
 * status does not tell; `memoryLimit` is the service's own.
 */
export function worstCause(
  pods: readonly ObservedPod[],
  explain: (pod: ObservedPod) => Cause | undefined = () => undefined,
  memoryLimit?: string,
): Cause | undefined {
  return pods
    .filter((pod) => !pod.isReady && !pod.metadata.deletionTimestamp)
    .flatMap((pod) => explain(pod) ?? causeOf(pod, memoryLimit) ?? [])
    .toSorted((a, b) => compareCauses(a, b) || (a.message < b.message ? -1 : 1))[0]
}

/** What somebody must put right comes before what may be short for a while. */
const rank: readonly Cause['reason'][] = [
  'ConfigurationError',
  'ImagePullFailed',
  'CrashLoop',
  'HealthCheckFailed',
  'ClaimNotFound',
  'ClaimUnbound',
  'Forbidden',
  'Unschedulable',
]

/** Below 0 when the first is to be told before the second; none known comes last. */
export function compareCauses(a: Cause | undefined, b: Cause | undefined): number {
  const place = (cause: Cause | undefined): number => (cause ? rank.indexOf(cause.reason) : rank.length)
  return place(a) - place(b)
}

function causeOf({ waiting, lastExit, unschedulable }: ObservedPod, memoryLimit?: string): Cause | undefined {
  if (waiting && imageReasons.has(waiting.reason)) {
    return { reason: 'ImagePullFailed', message: `the image cannot be pulled: ${waiting.message || waiting.reason}` }
  }
  if (waiting && configurationReasons.has(waiting.reason)) {
    const why = waiting.message || waiting.reason
    return { reason: 'ConfigurationError', message: `the container cannot be created: ${why}` }
  }
  // Also while the next try runs: the cause would else come and go with each restart.
  if (lastExit) {
    const limit = memoryLimit === undefined ? '' : ` of ${memoryLimit} (resources.limits.memory)`
    const memory = lastExit.isOutOfMemory ? `, as it took more memory than its limit${limit}` : ''
    const line = lastExit.line === '' ? '' : `, last line: ${lastExit.line}`
    return { reason: 'CrashLoop', message: `the process ended with exit code ${lastExit.code}${memory}${line}` }
  }
  return unschedulable === ''
    ? undefined
    : { reason: 'Unschedulable', message: `no node takes the pod: ${unschedulable}` }
}
