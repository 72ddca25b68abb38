import type { ActionTask, AppTask, AppTaskStatus } from '../../api/appTask.ts'
import { appTaskKind, isActionTask } from '../../api/appTask.ts'
import { jobType } from '../../api/builtin.ts'
import type { KubeObject } from '../../api/meta.ts'
import { annotations, keyOf, refOf } from '../../api/meta.ts'
import { fightsOf } from '../../apply/fights.ts'
import { refusalAgainst, refusedBy, type Refused } from '../../apply/refusal.ts'
import { isKubeError } from '../../kube/errors.ts'
import { ownerOf } from '../../render/appInstance.ts'
import { makeStart, makeTaskJob } from '../../render/job.ts'
import type { Ctx, EventRecord } from '../../runtime/controller.ts'
import type { ActionSight } from '../../status/actions.ts'
import { pendingOf, podSightSeconds, recordOf, subject } from '../../status/actions.ts'
import { isEnded } from '../../status/appTask.ts'
import type { Verdict } from '../../status/conditions.ts'
import { isUnderWay, taskOfJob } from '../actions.ts'
import { isJobOf, isOpen, keepNewest, keptTasks, nameOf, recordAction, stepOf } from '../actionTasks.ts'
import { childDigest, jobDigest } from '../digests.ts'
import type { ObservedJob } from '../../status/observed.ts'
import { besideJob, endJob } from './actions.ts'
import { refusalOf } from './gates.ts'
import type { Observed } from './observe.ts'
import type { Findings } from './report.ts'
import { turnOf, type Found, type Turn } from './turn.ts'

/**
 * Actions that users ask for, each by an AppTask: one after another, each started once (ADR 0024). A Job is made held,
 * without a pod; its uid is recorded in the AppTask; then it is let go. We let no other Job go than the recorded one.
 */

type Due = Extract<Turn, { kind: 'due' }>
type Job = NonNullable<AppTaskStatus['job']>

/** What came of looking at one of them. */
interface Look {
  /** As it is recorded now. */
  readonly task: ActionTask
  readonly events?: readonly EventRecord[]
  readonly checkAgainSeconds?: number
}

/**
 * Brings the AppTasks of an instance forward, once all else is done for it.
 * Out: what was found, with what is to be told besides; also of what was done before something was thrown.
 */
export async function runAsked(ctx: Ctx, seen: Observed, found: Findings): Promise<Findings> {
  const looks: Look[] = []
  const thrown = await lookAtAll(ctx, seen, found, looks).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  )
  const checks = [found, ...looks].flatMap(({ checkAgainSeconds }) => checkAgainSeconds ?? [])
  return {
    ...found,
    events: [...(found.events ?? []), ...looks.flatMap(({ events = [] }) => events)],
    ...(checks.length > 0 && { checkAgainSeconds: Math.min(...checks) }),
    ...(thrown && { thrown }),
  }
}

/** Throws a KubeError; what was looked at until then is in `looks`. */
async function lookAtAll(ctx: Ctx, seen: Observed, found: Findings, looks: Look[]): Promise<void> {
  let ahead: ActionTask | undefined
  for (const task of seen.asked.filter(isOpen)) {
    const look = await (task.status?.job ? follow(ctx, seen, task) : takeTurn(ctx, seen, found, task, ahead))
    looks.push(look)
    if (!isEnded(look.task)) ahead = look.task
  }
  await endStrays(ctx, seen)
  await pruneAsked(ctx, seen)
}

/** One that was begun: its Job is let go if a crash came between, and followed to its end. */
async function follow(ctx: Ctx, seen: Observed, task: ActionTask): Promise<Look> {
  const job = task.status?.job
  if (!job) return { task }
  const observed = seen.jobs.find(({ metadata }) => metadata.uid === job.uid)
  if (!observed) {
    const live = await ctx.target.kube.getLive(jobType, job)
    // Its event is still to come.
    if (live?.metadata.uid === job.uid) return { task }
  } else if (observed.isHeld && observed.end === '') {
    return start(ctx, seen, task, job)
  }
  const sight = sightOf(seen, task, observed)
  const { state, message = '' } = recordOf(sight, ctx.now) ?? { state: 'Running' }
  if (state === 'Failed')
    return end(ctx, seen, task, { status: 'False', reason: 'ActionFailed', message: `${message}.` })
  if (state === 'Succeeded')
    return end(ctx, seen, task, { status: 'True', reason: 'Completed', message: successOf(task, job) })
  const pending = pendingOf(sight, undefined)
  const verdict = { status: 'Unknown', reason: pending.reason, message: pending.message } as const
  const noted = await recordAction(ctx, task, { at: 'run' }, verdict)
  return { task: noted, ...(observed?.end === 'Failed' && { checkAgainSeconds: podSightSeconds }) }
}

