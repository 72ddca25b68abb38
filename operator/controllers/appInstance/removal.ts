import type { AppInstance, AppInstanceStatus } from '../../api/appInstance.ts'
import type { AppTask } from '../../api/appTask.ts'
import { annotations } from '../../api/meta.ts'
import type { Ctx, EventRecord, Report } from '../../runtime/controller.ts'
import type { Progress } from '../../status/appTask.ts'
import { blockedBy } from '../../status/blocked.ts'
import type { Verdicts } from '../../status/conditions.ts'
import { conditionsOf } from '../../status/conditions.ts'
import type { Failure } from '../../status/errored.ts'
import { erroredMessage, erroredStatus, failureEvents, failureOf } from '../../status/errored.ts'
import type { ObservedNamespace } from '../../status/observed.ts'
import { phaseOf } from '../../status/phase.ts'
import { isLocked, recordQuietly, secondsLeft } from './attempts.ts'
import { markLocked } from './lock.ts'
import type { Observed } from './observe.ts'

/** What is told and recorded of the removal of an instance: how it goes on, that it does not, how it ended. */

export type Deletion = Report<AppInstanceStatus>

export const letGo: Deletion = { outcome: { kind: 'settled' } }

/** The try to remove an instance; without a Task where none could be made. */
export interface Removal {
  readonly ctx: Ctx
  readonly seen: Observed
  readonly task: AppTask | undefined
}

/** What keeps the namespace from going. */
interface Hindrance {
  /** '' when nothing does that we know of. */
  readonly message: string
  readonly retryAfterSeconds?: number | undefined
  readonly events?: readonly EventRecord[]
}

const step = 'namespace'
/** How often what is Errored is tried again by itself. */
const slowRetrySeconds = 300

/** Whether somebody asks for just this object to be let go, whatever it leaves. */
export function isForced({ metadata }: AppInstance): boolean {
  return metadata.annotations?.[annotations.forceDelete] === metadata.uid
}

/** The namespace is going. */
export function underWay(
  removal: Removal,
  { remaining }: ObservedNamespace,
  events: readonly EventRecord[] = [],
): Promise<Deletion> {
  return hindered(removal, { message: '', events }, remaining)
}

/** The namespace does not go, or is on its way: said as such until the deadline, as Errored after it. */
export async function hindered(removal: Removal, hindrance: Hindrance, remaining = ''): Promise<Deletion> {
  const { ctx, seen, task } = removal
  const { instance } = seen
  const startedAt = task?.metadata.creationTimestamp ?? instance.metadata.deletionTimestamp
  const left = secondsLeft(ctx, startedAt, instance.spec.deletionDeadlineSeconds)
  const isOver = isLocked(seen) || left <= 0
  const events = [...(hindrance.events ?? []), ...refusedForce(instance)]
  if (isOver) return { ...(await errored(removal, hindrance.message || whatIsLeft(instance, remaining), events)) }
  const { name } = instance.metadata
  const message = hindrance.message || `Namespace '${name}' is being removed; see kubectl describe namespace ${name}`
  if (task && hindrance.message !== '')
    await recordQuietly(ctx, task, progressOf(seen, message), runningVerdict(message))
  const retryAfterSeconds = Math.min(hindrance.retryAfterSeconds ?? left, Math.ceil(left))
  const verdict = { reason: 'Terminating', message } as const
  const verdicts = verdictsOf(seen, {
    Ready: { status: 'Unknown', ...verdict },
    Deployed: { status: 'Unknown', ...verdict },
    Reconciling: { status: 'True', ...verdict },
  })
  return {
    status: statusOf(seen, verdicts, ctx.now),
    outcome: { kind: 'progressing', ...verdict, retryAfterSeconds },
    events,
  }
}

/** Past the deadline: recorded once, and told with what is left now. */
async function errored(
  { ctx, seen, task }: Removal,
  message: string,
  events: readonly EventRecord[],
): Promise<Deletion> {
  const { instance, tasks } = seen
  const reason = 'CleanupDeadlineExceeded'
  const known = failureOf(instance, tasks)
  const recorded =
    known || !task
      ? task
      : await recordQuietly(ctx, task, progressOf(seen, message), { status: 'False', reason, message })
  const failure: Failure = {
    ...(known ?? (recorded && failureOf(instance, [recorded])) ?? unrecorded(instance, reason)),
    message,
  }
  await markLocked(ctx, seen, failure.reason)
  const told = erroredMessage(instance, failure)
  const verdict = { reason: failure.reason, message: told }
  const verdicts = verdictsOf(seen, {
    Ready: { status: 'False', ...verdict },
    Deployed: { status: 'Unknown', ...verdict },
    Stalled: { status: 'True', ...verdict },
    OperationsBlocked: { status: 'True', ...verdict },
  })
  return {
    status: { ...statusOf(seen, verdicts, ctx.now), error: erroredStatus(instance, failure) },
    outcome: { kind: 'failed', ...verdict, retryAfterSeconds: slowRetrySeconds },
    events: [...events, ...failureEvents(instance.status, failure, told)],
  }
}

