import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { ObservedPod } from './observed.ts'

/** How many pods there are, each counted once besides in `total`. */
export interface Counts {
  readonly total: number
  readonly running: number
  readonly pending: number
  readonly failed: number
}

/** Why a pod cannot serve, in one sentence that names the cause. */
export interface Cause {
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

/** The worst cause among the pods of one service; undefined when none is known. */
export function worstCause(pods: readonly ObservedPod[]): Cause | undefined {
  const causes = pods
    .filter((pod) => !pod.isReady && !pod.metadata.deletionTimestamp)
    .flatMap((pod) => causeOf(pod) ?? [])
  const rank: Cause['reason'][] = ['ConfigurationError', 'ImagePullFailed', 'CrashLoop', 'Unschedulable']
  return causes.toSorted(
    (a, b) => rank.indexOf(a.reason) - rank.indexOf(b.reason) || (a.message < b.message ? -1 : 1),
  )[0]
}

/** Why a service is not ready although nothing keeps its pods from running; undefined when it has no health check. */
export function healthCause({ name, healthCheck }: ResolvedService, pods: readonly ObservedPod[]): Cause | undefined {
  const isAsked = pods.some((pod) => pod.service === name && !pod.isReady && pod.phase === 'Running')
  if (!healthCheck || !isAsked) return undefined
  const message = `its health check, ${questionOf(healthCheck)}, does not succeed within ${healthCheck.timeoutSeconds} s`
  return { reason: 'HealthCheckFailed', message }
}

function questionOf({ path, command, port }: NonNullable<ResolvedService['healthCheck']>): string {
  if (command) return `the command ${command[0]}`
  return path === undefined ? `a connection to port ${port}` : `GET ${path} on port ${port}`
}

function causeOf({ waiting, lastExit, unschedulable }: ObservedPod): Cause | undefined {
  if (waiting && imageReasons.has(waiting.reason)) {
    return { reason: 'ImagePullFailed', message: `the image cannot be pulled: ${waiting.message || waiting.reason}` }
  }
  if (waiting && configurationReasons.has(waiting.reason)) {
    const why = waiting.message || waiting.reason
    return { reason: 'ConfigurationError', message: `the container cannot be created: ${why}` }
  }
  // Also while the next try runs: the cause would else come and go with each restart.
  if (lastExit) {
    const line = lastExit.line === '' ? '' : `, last line: ${lastExit.line}`
    return { reason: 'CrashLoop', message: `the process ended with exit code ${lastExit.code}${line}` }
  }
  return unschedulable === ''
    ? undefined
    : { reason: 'Unschedulable', message: `no node takes the pod: ${unschedulable}` }
}