function sightOf(seen: Observed, { spec, status }: ActionTask, observed: ObservedJob | undefined): ActionSight {
  const { service, name } = spec.action
  const { name: job = '', namespace = '' } = status?.job ?? {}
  const release = seen.releases.find(({ metadata }) => metadata.name === status?.release)
  const declared = release?.spec.services.find((each) => each.name === service)?.actions
  return {
    service,
    name,
    timeoutSeconds: declared?.find((each) => each.name === name)?.timeoutSeconds,
    job,
    namespace,
    record: { service, name, job, state: 'Running' },
    observed,
    pods: seen.jobPods.filter(({ run }) => run?.job === job),
  }
}

function successOf({ spec }: ActionTask, { name, namespace }: Job): string {
  return `${subject(spec.action)} succeeded; for its log: kubectl logs -n ${namespace} job/${name}`
}

/** One that was not begun: refused, told what it waits for, or begun. */
async function takeTurn(
  ctx: Ctx,
  seen: Observed,
  found: Found,
  task: ActionTask,
  ahead: ActionTask | undefined,
): Promise<Look> {
  const turn = turnOf(seen, found, task, ahead)
  if (turn.kind === 'due') return begin(ctx, seen, task, turn)
  if (turn.kind === 'made') return recordAndStart(ctx, seen, task, turn.job)
  if (turn.kind === 'waits') return { task: await wait(ctx, seen, task, turn.message) }
  return end(ctx, seen, task, { status: 'False', reason: turn.reason, message: turn.message })
}

function wait(ctx: Ctx, seen: Observed, task: ActionTask, message: string): Promise<ActionTask> {
  return recordAction(ctx, task, { at: 'queue' }, { status: 'Unknown', reason: 'Queued', message }, boundTo(seen))
}

function boundTo({ instance }: Observed): { readonly instanceUid: string } {
  return { instanceUid: instance.metadata.uid ?? '' }
}

/** Makes the Job, held; records it; lets it go. Each step finds what a crash left of the one before it. */
async function begin(ctx: Ctx, seen: Observed, task: ActionTask, { release, run }: Due): Promise<Look> {
  const made = await makeJob(ctx, makeTaskJob(ownerOf(seen.instance), release, task, run))
  return 'desired' in made ? hindered(ctx, seen, task, made) : recordAndStart(ctx, seen, task, made)
}

async function recordAndStart(ctx: Ctx, seen: Observed, task: ActionTask, made: ObservedJob): Promise<Look> {
  // Somebody else's: that is still to be seen.
  if (taskOfJob(made) !== task.metadata.name) return { task }
  // Begun and recorded, which is still to be seen; or somebody let it go before its record, and it is the one all the same.
  if (!made.isHeld && (await isRecorded(ctx, task))) return { task }
  const { name, namespace = '', uid = '' } = made.metadata
  const release = made.metadata.annotations?.[annotations.release] ?? ''
  const message = `${subject(task.spec.action)} runs; see kubectl describe job -n ${namespace} ${name}`
  const verdict = { status: 'Unknown', reason: 'RunningActions', message } as const
  const job = { name, namespace, uid }
  const recorded = await recordAction(ctx, task, { at: 'run' }, verdict, { ...boundTo(seen), release, job })
  return made.isHeld ? start(ctx, seen, recorded, job) : { task: recorded }
}

/** Whether a Job is recorded of it that this view does not show yet. */
async function isRecorded(ctx: Ctx, task: ActionTask): Promise<boolean> {
  const live = (await ctx.kube.getLive(appTaskKind, refOf(task))) as AppTask | undefined
  return live?.status?.job !== undefined
}

