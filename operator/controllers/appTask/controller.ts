import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { ActionTask, AppTask, AppTaskStatus, Attempt } from '../../api/appTask.ts'
import { appTaskKind, isActionTask, isAttempt } from '../../api/appTask.ts'
import type { KubeObject, Ref } from '../../api/meta.ts'
import { keyOf, refOf } from '../../api/meta.ts'
import { similarNames, thereIs } from '../../api/similar.ts'
import type { Controller, Ctx, Reader, Report } from '../../runtime/controller.ts'
import { subject } from '../../status/actions.ts'
import { recordedProgress, taskStatus } from '../../status/appTask.ts'
import type { Verdict } from '../../status/conditions.ts'
import { isFor, isOpen, recordAction, stepOf } from '../actionTasks.ts'

/** For so long an AppInstance that is not there may still be made, as with files that are applied together. */
const patienceSeconds = 600

const settled: Report<AppTaskStatus> = { outcome: { kind: 'settled' } }

/**
 * An AppTask whose AppInstance is not there: a user's for an action is waited for, or given up; the record of a try to
 * make or remove it is ended. Where there is one, it does all the rest itself (appInstance/manualActions.ts, attempts.ts).
 */
export const appTask: Controller<AppTask, AppTaskStatus> = {
  kind: appTaskKind,
  watches: [
    { type: appTaskKind, keys: (object) => [object as AppTask].filter(isOpen).map(refOf) },
    { type: appInstanceKind, ignoresStatus: true, keys: (object, cache) => openFor(cache, object) },
  ],

  async reconcile(ctx, task): Promise<Report<AppTaskStatus>> {
    if (!isOpen(task)) return settled
    const ref = instanceRef(task)
    const seen = ctx.cache.get<AppInstance>(appInstanceKind, ref)
    if (isThere(seen, task)) return settled
    const left = isActionTask(task) && !seen && !isBound(task) ? patienceLeft(ctx, task) : 0
    if (isActionTask(task) && left > 0) return waitFor(ctx, task, left)
    const live = (await ctx.kube.getLive(appInstanceKind, ref)) as AppInstance | undefined
    if (isThere(live, task)) {
      const message = `Waiting for AppInstance '${ref.name}' to be seen as it is`
      return { outcome: { kind: 'progressing', reason: 'Queued', message, retryAfterSeconds: 1 } }
    }
    if (isActionTask(task)) await endAction(ctx, task, live)
    if (isAttempt(task)) await endAttempt(ctx, task, live)
    return settled
  },
}

function instanceRef({ metadata, spec }: AppTask): Ref {
  return { namespace: metadata.namespace ?? '', name: spec.instance }
}

/** Whether it is up to the instance to say how the Task ends: of a removal, and of what that overtakes, until it is gone. */
function isThere(instance: AppInstance | undefined, task: AppTask): boolean {
  if (instance === undefined) return false
  const { uid, deletionTimestamp } = instance.metadata
  return isActionTask(task) ? deletionTimestamp === undefined && isFor(task, uid) : uid === task.spec.instanceUid
}

/** Whether it is for one AppInstance alone, and for none that is made later. */
function isBound({ spec, status }: ActionTask): boolean {
  return (spec.instanceUid ?? status?.instanceUid) !== undefined
}

/** From when it was made, or from when this process took up its work, whichever is later. */
function patienceLeft({ now, workingSeconds }: Ctx, { metadata }: ActionTask): number {
  const since = Math.max(0, (now.getTime() - Date.parse(metadata.creationTimestamp ?? '')) / 1000)
  return patienceSeconds - Math.min(since, workingSeconds)
}

async function waitFor(ctx: Ctx, task: ActionTask, left: number): Promise<Report<AppTaskStatus>> {
  const verdict = missingVerdict(ctx, task, 'Unknown')
  await recordAction(ctx, task, { at: 'queue' }, verdict)
  const by = `AppInstance/${task.spec.instance}`
  return { outcome: { ...verdict, kind: 'blocked', by, retryAfterSeconds: Math.ceil(left) } }
}

async function endAction(ctx: Ctx, task: ActionTask, live: AppInstance | undefined): Promise<void> {
  const verdict = live || isBound(task) ? deletedVerdict(task, live) : missingVerdict(ctx, task, 'False')
  await recordAction(ctx, task, { at: stepOf(task), hindrance: verdict.message }, verdict)
}

/**
 * Others took the instance's finalizer off, or the API server refused the record of its end. Over just the version that
 * was looked at: what the instance recorded last may not be in view yet.
 */
async function endAttempt(ctx: Ctx, task: Attempt, live: AppInstance | undefined): Promise<void> {
  const message = lostMessage(task, live)
  const progress = { ...recordedProgress(task), hindrance: message }
  const verdict: Verdict = { status: 'False', reason: 'InstanceDeleted', message }
  await ctx.kube.recordStatus(appTaskKind, task, taskStatus(task, progress, verdict, ctx.now))
}

function lostMessage({ spec: { instance, type } }: Attempt, live: AppInstance | undefined): string {
  if (type === 'Create') return `AppInstance '${instance}' is gone, and nothing says how its creation ended`
  const see = live
    ? `another AppInstance has its name now`
    : `to see whether anything is left: kubectl get namespace ${instance}`
  return `AppInstance '${instance}' is gone, and nothing says how its removal ended, as when its finalizer is taken off by hand; ${see}`
}

function missingVerdict({ cache }: Ctx, task: ActionTask, status: Verdict['status']): Verdict {
  const { namespace, name } = instanceRef(task)
  const there = cache.list(appInstanceKind).filter(({ metadata }) => metadata.namespace === namespace)
  const similar = similarNames(
    name,
    there.map(({ metadata }) => metadata.name),
  )
  const end = status === 'Unknown' ? '' : '; nothing was run, make another AppTask once it is there'
  const message = `No AppInstance '${name}' in namespace '${namespace}' (spec.instance)${thereIs(similar)}${end}`
  return { status, reason: 'InstanceNotFound', message }
}

function deletedVerdict(task: ActionTask, live: AppInstance | undefined): Verdict {
  const { namespace, name } = instanceRef(task)
  const isLeaving = live?.metadata.deletionTimestamp !== undefined
  const why = isLeaving
    ? `AppInstance '${name}' is being deleted`
    : live
      ? `the AppInstance '${name}' that it was meant for is gone, and another one has its name`
      : `the AppInstance '${name}' that it was meant for is gone`
  const { job } = task.status ?? {}
  const how = job ? 'is not followed any more' : 'was not started'
  const another = live && !isLeaving ? `; for this one make another AppTask in namespace '${namespace}'` : ''
  // It goes with what runs there, which may wait, or stay where the removal was forced.
  const running = job ? `; whether its Job still runs: kubectl get job ${job.name} -n ${job.namespace}` : ''
  const message = `${subject(task.spec.action)} ${how}: ${why}${another}${running}`
  return { status: 'False', reason: 'InstanceDeleted', message }
}

function openFor(cache: Reader, instance: KubeObject): Ref[] {
  const tasks = cache.byIndex<AppTask>(appTaskKind, 'instance', keyOf(refOf(instance)))
  return tasks.filter(isOpen).map(refOf)
}
