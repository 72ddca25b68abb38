import type { ActionRecord } from '../api/service/actionRecord.ts'
import type { Reason } from '../api/conditions.ts'
import type { Ref } from '../api/meta.ts'
import { shortened } from '../api/text.ts'
import type { Blame } from './conditions.ts'
import type { ObservedJob, ObservedPod } from './observed.ts'
import { worstCause } from './pods.ts'

/** An action of a release, and what there is of it. */
export interface ActionSight {
  readonly service: string
  readonly name: string
  /** undefined where nothing tells any more. */
  readonly timeoutSeconds: number | undefined
  /** Name of its Job. */
  readonly job: string
  /** Where its Job is. */
  readonly namespace: string
  /** What was recorded of it; undefined before it was started. */
  readonly record: ActionRecord | undefined
  /** Its Job; undefined when it is not made yet, or deleted. */
  readonly observed: ObservedJob | undefined
  /** Of its Job. */
  readonly pods: readonly ObservedPod[]
}

/** The pod of a Job that has failed may come into view a little later than the Job: so long it is waited for. */
export const podSightSeconds = 5
const messageLimit = 1024

/**
 * What is to be recorded of an action. What has ended stays as it was recorded; one that was started and has no Job any
 * more has failed: nobody knows how far it came.
 * Out: undefined before it was started.
 */
export function recordOf(sight: ActionSight, now: Date): ActionRecord | undefined {
  const { record, observed, service, name, job } = sight
  const state = (is: ActionRecord['state']): ActionRecord => ({ service, name, job, state: is })
  if (record && record.state !== 'Running') return record
  if (!observed) return record && failed(sight, 'its Job was deleted before it ended', '')
  if (observed.end === 'Complete') return state('Succeeded')
  if (observed.end === '' || isTooEarly(sight, observed, now)) return state('Running')
  return failed(sight, failureOf(sight, observed), commandFor(sight))
}

function isTooEarly({ pods }: ActionSight, { reason, failedAt }: ObservedJob, now: Date): boolean {
  if (reason === 'DeadlineExceeded' || pods.some(hasFailed)) return false
  return Math.abs(now.getTime() - Date.parse(failedAt)) < podSightSeconds * 1000
}

function hasFailed({ run, lastExit }: ObservedPod): boolean {
  return (lastExit !== null && lastExit.code !== 0) || run?.failure !== ''
}

function failed(sight: ActionSight, why: string, command: string): ActionRecord {
  const { service, name, job } = sight
  const message = `${subject(sight)} failed: ${why}${command === '' ? '' : `; see ${command}`}`
  return { service, name, job, state: 'Failed', message: shortened(message, messageLimit) }
}

/** The action, as messages begin. */
export function subject({ service, name }: Pick<ActionSight, 'service' | 'name'>): string {
  return `Action '${name}' of service '${service}'`
}

function failureOf({ pods, timeoutSeconds }: ActionSight, { reason }: ObservedJob): string {
  const pod = pods.find(hasFailed)
  const line = pod?.lastExit?.line ? `, last line: ${pod.lastExit.line}` : ''
  const isLate = reason === 'DeadlineExceeded' || pod?.run?.failure === 'DeadlineExceeded'
  const time = timeoutSeconds === undefined ? 'its time' : `${timeoutSeconds} seconds`
  if (isLate) return `it did not end within ${time}${line || startTrouble(pods)}`
  if (pod?.lastExit) return `exit code ${pod.lastExit.code}${line}`
  return `its pod failed (${pod?.run?.failure || reason})`
}

function startTrouble(pods: readonly ObservedPod[]): string {
  const cause = worstCause(pods)
  return cause && cause.reason !== 'CrashLoop' ? `: ${cause.message}` : ''
}

function commandFor({ namespace, job, pods }: ActionSight): string {
  return pods.some(({ lastExit }) => lastExit)
    ? `kubectl logs -n ${namespace} job/${job}`
    : `kubectl describe job -n ${namespace} ${job}`
}

/** What holds a release up before its roll-out. */
export interface PendingAction {
  readonly isFailed: boolean
  readonly reason: Reason
  readonly message: string
  readonly blame?: Blame
}

/** A Job that has not ended, and for which another action waits. */
export interface OtherJob {
  readonly name: string
  readonly namespace: string
  /** The AppTask that asked for it; undefined when it is of a release. */
  readonly task: Ref | undefined
}

/** What it is, where it is seen, and how it is ended; `release`: which one it is of. */
export function waitsFor({ name, namespace, task }: OtherJob, release: string): string {
  const [what, command] = task
    ? [`the action of AppTask '${task.name}'`, `kubectl delete apptask -n ${task.namespace} ${task.name}`]
    : [`an action of ${release}`, `kubectl delete job -n ${namespace} ${name}`]
  return `waits for ${what}, which still runs; see kubectl logs -n ${namespace} job/${name}; to end it: ${command}`
}

/** In one sentence, how an action that has not succeeded stands; `other` is a Job that it may not run beside. */
export function pendingOf(sight: ActionSight, other: OtherJob | undefined): PendingAction {
  const { record, observed, namespace, job, pods } = sight
  const blame = { child: observed }
  if (record?.state === 'Failed') {
    return { isFailed: true, reason: 'ActionFailed', message: record.message ?? `${subject(sight)} failed`, blame }
  }
  const running = { isFailed: false, reason: 'RunningActions', blame } as const
  if (!record && !observed && other !== undefined) {
    return { ...running, message: `${subject(sight)} ${waitsFor(other, 'an earlier release')}` }
  }
  const cause = worstCause(pods)
  if (!cause || cause.reason === 'CrashLoop') {
    // Why it has no pod, when it may have none, is told there alone.
    return { ...running, message: `${subject(sight)} runs; see kubectl describe job -n ${namespace} ${job}` }
  }
  const command = `kubectl describe pods -n ${namespace} -l batch.kubernetes.io/job-name=${job}`
  return {
    isFailed: false,
    reason: cause.reason,
    message: `${subject(sight)}: ${cause.message}; see ${command}`,
    blame,
  }
}
