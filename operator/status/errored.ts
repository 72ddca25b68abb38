import type { AppInstance, AppInstanceStatus } from '../api/appInstance.ts'
import type { Attempt } from '../api/appTask.ts'
import { tokenOf } from '../api/appTask.ts'
import type { Reason } from '../api/conditions.ts'
import { annotations, refOf } from '../api/meta.ts'
import { shortened } from '../api/text.ts'
import { newestAttempt } from './appTask.ts'
import { conditionOf, messageLimit } from './conditions.ts'
import type { Transition } from './events.ts'

/** What could not be finished: while it stands, the instance is Errored, and nothing is written for it. */
export interface Failure {
  readonly class: 'Creation' | 'Cleanup'
  readonly reason: Reason
  /** What failed, on which object, and why. */
  readonly message: string
  /** The Task that records it; '' when none could be made. */
  readonly task: string
  readonly failedStep: string
  /** When it was given up. */
  readonly since: string
  /** metadata.generation of the AppInstance that was acted on last. */
  readonly generation: number
  /** Which try it was, from 1. */
  readonly attempt: number
}

/**
 * What could not be finished, by the tries of this very instance (uid); undefined when it is not Errored. Pure: the
 * reconciler, the lock and the API server's policies are all made from it.
 */
export function failureOf(instance: AppInstance, tasks: readonly Attempt[]): Failure | undefined {
  const isLeaving = instance.metadata.deletionTimestamp !== undefined
  const task = newestAttempt(tasks, isLeaving ? 'Delete' : 'Create')
  const succeeded = conditionOf(task?.status?.conditions, 'Succeeded')
  if (!task || succeeded?.status !== 'False') return undefined
  return {
    class: isLeaving ? 'Cleanup' : 'Creation',
    // Written by us alone.
    reason: succeeded.reason as Reason,
    message: succeeded.message,
    task: task.metadata.name,
    failedStep: task.status?.steps?.find(({ state }) => state === 'Failed')?.name ?? '',
    since: succeeded.lastTransitionTime,
    generation: task.status?.instanceGeneration ?? 0,
    attempt: task.spec.attempt,
  }
}

/** Whether an instance asks for another try than those that were made; one that asks no more takes nothing back. */
export function asksForRetry({ metadata }: AppInstance, newest: Attempt): boolean {
  const token = metadata.annotations?.[annotations.retry]
  return token !== undefined && tokenOf(token) !== newest.spec.token
}

/** Of what failed, so that the ways out stay readable after it. */
const causeLimit = 360

/** What people are told while the failure stands: what failed, what is blocked, the ways out. */
export function erroredMessage(instance: AppInstance, failure: Failure, isProtected: boolean): string {
  const { generation = 0 } = instance.metadata
  // The command stands beside the others: after one in the middle of the text, a dot would be copied too.
  const [, what = failure.message, look] = /^(.*?); see (kubectl .*)$/s.exec(failure.message) ?? []
  const cause = shortened(what, causeLimit)
  const to = look === undefined ? 'To' : `To see more: ${look}; to`
  const steps = nextStepsOf(instance, failure, isProtected)
  if (failure.class === 'Cleanup') {
    return `Removal failed at step '${failure.failedStep}': ${cause}. It goes on by itself, and is tried again every 5 minutes. ${to} let the instance go and leave the rest behind: ${steps[0]}`
  }
  const blocked = generation > failure.generation ? ` Generation ${generation} is stored, not acted on.` : ''
  return `Creation failed at step '${failure.failedStep}': ${cause}.${blocked} Nothing was removed. ${to} try again: ${steps[0]}; to give up: ${steps[1]}`
}

/** status.error. */
export function erroredStatus(
  instance: AppInstance,
  failure: Failure,
  isProtected: boolean,
): NonNullable<AppInstanceStatus['error']> {
  return {
    class: failure.class,
    reason: failure.reason,
    message: shortened(failure.message, messageLimit),
    ...(failure.task !== '' && { task: failure.task }),
    ...(failure.failedStep !== '' && { failedStep: failure.failedStep }),
    since: failure.since,
    nextSteps: nextStepsOf(instance, failure, isProtected),
  }
}

/** Once for each try that failed; of the first the change of Ready is the same Event, word for word. `message`: what is told. */
export function failureEvents(before: AppInstanceStatus | undefined, failure: Failure, message: string): Transition[] {
  if (before?.error && (before.error.task ?? '') === failure.task) return []
  const since = conditionOf(before?.conditions, 'Ready')?.lastTransitionTime
  const { reason } = failure
  const told = { type: 'Warning', reason, action: 'Checking', message: shortened(message, messageLimit) } as const
  return [since === undefined ? told : { ...told, since }]
}

/** The ways out, as commands. What is protected from deletion is not deleted before that is lifted. */
function nextStepsOf(instance: AppInstance, failure: Failure, isProtected: boolean): string[] {
  const { name, namespace } = refOf(instance)
  const annotate = `kubectl annotate appinstance ${name} -n ${namespace} --overwrite`
  const retry = `${annotate} ${annotations.retry}=attempt-${failure.attempt + 1}`
  const lift = `kubectl patch appinstance ${name} -n ${namespace} --type=merge -p '{"spec":{"deletionProtection":false}}'`
  return failure.class === 'Creation'
    ? [retry, `${isProtected ? `${lift} && ` : ''}kubectl delete appinstance ${name} -n ${namespace}`]
    : [`${annotate} ${annotations.forceDelete}=${instance.metadata.uid}`, `kubectl describe namespace ${name}`, retry]
}
