import type { ActionTask, AppTask, AppTaskStatus } from '../api/appTask.ts'
import { appTaskKind } from '../api/appTask.ts'
import { canonical } from '../api/canonical.ts'
import { refOf } from '../api/meta.ts'
import { taskJobName } from '../render/names.ts'
import type { Ctx } from '../runtime/controller.ts'
import { isEnded, taskStatus, type Progress } from '../status/appTask.ts'
import { conditionOf, type Verdict } from '../status/conditions.ts'
import { removeSurplus } from './surplus.ts'

/** The AppTasks by which users ask for an action: whose turn it is, and what is recorded of them (ADR 0024). */

/** Kept of the instances of one name, newest first: of the tries to create and remove them, and of actions. */
export const keptTasks = 20

/** Logs of so many that were begun are kept: their Jobs. */
const keptLogs = 3

/** Whether it is for the instance with this uid: it says so, or was bound to it when it was first looked at. */
export function isFor({ spec, status }: ActionTask, instanceUid: string | undefined): boolean {
  const bound = spec.instanceUid ?? status?.instanceUid
  return bound === undefined || bound === instanceUid
}

/** Whether something may still be done for it. */
export function isOpen(task: AppTask): boolean {
  return !isEnded(task) && task.metadata.deletionTimestamp === undefined
}

/** What was begun goes first, then whoever asked first. */
export function byTurn(a: ActionTask, b: ActionTask): number {
  return rankOf(a) - rankOf(b) || byAge(a, b)
}

function rankOf({ status }: ActionTask): number {
  return status?.job ? 0 : 1
}

function byAge(a: AppTask, b: AppTask): number {
  return ageOf(a) < ageOf(b) ? -1 : 1
}

function ageOf({ metadata }: AppTask): string {
  return `${metadata.creationTimestamp ?? ''} ${metadata.name}`
}

/** Name of the Job that runs the action. */
export function jobNameOf({ metadata, spec }: ActionTask): string {
  return taskJobName(metadata.uid ?? '', spec.action.service, spec.action.name)
}

/** Names of the Jobs that are kept: of those whose end is not recorded yet, and of the newest that were begun. */
export function jobsToKeep(tasks: readonly ActionTask[]): readonly string[] {
  const begun = tasks.filter(({ status }) => status?.job !== undefined).toSorted(byAge)
  return [...begun.filter(isOpen), ...begun.slice(-keptLogs)].map(jobNameOf)
}

/** Whether a Job, by its name and uid, is the one that runs, or is to run, the action. */
export function isJobOf(task: ActionTask, name: string, uid: string | undefined): boolean {
  return isOpen(task) && jobNameOf(task) === name && (task.status?.job?.uid ?? uid) === uid
}

/** What is recorded besides how it goes. */
export type Binding = Pick<AppTaskStatus, 'instanceUid' | 'release' | 'job'>

/**
 * Records how an action stands, over just the version that was looked at: nothing is recorded twice, or by one whose view
 * is behind. Out: the AppTask as it is then. Throws a KubeError, Conflict where it has changed since.
 */
export async function recordAction(
  ctx: Ctx,
  task: ActionTask,
  { at, hindrance = '' }: { readonly at: Step | undefined; readonly hindrance?: string },
  succeeded: Verdict,
  binding: Binding = {},
): Promise<ActionTask> {
  const { instanceUid, release, job } = { ...task.status, ...binding }
  const progress: Progress = { steps, at, hindrance, attempts: 1 }
  const status: AppTaskStatus = {
    ...taskStatus(task, progress, succeeded, ctx.now),
    ...(instanceUid !== undefined && { instanceUid }),
    ...(release !== undefined && { release }),
    ...(job && { job }),
  }
  if (textOf(status) === textOf(task.status)) return task
  return (await ctx.kube.recordStatus(appTaskKind, task, status)) as ActionTask
}

const steps = ['queue', 'run'] as const
type Step = (typeof steps)[number]

/** The step at which an action stands that has not ended. */
export function stepOf({ status }: ActionTask): Step {
  return status?.job ? 'run' : 'queue'
}

/** All that is told, without times. */
function textOf(status: AppTaskStatus | undefined): string {
  const { status: is, reason, message } = conditionOf(status?.conditions, 'Succeeded') ?? {}
  const states = (status?.steps ?? []).map(({ name, state }) => [name, state])
  return canonical([is ?? '', reason ?? '', message ?? '', states, status?.job?.uid ?? '', status?.instanceUid ?? ''])
}

/** Removes those that are more than the newest so many. Throws a transient KubeError. */
export async function keepNewest(ctx: Ctx, tasks: readonly AppTask[], most: number): Promise<void> {
  for (const task of tasks.toSorted(byAge).toReversed().slice(most)) await removeSurplus(ctx, appTaskKind, task)
}

/** The AppTask, as messages name it. */
export function nameOf(task: AppTask): string {
  return `AppTask '${refOf(task).name}'`
}
