import type { AppTask, AppTaskStatus, Attempt } from '../../api/appTask.ts'
import { appTaskKind, isAttempt } from '../../api/appTask.ts'
import type { Refused } from '../../apply/refusal.ts'
import { refusalAgainst, refusedBy } from '../../apply/refusal.ts'
import { fightsOf } from '../../apply/fights.ts'
import { keyOf, refOf } from '../../api/meta.ts'
import { makeTask } from '../../render/task.ts'
import type { KubeError } from '../../kube/errors.ts'
import { isKubeError } from '../../kube/errors.ts'
import type { Ctx } from '../../runtime/controller.ts'
import { isEnded, newestAttempt, recordedProgress, taskStatus, tellsMore, type Progress } from '../../status/appTask.ts'
import type { Verdict } from '../../status/conditions.ts'
import { asksForRetry, failureOf } from '../../status/errored.ts'
import { isProjectLeaving } from '../publish.ts'
import { keepNewest, keptTasks } from '../actionTasks.ts'
import type { Observed } from './observe.ts'

/** The tries to create and to remove an instance: an AppTask each, the durable record of when it began and how it ended. */

/** The try that is under way, or the API server's refusal to record one. */
export type Begun = { readonly task: Attempt; readonly isNew: boolean } | { readonly refused: Refused }

/** The newest try, or a new one where there is none, or where it failed. Throws a KubeError that is no refusal. */
export async function begin(ctx: Ctx, { instance, tasks }: Observed, type: Attempt['spec']['type']): Promise<Begun> {
  const newest = newestAttempt(tasks, type)
  if (newest && !failureOf(instance, tasks)) return { task: newest, isNew: false }
  const task = makeTask(instance, type, newest)
  const fights = fightsOf(ctx.cache)
  const now = ctx.now.getTime()
  const desired = { type: appTaskKind, object: task, mode: 'once' } as const
  const held = refusalAgainst(fights, desired, now)
  if (held) return { refused: held }
  try {
    const made = (await ctx.kube.create(appTaskKind, task)) as Attempt
    if (newest) fightsOf(ctx.target.cache).pardon(instance.metadata.name, instance.metadata.namespace ?? '')
    await pruneTasks(ctx, made)
    return { task: made, isNew: true }
  } catch (error) {
    const known = isKubeError(error, 'AlreadyExists') ? await readUnderWay(ctx, task) : undefined
    if (known) return { task: known, isNew: false }
    return { refused: refusedBy(fights, desired, error, now) }
  }
}

/** Of those that there were before this one. */
async function pruneTasks(ctx: Ctx, { metadata: { namespace = '', uid }, spec }: Attempt): Promise<void> {
  const name = keyOf({ namespace, name: spec.instance })
  const tries = ctx.cache.byIndex<AppTask>(appTaskKind, 'instance', name).filter(isAttempt)
  await keepNewest(
    ctx,
    tries.filter((each) => each.metadata.uid !== uid),
    keptTasks - 1,
  )
}

/** The try as it is recorded where the cache, which is behind, does not show it; undefined when it is over. */
async function readUnderWay(ctx: Ctx, task: Attempt): Promise<Attempt | undefined> {
  const live = (await ctx.kube.getLive(appTaskKind, refOf(task))) as Attempt | undefined
  return live?.spec.instanceUid === task.spec.instanceUid && !isEnded(live) ? live : undefined
}

/** Records where a try stands, if that is more than is recorded. Out: the Task as it is then. Throws a KubeError. */
export async function record(ctx: Ctx, task: Attempt, progress: Progress, succeeded: Verdict): Promise<Attempt> {
  const status: AppTaskStatus = taskStatus(task, progress, succeeded, ctx.now)
  if (!tellsMore(task, status)) return task
  if (succeeded.status !== 'Unknown') return (await ctx.kube.writeStatus(appTaskKind, task, status)) as Attempt
  // What has ended does not go on; also where its end, of which the answer was lost, is not in view yet.
  return isEnded(task) ? task : ((await ctx.kube.recordStatus(appTaskKind, task, status)) as Attempt)
}

/** Whether what failed is to be left as it is: nobody has asked for another try. */
export function isLocked({ instance, tasks }: Observed): boolean {
  const newest = newestAttempt(tasks, instance.metadata.deletionTimestamp === undefined ? 'Create' : 'Delete')
  return newest !== undefined && failureOf(instance, tasks) !== undefined && !asksForRetry(instance, newest)
}

/**
 * Seconds for which a try may still go on, 0 or less when it is over. They run from when it began, or from when this
 * process took up its work: an operator that was away gives up on nobody.
 */
export function secondsLeft(
  { now, workingSeconds }: Pick<Ctx, 'now' | 'workingSeconds'>,
  startedAt: string | undefined,
  deadlineSeconds: number,
): number {
  const since = startedAt === undefined ? 0 : Math.max(0, (now.getTime() - Date.parse(startedAt)) / 1000)
  return deadlineSeconds - Math.min(since, workingSeconds)
}

/**
 * The try to remove an instance, or a new one where there is none, or where it failed and another is asked for. It is
 * history: undefined where the API server takes none, as in a project that is being removed itself.
 */
export async function beginRemoval(ctx: Ctx, seen: Observed): Promise<Attempt | undefined> {
  const newest = newestAttempt(seen.tasks, 'Delete')
  if (isLocked(seen) || isProjectLeaving(ctx.cache, seen.instance.metadata.namespace)) return newest
  try {
    await endCreation(ctx, seen)
    const begun = await begin(ctx, seen, 'Delete')
    return 'task' in begun ? begun.task : newest
  } catch (error) {
    if (!isKubeError(error) || isOwnStop(error)) throw error
    return newest
  }
}

/** A creation that was under way is over, at the step where it stood. */
async function endCreation(ctx: Ctx, { instance, tasks }: Observed): Promise<void> {
  const task = newestAttempt(tasks, 'Create')
  if (!task || isEnded(task)) return
  const progress = { ...recordedProgress(task), instanceGeneration: instance.metadata.generation ?? 0 }
  const message = 'The instance was deleted before all that its first release needs was there.'
  await recordQuietly(ctx, task, progress, { status: 'False', reason: 'InstanceDeleted', message })
}

/** As `record`, of history: what cannot be recorded is logged. */
export async function recordQuietly(
  ctx: Ctx,
  task: Attempt,
  progress: Progress,
  succeeded: Verdict,
): Promise<Attempt | undefined> {
  try {
    return await record(ctx, task, progress, succeeded)
  } catch (error) {
    if (!isKubeError(error) || isOwnStop(error)) throw error
    ctx.log.warn({ err: error, task: task.metadata.name }, 'Failed to record how a removal goes')
    return undefined
  }
}

/** We were told to stop, or may not write: nothing was tried. */
export function isOwnStop(error: KubeError): boolean {
  return error.code === 'Fenced' || error.code === 'Aborted'
}
