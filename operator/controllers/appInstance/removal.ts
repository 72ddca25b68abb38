import type { AppInstance, AppInstanceStatus } from '../../api/appInstance.ts'
import type { Attempt } from '../../api/appTask.ts'
import type { DeletionPolicy } from '../../api/deletion.ts'
import { annotations } from '../../api/meta.ts'
import { listed } from '../../api/text.ts'
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
import { remainsOf } from './report.ts'
import { asItRuns } from './running.ts'

/** What is told and recorded of the removal of an instance: how it goes on, that it does not, how it ended. */

export type Deletion = Report<AppInstanceStatus>

export const letGo: Deletion = { outcome: { kind: 'settled' } }

/** The try to remove an instance; without a Task where none could be made. */
export interface Removal {
  readonly ctx: Ctx
  readonly seen: Observed
  readonly policy: DeletionPolicy
  readonly task: Attempt | undefined
}

/** The steps of a removal, in order, by what it leaves. */
const stepsOf = { Delete: ['contents', 'namespace'], Retain: ['workloads', 'namespace'] } as const
type Step = (typeof stepsOf)[DeletionPolicy][number]

/** What keeps a removal from going on. */
interface Hindrance {
  /** '' when nothing does that we know of. */
  readonly message: string
  /** Terminating, unless another is given. */
  readonly reason?: 'ForeignClaim'
  readonly retryAfterSeconds?: number | undefined
  readonly events?: readonly EventRecord[]
  /** How often the step was tried, unless once. */
  readonly attempts?: number
}

/** How often what is Errored is tried again by itself. */
const slowRetrySeconds = 300

/** Whether somebody asks for just this object to be let go, whatever it leaves. */
export function isForced({ metadata }: AppInstance): boolean {
  return metadata.annotations?.[annotations.forceDelete] === metadata.uid
}

/** A step that goes on by itself. `remaining`: what is left, as far as it is known. */
export function underWay(
  removal: Removal,
  at: Step,
  remaining: string,
  events: readonly EventRecord[] = [],
): Promise<Deletion> {
  return hindered(removal, at, { message: '', events }, remaining)
}

/** The step is hindered, or goes on: said as such until the deadline, as Errored after it. */
export async function hindered(removal: Removal, at: Step, hindrance: Hindrance, remaining = ''): Promise<Deletion> {
  const { ctx, seen, task } = removal
  const { instance } = seen
  const startedAt = task?.metadata.creationTimestamp ?? instance.metadata.deletionTimestamp
  const left = secondsLeft(ctx, startedAt, instance.spec.deletionDeadlineSeconds)
  const isOver = isLocked(seen) || left <= 0
  const events = [...(hindrance.events ?? []), ...refusedForce(instance)]
  if (isOver) {
    const message = hindrance.message || whatIsLeft(seen, at, remaining)
    return errored(removal, at, { ...hindrance, message, events })
  }
  const message = hindrance.message || whatGoes(instance, at, remaining)
  if (task && hindrance.message !== '')
    await recordQuietly(ctx, task, progressOf(removal, at, message, hindrance.attempts), runningVerdict(message))
  const retryAfterSeconds = Math.min(hindrance.retryAfterSeconds ?? left, Math.ceil(left))
  const verdict = { reason: hindrance.reason ?? 'Terminating', message } as const
  const verdicts = verdictsOf(seen, {
    Ready: { status: 'Unknown', ...verdict },
    Deployed: { status: 'Unknown', ...verdict },
    Reconciling: { status: 'True', ...verdict },
  })
  return {
    status: statusOf(removal, verdicts),
    outcome: { kind: 'progressing', ...verdict, retryAfterSeconds },
    events,
  }
}

/** Past the deadline: recorded once, and told with what is left now. */
async function errored(removal: Removal, at: Step, { message, events = [], attempts }: Hindrance): Promise<Deletion> {
  const { ctx, seen, task } = removal
  const { instance, tasks } = seen
  const reason = 'CleanupDeadlineExceeded'
  const known = failureOf(instance, tasks)
  const recorded =
    known || !task
      ? task
      : await recordQuietly(ctx, task, progressOf(removal, at, message, attempts), { status: 'False', reason, message })
  const failure: Failure = {
    ...(known ?? (recorded && failureOf(instance, [recorded])) ?? unrecorded(instance, at, reason)),
    message,
  }
  await markLocked(ctx, seen, failure.reason)
  const told = erroredMessage(instance, failure, false)
  const verdict = { reason: failure.reason, message: told }
  const verdicts = verdictsOf(seen, {
    Ready: { status: 'False', ...verdict },
    Deployed: { status: 'Unknown', ...verdict },
    Stalled: { status: 'True', ...verdict },
    OperationsBlocked: { status: 'True', ...verdict },
  })
  return {
    status: { ...statusOf(removal, verdicts), error: erroredStatus(instance, failure, false) },
    outcome: { kind: 'failed', ...verdict, retryAfterSeconds: slowRetrySeconds },
    events: [...events, ...failureEvents(instance.status, failure, told)],
  }
}