/** The Job as it is, also where it was there already; or the refusal to make it. Throws a KubeError that is none. */
async function makeJob(ctx: Ctx, object: KubeObject): Promise<ObservedJob | Refused> {
  const { kube } = ctx.target
  try {
    return await unlessRefused(ctx, object, async () => observedOf(await kube.create(jobType, object)))
  } catch (error) {
    const live = isKubeError(error, 'AlreadyExists') ? await kube.getLive(jobType, refOf(object)) : undefined
    if (!live) throw error
    return observedOf(live)
  }
}

/** What a write of a Job comes to, or the refusal of it, which is not asked for again at once. Throws a KubeError that is none. */
async function unlessRefused<Result>(
  { target, now }: Ctx,
  object: KubeObject,
  write: () => Promise<Result>,
): Promise<Result | Refused> {
  const fights = fightsOf(target.cache)
  const desired = { type: jobType, object, mode: 'run' } as const
  const stands = refusalAgainst(fights, desired, now.getTime())
  if (stands) return stands
  try {
    return await write()
  } catch (error) {
    return refusedBy(fights, desired, error, now.getTime())
  }
}

function observedOf(job: KubeObject): ObservedJob {
  return { ...childDigest(job), ...jobDigest(job) }
}

async function hindered(ctx: Ctx, seen: Observed, task: ActionTask, refused: Refused): Promise<Look> {
  const { reason, message } = refusalOf(refused)
  const verdict = { status: 'Unknown', reason, message } as const
  const noted = await recordAction(ctx, task, { at: stepOf(task), hindrance: message }, verdict, boundTo(seen))
  return { task: noted, ...(refused.retryAfterSeconds && { checkAgainSeconds: refused.retryAfterSeconds }) }
}

/** Lets the recorded Job go, or says who refuses it. Throws a KubeError that is no refusal. */
async function start(ctx: Ctx, seen: Observed, task: ActionTask, job: Job): Promise<Look> {
  const object = makeStart(job)
  const started = await unlessRefused(ctx, object, () => ctx.target.kube.apply(jobType, object))
  if ('desired' in started) return hindered(ctx, seen, task, started)
  const message = `${subject(task.spec.action)} was started from release ${task.status?.release}, as ${nameOf(task)} asks.`
  return { task, events: [{ type: 'Normal', reason: 'ActionStarted', action: 'RunningAction', message }] }
}

/** How it ended, recorded and told. */
async function end(ctx: Ctx, seen: Observed, task: ActionTask, succeeded: Verdict): Promise<Look> {
  const isGood = succeeded.status === 'True'
  const how = isGood ? { at: undefined } : { at: stepOf(task), hindrance: succeeded.message }
  const noted = await recordAction(ctx, task, how, succeeded, boundTo(seen))
  const job = seen.jobs.find(({ metadata }) => metadata.uid === task.status?.job?.uid)
  const event: EventRecord = {
    ...(!isGood && besideJob(job)),
    type: isGood ? 'Normal' : 'Warning',
    reason: isGood ? 'ActionSucceeded' : succeeded.reason,
    action: 'RunningAction',
    message: `${nameOf(task)}: ${succeeded.message}`,
  }
  return { task: noted, events: [event] }
}

/** Jobs of AppTasks that are gone, or have ended, or have another: after a look at the AppTask. */
async function endStrays(ctx: Ctx, seen: Observed): Promise<void> {
  const strays = seen.jobs.filter((job) => taskOfJob(job) !== '' && isUnderWay(job) && !isAsked(job, seen.asked))
  for (const job of strays) {
    const ref = { namespace: seen.instance.metadata.namespace ?? '', name: taskOfJob(job) }
    await endJob(ctx, job, async () => {
      const live = (await ctx.kube.getLive(appTaskKind, ref)) as AppTask | undefined
      return !live || !isActionTask(live) || !isAsked(job, [live])
    })
  }
}

function isAsked({ metadata }: ObservedJob, tasks: readonly ActionTask[]): boolean {
  return tasks.some((task) => isJobOf(task, metadata.name, metadata.uid))
}

/** Those that have ended, of all instances of the name. */
async function pruneAsked(ctx: Ctx, { instance }: Observed): Promise<void> {
  const tasks = ctx.cache.byIndex<AppTask>(appTaskKind, 'instance', keyOf(refOf(instance)))
  await keepNewest(ctx, tasks.filter(isActionTask).filter(isEnded), keptTasks)
}
