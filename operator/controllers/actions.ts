import type { AppRelease } from '../api/appRelease.ts'
import { jobType, podType } from '../api/builtin.ts'
import { annotations, labels } from '../api/meta.ts'
import type { ReleaseAction } from '../render/job.ts'
import { actionsAfter, actionsBefore } from '../render/job.ts'
import { actionJobName } from '../render/names.ts'
import type { Reader } from '../runtime/controller.ts'
import type { ActionSight, OtherJob, PendingAction } from '../status/actions.ts'
import { pendingOf } from '../status/actions.ts'
import type { ObservedJob, ObservedPod } from '../status/observed.ts'

/** The Jobs of an instance's actions, and their pods. */
export interface ActionJobs {
  readonly jobs: readonly ObservedJob[]
  readonly jobPods: readonly ObservedPod[]
}

/** The Jobs of actions made for an instance, and the pods of them. */
export function actionJobsOf(cache: Reader, instance: string): ActionJobs {
  const jobs = cache.byIndex<ObservedJob>(jobType, 'namespace', instance)
  return {
    jobs: jobs.filter(({ metadata }) => metadata.labels?.[labels.instance] === instance),
    jobPods: cache.byIndex<ObservedPod>(podType, 'namespace', instance).filter(({ run }) => run !== undefined),
  }
}

/** The AppRelease that a Job was made for; '' when it was made for none. */
export function releaseOfJob({ metadata }: Pick<ObservedJob, 'metadata'>): string {
  return metadata.annotations?.[annotations.release] ?? ''
}

/** The AppTask that asked for a Job; '' when none did. */
export function taskOfJob({ metadata }: Pick<ObservedJob, 'metadata'>): string {
  return metadata.annotations?.[annotations.task] ?? ''
}

/** Whether a Job has not ended. */
export function isUnderWay({ end }: ObservedJob): boolean {
  return end === ''
}

/** The actions of a release before its roll-out, in the order in which they run, and what there is of them. */
export function sightsBefore(release: AppRelease, seen: ActionJobs): readonly ActionSight[] {
  return actionsBefore(release).map((action) => sightOf(release, action, seen))
}

/** Likewise the actions after its roll-out. */
export function sightsAfter(release: AppRelease, seen: ActionJobs): readonly ActionSight[] {
  return actionsAfter(release).map((action) => sightOf(release, action, seen))
}

function sightOf(release: AppRelease, { service, action }: ReleaseAction, { jobs, jobPods }: ActionJobs): ActionSight {
  const job = actionJobName(release, service.name, action.name)
  return {
    service: service.name,
    name: action.name,
    timeoutSeconds: action.timeoutSeconds,
    job,
    namespace: release.spec.instance,
    record: release.status?.actions?.find((each) => each.job === job),
    observed: jobs.find(({ metadata }) => metadata.name === job),
    pods: jobPods.filter(({ run }) => run?.job === job),
  }
}

/** The Jobs that have not ended of other releases, and of AppTasks: those of `release` wait for them. */
export function otherJobs(release: AppRelease, { jobs }: ActionJobs): readonly ObservedJob[] {
  const isOther = (job: ObservedJob): boolean =>
    taskOfJob(job) !== '' || !['', release.metadata.name].includes(releaseOfJob(job))
  return jobs.filter((job) => isUnderWay(job) && isOther(job))
}

/** A Job as a message tells of it that something waits for it. */
export function told(job: ObservedJob): OtherJob {
  const { name, namespace = '' } = job.metadata
  const task = taskOfJob(job)
  const project = job.metadata.labels?.[labels.project] ?? ''
  return { name, namespace, task: task === '' ? undefined : { namespace: project, name: task } }
}

/** The first action that a release's roll-out waits for, or that has failed; undefined when all before it succeeded. */
export function pendingAction(release: AppRelease, seen: ActionJobs): PendingAction | undefined {
  const sight = sightsBefore(release, seen).find(({ record }) => record?.state !== 'Succeeded')
  if (!sight) return undefined
  const [other] = otherJobs(release, seen)
  return pendingOf(sight, other && told(other))
}

/** Whether there may be more to be done, as far as the release itself says: no action failed, and not all have ended. */
export function mayAct(release: AppRelease): boolean {
  const states = sightsOf(release, { jobs: [], jobPods: [] }).map(({ record }) => record?.state)
  return !states.includes('Failed') && states.some((state) => state !== 'Succeeded')
}

/** All actions that a release runs, and what there is of them. */
export function sightsOf(release: AppRelease, seen: ActionJobs): readonly ActionSight[] {
  return [...sightsBefore(release, seen), ...sightsAfter(release, seen)]
}