/** Where no Task could be made, the time alone tells. */
function unrecorded({ metadata, spec }: AppInstance, failedStep: Step, reason: Failure['reason']): Failure {
  const { deletionTimestamp = '', generation = 0 } = metadata
  const at = new Date(Date.parse(deletionTimestamp) + spec.deletionDeadlineSeconds * 1000)
  const since = at.toISOString().replace(/\.\d+Z$/, 'Z')
  return { class: 'Cleanup', reason, message: '', task: '', failedStep, since, generation, attempt: 1 }
}

/** What goes by itself is nothing to tell; what waits for somebody to take a finalizer off is. */
function heldBy(remaining: string): string {
  return remaining.includes('finalizer') ? ` and waits: ${remaining}` : ''
}

function whatGoes({ metadata: { name } }: AppInstance, at: Step, remaining: string): string {
  return at === 'workloads'
    ? `What runs in namespace '${name}' is being removed, and the namespace stays (deletionPolicy Retain); see kubectl get all -n ${name}`
    : `Namespace '${name}' is being removed${heldBy(remaining)}; see kubectl describe namespace ${name}`
}

function whatIsLeft(seen: Observed, at: Step, remaining: string): string {
  const { name } = seen.instance.metadata
  const what = at === 'workloads' ? `What ran in namespace '${name}'` : `Namespace '${name}'`
  return `${what} does not go: ${remaining || podsLeft(seen) || `nothing says what holds it; see kubectl get pods -n ${name}`}`
}

/** As long as there are pods, a namespace says nothing of what it waits for. '' without any of ours. */
function podsLeft({ pods, jobPods }: Observed): string {
  return listed(
    [...pods, ...jobPods].map(({ metadata }) => `Pod '${metadata.name}'`),
    5,
  )
}

/** Nothing is left of it: it may go, and its Task says so. `stranger`: somebody else's namespace of its name. */
export async function completed(
  removal: Removal,
  stranger: ObservedNamespace | undefined,
  events: readonly EventRecord[],
): Promise<Deletion> {
  const { ctx, seen, task } = removal
  if (!task) return { ...letGo, events }
  const { name } = seen.instance.metadata
  const nothing = stranger
    ? `Nothing was left of the instance; namespace '${name}' is somebody else's and stays as it is.`
    : `Namespace '${name}' is gone.`
  const hasFailed = failureOf(seen.instance, [task]) !== undefined
  const message = events[0]?.message ?? nothing
  const succeeded = { status: 'True', reason: 'Completed', message } as const
  await recordQuietly(ctx, task, progressOf(removal, undefined, ''), succeeded)
  const recovered: EventRecord = { type: 'Normal', reason: 'Recovered', action: 'Deleting', message }
  return { ...letGo, events: hasFailed ? [...events, recovered] : events }
}

/** It is let go with what it leaves: that is said in its Task and in an Event. */
export async function abandoned(
  removal: Removal,
  { metadata: { name } }: ObservedNamespace,
  remaining: string,
): Promise<Deletion> {
  const { ctx, seen, task } = removal
  const left = remaining || podsLeft(seen)
  const why = left === '' ? '' : `: ${left}`
  const message = `Let go by ${annotations.forceDelete}; left behind is namespace '${name}'${why}`
  const verdict = { status: 'False', reason: 'ForceDeleted', message } as const
  if (task) await recordQuietly(ctx, task, progressOf(removal, 'namespace', message), verdict)
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

/** Before the namespace goes: what goes with it although others made it is on record. */
export async function recordForeign({ ctx, seen, task, policy }: Removal, objects: readonly string[]): Promise<void> {
  if (!task) return
  const message = `Of others, and removed with namespace '${seen.instance.metadata.name}': ${objects.join(', ')}`
  await recordQuietly(ctx, task, progressOf({ seen, policy }, 'contents', message), runningVerdict(message))
}

function progressOf(
  { seen, policy }: Pick<Removal, 'seen' | 'policy'>,
  at: Step | undefined,
  hindrance: string,
  attempts = 1,
): Progress {
  const instanceGeneration = seen.instance.metadata.generation ?? 0
  return { steps: stepsOf[policy], at, hindrance, attempts, instanceGeneration }
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

function statusOf({ ctx, seen }: Removal, verdicts: Verdicts): AppInstanceStatus {
  const { instance } = seen
  const generation = instance.metadata.generation ?? 0
  return {
    observedGeneration: generation,
    phase: phaseOf(verdicts),
    conditions: conditionsOf(instance.status?.conditions, verdicts, generation, ctx.now),
    ...remainsOf(seen, asItRuns(ctx.target.cache, seen)),
    ...blockedBy(instance, verdicts, { now: ctx.now, isProtected: false }),
    namespace: instance.metadata.name,
  }
}
