import type { Attempt } from '../../api/appTask.ts'
import type { Reason } from '../../api/conditions.ts'
import { namespaceType } from '../../api/builtin.ts'
import { fightsOf, identityOf } from '../../apply/fights.ts'
import { isOfRule } from '../../apply/refusal.ts'
import { isKubeError } from '../../kube/errors.ts'
import { creationStages } from '../../render/appInstance.ts'
import { isProtected } from '../../render/resolve/deletion.ts'
import type { Ctx, EventRecord, Reader } from '../../runtime/controller.ts'
import { releaseToRun } from '../../status/appRelease.ts'
import { isCreated, isEnded, newestAttempt, type Progress } from '../../status/appTask.ts'
import type { Failure } from '../../status/errored.ts'
import { erroredMessage, failureOf } from '../../status/errored.ts'
import { namespaceDigest } from '../digests.ts'
import { contestSentence } from './applied.ts'
import { begin, isOwnStop, record, secondsLeft } from './attempts.ts'
import { mayApply, planOf, type Decision } from './decide.ts'
import { namespaceIsNotForeign, refusalOf, type Objection } from './gates.ts'
import { markLocked } from './lock.ts'
import type { Observed } from './observe.ts'
import type { Findings } from './report.ts'
import { asItRuns } from './running.ts'

/**
 * Creation: what the first release needs is made, or it is given up, which makes the instance Errored. What hinders it
 * may pass until the deadline; what can never succeed is given up at once.
 */

/** The step before those of the plan. */
const releaseStep = 'release'
const steps: readonly string[] = [releaseStep, ...creationStages]

/**
 * Whether an instance that was never created can be brought nearer to it, or must be given up; or its Task is yet to say
 * that it was created, which a crash can leave out.
 */
export function isCreationDue(seen: Observed, { objection, next }: Decision): boolean {
  const newest = newestAttempt(seen.tasks, 'Create')
  if (isCreated(seen)) return newest !== undefined && !isEnded(newest)
  if (objection?.kind === 'failed' || next) return true
  return seen.releases.length > 0 && mayApply(seen, objection)
}

/**
 * One reconcile of a creation, recorded in its AppTask; `bringAbout` does the work. Throws a KubeError.
 * Out: what it came to; with a failure when it is given up.
 */
export async function create(
  ctx: Ctx,
  seen: Observed,
  { objection }: Decision,
  bringAbout: () => Promise<Findings>,
): Promise<Findings> {
  const begun = await begin(ctx, seen, 'Create')
  if ('refused' in begun) return idle(seen, refusalOf(begun.refused))
  const attempt = { ctx, seen, task: begun.task }
  const retrying: EventRecord[] = begun.isNew && begun.task.spec.attempt > 1 ? [retryEvent(begun.task)] : []
  if (isCreated(seen)) return complete(attempt, await bringAbout())
  const found = await (objection?.kind === 'failed' ? settleConflict(attempt, objection) : tryOnce(attempt, bringAbout))
  return { ...found, events: [...retrying, ...(found.events ?? [])] }
}

interface Creation {
  readonly ctx: Ctx
  readonly seen: Observed
  readonly task: Attempt
}

/** Where a creation stands. */
interface Standing {
  /** The step that is not done; undefined when all are. */
  readonly at: string | undefined
  readonly hindrance: string
  readonly attempts: number
}

async function tryOnce(attempt: Creation, bringAbout: () => Promise<Findings>): Promise<Findings> {
  const { ctx, seen, task } = attempt
  const left = secondsLeft(ctx, task.metadata.creationTimestamp, seen.instance.spec.creationDeadlineSeconds)
  let found: Findings
  try {
    found = await bringAbout()
  } catch (error) {
    return giveUpOn(attempt, error, left)
  }
  const standing = standingOf(ctx, found)
  if (standing.at === undefined) return complete(attempt, found)
  if (left <= 0 && isLost(found, standing)) return giveUp(attempt, standing, 'CreationDeadlineExceeded')
  const underWay = { status: 'Unknown', reason: 'Creating', message: standing.hindrance } as const
  await record(ctx, task, progressOf(seen, standing), underWay)
  return left > 0 ? { ...found, checkAgainSeconds: Math.ceil(left) } : found
}

/** The spec is not at fault: that would be for the user to change. */
function isLost({ refused }: Findings, { hindrance }: Standing): boolean {
  return hindrance !== '' && (refused === undefined || isOfRule(refused.error))
}

