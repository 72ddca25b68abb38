import type { AppRelease } from '../api/appRelease.ts'
import type { AppTask, AppTaskStatus, AppTaskStep, Attempt } from '../api/appTask.ts'
import { shortened } from '../api/text.ts'
import { hasSucceeded } from './appRelease.ts'
import type { Verdict } from './conditions.ts'
import { conditionOf, conditionsOf, messageLimit } from './conditions.ts'

/** Where the work that a Task records stands. */
export interface Progress {
  /** Names of all its steps, in order. */
  readonly steps: readonly string[]
  /** The step it stands at; undefined when all are done. */
  readonly at: string | undefined
  /** What hinders that step; '' when nothing does. */
  readonly hindrance: string
  /** How often that step was tried. */
  readonly attempts: number
  /** Of the AppInstance that was acted on, where that matters. */
  readonly instanceGeneration?: number
}

/** Where the work stands by what its Task records. */
export function recordedProgress({ status }: AppTask): Progress {
  const steps = status?.steps ?? []
  const at = steps.find(({ state }) => state === 'Running')
  return {
    steps: steps.map(({ name }) => name),
    at: at?.name,
    hindrance: at?.message ?? '',
    attempts: at?.attempts ?? 1,
    ...(status?.instanceGeneration !== undefined && { instanceGeneration: status.instanceGeneration }),
  }
}

/**
 * The status of a Task.
 * In: the Task as it is recorded, where the work stands, the verdict for its condition Succeeded, the time. Out: the
 * whole status; times that were recorded stay. Pure.
 */
export function taskStatus(task: AppTask, progress: Progress, succeeded: Verdict, now: Date): AppTaskStatus {
  const generation = task.metadata.generation ?? 0
  return {
    observedGeneration: generation,
    conditions: conditionsOf(task.status?.conditions, { Succeeded: succeeded }, generation, now),
    ...(progress.instanceGeneration !== undefined && { instanceGeneration: progress.instanceGeneration }),
    steps: stepsOf(task, progress, succeeded, secondsOf(now)),
  }
}

function stepsOf(task: AppTask, progress: Progress, succeeded: Verdict, now: string): AppTaskStep[] {
  const { steps, at, hindrance, attempts } = progress
  const position = at === undefined ? steps.length : steps.indexOf(at)
  const recorded = new Map((task.status?.steps ?? []).map((step) => [step.name, step]))
  let startedAt = task.metadata.creationTimestamp ?? now
  return steps.map((name, index): AppTaskStep => {
    if (index > position) return { name, state: 'Pending', attempts: 0 }
    const before = recorded.get(name)
    startedAt = before?.startedAt ?? startedAt
    const tried = Math.max(before?.attempts ?? 0, index === position ? attempts : 1)
    if (index < position || succeeded.status !== 'Unknown') {
      const finishedAt = before?.finishedAt ?? now
      const step = { name, startedAt, finishedAt, attempts: tried, ...messageOf(before?.message) }
      startedAt = finishedAt
      if (index < position) return { ...step, state: 'Succeeded' }
      return { ...step, state: 'Failed', ...messageOf(hindrance) }
    }
    return { name, state: 'Running', startedAt, attempts: tried, ...messageOf(hindrance) }
  })
}

function messageOf(message: string | undefined): Pick<AppTaskStep, 'message'> {
  return message ? { message: shortened(message, messageLimit) } : {}
}

/** As the API server writes times. */
function secondsOf(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}

/**
 * Whether a status tells more of a Task than what is recorded: how it ended, or at which step it stands. That the same
 * step is hindered in other words, or was tried once more, is worth no write.
 */
export function tellsMore({ status }: AppTask, next: AppTaskStatus): boolean {
  return outlineOf(status) !== outlineOf(next)
}

function outlineOf(status: AppTaskStatus | undefined): string {
  const succeeded = conditionOf(status?.conditions, 'Succeeded')
  const steps = (status?.steps ?? []).map(({ name, state }) => [name, state])
  return JSON.stringify([succeeded?.status, succeeded?.reason, steps])
}

/** The newest try to do this; undefined before the first. */
export function newestAttempt(tasks: readonly Attempt[], type: Attempt['spec']['type']): Attempt | undefined {
  const tries = tasks.filter(({ spec }) => spec.type === type)
  return tries.toSorted((a, b) => b.spec.attempt - a.spec.attempt)[0]
}

/** Whether what a Task records was done. */
export function isCompleted(task: AppTask | undefined): boolean {
  return conditionOf(task?.status?.conditions, 'Succeeded')?.status === 'True'
}

/** Whether it is told how a Task ended: well, or not. */
export function isEnded(task: AppTask): boolean {
  return ['True', 'False'].includes(conditionOf(task.status?.conditions, 'Succeeded')?.status ?? '')
}

/** Whether all that the first release of an instance needs was there once: what goes wrong later is no failed creation. */
export function isCreated({
  releases,
  tasks,
}: {
  readonly releases: readonly AppRelease[]
  readonly tasks: readonly Attempt[]
}): boolean {
  return isCompleted(newestAttempt(tasks, 'Create')) || releases.some(hasSucceeded)
}
