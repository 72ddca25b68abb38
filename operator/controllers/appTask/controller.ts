import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { ActionTask, AppTask, AppTaskStatus } from '../../api/appTask.ts'
import { appTaskKind, isActionTask } from '../../api/appTask.ts'
import type { KubeObject, Ref } from '../../api/meta.ts'
import { keyOf, refOf } from '../../api/meta.ts'
import { similarNames, thereIs } from '../../api/similar.ts'
import type { Controller, Ctx, Reader, Report } from '../../runtime/controller.ts'
import { subject } from '../../status/actions.ts'
import type { Verdict } from '../../status/conditions.ts'
import { isFor, isOpen, recordAction, stepOf } from '../actionTasks.ts'

/** For so long an AppInstance that is not there may still be made, as with files that are applied together. */
const patienceSeconds = 600

const settled: Report<AppTaskStatus> = { outcome: { kind: 'settled' } }

/**
 * An AppTask by which a user asks for an action of an AppInstance that is not there: waited for, or given up. Where there
 * is one, it does all the rest itself (appInstance/manualActions.ts).
 */
export const appTask: Controller<AppTask, AppTaskStatus> = {
  kind: appTaskKind,
  watches: [
    { type: appTaskKind, keys: (object) => [object as AppTask].filter(isActionTask).filter(isOpen).map(refOf) },
    { type: appInstanceKind, ignoresStatus: true, keys: (object, cache) => openFor(cache, object) },
  ],

  async reconcile(ctx, task): Promise<Report<AppTaskStatus>> {
    if (!isActionTask(task) || !isOpen(task)) return settled
    const ref = instanceRef(task)
    const seen = ctx.cache.get<AppInstance>(appInstanceKind, ref)
    if (isThere(seen, task)) return settled
    const left = patienceLeft(ctx, task)
    if (!seen && !isBound(task) && left > 0) return waitFor(ctx, task, left)
    const live = (await ctx.kube.getLive(appInstanceKind, ref)) as AppInstance | undefined
    if (isThere(live, task)) {
      const message = `Waiting for AppInstance '${ref.name}' to be seen as it is`
      return { outcome: { kind: 'progressing', reason: 'Queued', message, retryAfterSeconds: 1 } }
    }
    const verdict = live || isBound(task) ? deletedVerdict(task, live) : missingVerdict(ctx, task, 'False')
    await recordAction(ctx, task, { at: stepOf(task), hindrance: verdict.message }, verdict)
    return settled
  },
}

function instanceRef({ metadata, spec }: ActionTask): Ref {
  return { namespace: metadata.namespace ?? '', name: spec.instance }
}

function isThere(instance: AppInstance | undefined, task: ActionTask): boolean {
  return (
    instance !== undefined && instance.metadata.deletionTimestamp === undefined && isFor(task, instance.metadata.uid)
  )
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
  const how = stepOf(task) === 'run' ? 'was ended' : 'was not started'
  const see = live && !isLeaving ? `; for this one make another AppTask in namespace '${namespace}'` : ''
  return { status: 'False', reason: 'InstanceDeleted', message: `${subject(task.spec.action)} ${how}: ${why}${see}` }
}

function openFor(cache: Reader, instance: KubeObject): Ref[] {
  const tasks = cache.byIndex<AppTask>(appTaskKind, 'instance', keyOf(refOf(instance)))
  return tasks.filter(isActionTask).filter(isOpen).map(refOf)
}