function standingOf(ctx: Ctx, { release, applied, refused }: Findings): Standing {
  const at = release ? creationStages.find((stage) => stage === applied?.stoppedAt) : releaseStep
  const attempts = refused ? fightsOf(ctx.target.cache).refusalsOf(refused.desired) : 1
  return { at, hindrance: refused ? refusalOf(refused).message : contestSentence(applied), attempts }
}

/** What was thrown may pass, until the deadline: a webhook that does not answer, an API server that is away. */
async function giveUpOn(attempt: Creation, error: unknown, left: number): Promise<Findings> {
  const at = firstMissing(attempt.seen)
  if (left > 0 || at === undefined || !isKubeError(error) || isOwnStop(error)) throw error
  return giveUp(attempt, { at, hindrance: error.message, attempts: 1 }, 'CreationDeadlineExceeded')
}

/** The first step of which the cache does not show all. */
function firstMissing(seen: Observed): string | undefined {
  const release = releaseToRun(seen.releases)
  if (!release) return releaseStep
  const held = new Set(seen.owned.map(identityOf))
  const stages = planOf(seen, release).stages.filter(({ name }) => creationStages.includes(name))
  return stages.find(({ objects }) => !objects.every((desired) => held.has(identityOf(desired))))?.name
}

/** A second, live look first: what is recorded as failed stays so until somebody asks for a retry. */
async function settleConflict(attempt: Creation, objection: Objection): Promise<Findings> {
  const { ctx, seen } = attempt
  const { name, namespace = '' } = seen.instance.metadata
  const [live, project] = await Promise.all([
    ctx.target.kube.getLive(namespaceType, { namespace: '', name }),
    ctx.kube.getLive(namespaceType, { namespace: '', name: namespace }),
  ])
  const projectUid = project?.metadata.uid ?? ''
  const now = { ...seen, projectUid, namespace: live && namespaceDigest(live) }
  if (project && namespaceIsNotForeign(now)) {
    return giveUp(attempt, { at: 'namespace', hindrance: objection.message, attempts: 1 }, 'NamespaceConflict')
  }
  const message = `Waiting for the namespace '${name}' to be seen as it is`
  return idle(seen, { kind: 'progressing', reason: 'Creating', message, retryAfterSeconds: 1 })
}

async function complete({ ctx, seen, task }: Creation, found: Findings): Promise<Findings> {
  const message = 'All that the first release needs is there.'
  const progress = progressOf(seen, { at: undefined, hindrance: '', attempts: 1 })
  await record(ctx, task, progress, { status: 'True', reason: 'Completed', message })
  return task.spec.attempt === 1 ? found : { ...found, events: [recoveredEvent(task)] }
}

async function giveUp({ ctx, seen, task }: Creation, standing: Standing, reason: Reason): Promise<Findings> {
  const verdict = { status: 'False', reason, message: standing.hindrance } as const
  const recorded = await record(ctx, task, progressOf(seen, standing), verdict)
  await markLocked(ctx, seen, reason)
  return locked(ctx, seen, failureOf(seen.instance, [recorded])!)
}

function progressOf({ instance }: Observed, standing: Standing): Progress {
  return { steps, ...standing, instanceGeneration: instance.metadata.generation ?? 0 }
}

interface LockedIn {
  readonly target: { readonly cache: Reader }
}

/** What is told of an instance for which nothing is written: how it stands, and why nothing changes that. */
export function locked({ target }: LockedIn, seen: Observed, failure: Failure): Findings {
  const message = erroredMessage(seen.instance, failure, isProtected(seen.instance, seen.env))
  const objection = { kind: 'failed', reason: failure.reason, message } as const
  return { objection, failure, ...asItRuns(target.cache, seen), changes: [], failed: undefined, applied: undefined }
}

/** Nothing was done, and why. */
function idle({ releases }: Observed, objection: Objection): Findings {
  const release = releaseToRun(releases)
  return { objection, release, rollout: [], changes: [], failed: undefined, applied: undefined }
}

function retryEvent({ spec }: Attempt): EventRecord {
  const message = `Creation is tried again: ${spec.cause}.`
  return { type: 'Normal', reason: 'Retrying', action: 'Creating', message }
}

function recoveredEvent({ spec }: Attempt): EventRecord {
  const message = `What the first release needs is there, by attempt ${spec.attempt}.`
  return { type: 'Normal', reason: 'Recovered', action: 'Creating', message }
}