/** Where no Task could be made, the time alone tells. */
function unrecorded({ metadata, spec }: AppInstance, reason: Failure['reason']): Failure {
  const { deletionTimestamp = '', generation = 0 } = metadata
  const at = new Date(Date.parse(deletionTimestamp) + spec.deletionDeadlineSeconds * 1000)
  const since = at.toISOString().replace(/\.\d+Z$/, 'Z')
  return { class: 'Cleanup', reason, message: '', task: '', failedStep: step, since, generation, attempt: 1 }
}

function whatIsLeft({ metadata: { name } }: AppInstance, remaining: string): string {
  return `Namespace '${name}' does not go: ${remaining || 'nothing says what holds it'}`
}

/** Nothing is left of it: it may go, and its Task says so. `stranger`: somebody else's namespace of its name. */
export async function completed(
  { ctx, seen, task }: Removal,
  stranger: ObservedNamespace | undefined,
  events: readonly EventRecord[],
): Promise<Deletion> {
  if (!task) return { ...letGo, events }
  const { name } = seen.instance.metadata
  const message = stranger
    ? `Nothing was left of the instance; namespace '${name}' is somebody else's and stays as it is.`
    : `Namespace '${name}' is gone.`
  const hasFailed = failureOf(seen.instance, [task]) !== undefined
  const succeeded = { status: 'True', reason: 'Completed', message: events[0]?.message ?? message } as const
  await recordQuietly(ctx, task, { ...progressOf(seen, ''), at: undefined }, succeeded)
  const recovered: EventRecord = { type: 'Normal', reason: 'Recovered', action: 'Deleting', message }
  return { ...letGo, events: hasFailed ? [...events, recovered] : events }
}

/** It is let go with what it leaves: that is said in its Task and in an Event. */
export async function abandoned(
  { ctx, seen, task }: Removal,
  { metadata: { name } }: ObservedNamespace,
  remaining: string,
): Promise<Deletion> {
  const why = remaining === '' ? '' : `: ${remaining}`
  const message = `Let go by ${annotations.forceDelete}; left behind is namespace '${name}'${why}`
  const verdict = { status: 'False', reason: 'ForceDeleted', message } as const
  if (task) await recordQuietly(ctx, task, progressOf(seen, message), verdict)
  return { ...letGo, events: [{ type: 'Warning', reason: 'ForceDeleted', action: 'Deleting', message }] }
}

/** An Event for a request to force the removal of another object than this one. */
function refusedForce({ metadata }: AppInstance): EventRecord[] {
  const { name, namespace, uid } = metadata
  const given = metadata.annotations?.[annotations.forceDelete]
  if (given === undefined || given === uid) return []
  const message = `${annotations.forceDelete} is '${given.slice(0, 64)}', and must be the uid of just this object: kubectl annotate appinstance ${name} -n ${namespace} --overwrite ${annotations.forceDelete}=${uid}`
  return [{ type: 'Warning', reason: 'ForceDeleteRefused', action: 'Deleting', message }]
}

function progressOf({ instance }: Observed, hindrance: string): Progress {
  const instanceGeneration = instance.metadata.generation ?? 0
  return { steps: [step], at: step, hindrance, attempts: 1, instanceGeneration }
}

function runningVerdict(message: string) {
  return { status: 'Unknown', reason: 'Terminating', message } as const
}

function verdictsOf({ pods }: Observed, main: Verdicts): Verdicts {
  const isServing = pods.some(({ isReady, metadata }) => isReady && !metadata.deletionTimestamp)
  return {
    Accepted: { status: 'True', reason: 'Accepted', message: 'The deletion can be acted on.' },
    Available: isServing
      ? { status: 'True', reason: 'Serving', message: 'Replicas still answer.' }
      : { status: 'False', reason: 'NotServing', message: 'No replica is ready any more.' },
    ...main,
  }
}

function statusOf({ instance }: Observed, verdicts: Verdicts, now: Date): AppInstanceStatus {
  const generation = instance.metadata.generation ?? 0
  return {
    observedGeneration: generation,
    phase: phaseOf(verdicts),
    conditions: conditionsOf(instance.status?.conditions, verdicts, generation, now),
    ...blockedBy(instance, verdicts, now),
    namespace: instance.metadata.name,
  }
}
