import type { AppInstanceStatus } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import type { ActionRecord } from '../../api/service/actionRecord.ts'
import { jobType } from '../../api/builtin.ts'
import { refOf } from '../../api/meta.ts'
import { fightsOf } from '../../apply/fights.ts'
import { refusalAgainst, refusedBy, removalOf } from '../../apply/refusal.ts'
import type { Ctx, EventRecord } from '../../runtime/controller.ts'
import { isUnderWay, otherJobs, sightsAfter, taskOfJob, type ActionJobs } from '../actions.ts'
import { jobDigest } from '../digests.ts'
import type { ObservedJob } from '../../status/observed.ts'
import type { Observed } from './observe.ts'

/**
 * Ends the Jobs of other releases of which no process was started, for want of an image, a node or a quota, say: they do
 * nothing yet, and `release` need not wait for them. What has begun is left to end by itself. A look at each first.
 */
export async function endUnbegun(ctx: Ctx, release: AppRelease, seen: ActionJobs): Promise<void> {
  for (const job of otherJobs(release, seen)) {
    if (taskOfJob(job) !== '' || hasBegun(job, seen)) continue
    await endJob(ctx, job, async () => {
      const live = await ctx.target.kube.getLive(jobType, refOf(job))
      const latest = jobDigest(live ?? job)
      return live !== undefined && !latest.hasBegun && isUnderWay({ ...job, ...latest })
    })
  }
}

/** Ends a Job if `mayGo`, a live look, says so. One that may not be deleted is told of in the log. Throws a KubeError. */
export async function endJob(
  { target, now, log }: Ctx,
  job: ObservedJob,
  mayGo: () => Promise<boolean>,
): Promise<void> {
  const fights = fightsOf(target.cache)
  const removal = removalOf(jobType, job)
  if (job.metadata.deletionTimestamp || refusalAgainst(fights, removal, now.getTime())) return
  try {
    if (await mayGo()) await target.kube.delete(jobType, refOf(job), job.metadata.uid ?? '')
  } catch (error) {
    const { retryAfterSeconds } = refusedBy(fights, removal, error, now.getTime())
    log.warn({ err: error, retryAfterSeconds }, 'Waiting for a Job that may not be deleted')
  }
}

/** Of an Event: that it is told beside the Job, too, if that is there. */
export function besideJob(child: ObservedJob | undefined): Pick<EventRecord, 'child'> {
  return child ? { child } : {}
}

/** The status of a Job follows its pods: between two of its counts one that has ended is in none. */
function hasBegun(job: ObservedJob, { jobPods }: ActionJobs): boolean {
  return job.hasBegun || jobPods.some(({ run, phase }) => run?.job === job.metadata.name && phase !== 'Pending')
}

/** actions of the status of an instance whose newest release this is. */
export function actionsOf(release: AppRelease | undefined): Pick<AppInstanceStatus, 'actions'> {
  const actions = release?.status?.actions ?? []
  return actions.length > 0 ? { actions } : {}
}

/** The actions after the roll-out that failed: the release stays, and so does what they did. */
export function failuresAfter(seen: ActionJobs, release: AppRelease): ActionRecord[] {
  return sightsAfter(release, seen).flatMap(({ record }) => (record?.state === 'Failed' ? [record] : []))
}

/** An Event for each of them, once; of those before the roll-out Ready tells. */
export function actionEvents(seen: Observed, release: AppRelease | undefined): EventRecord[] {
  const isTold = new Set(
    (seen.instance.status?.actions ?? []).filter(({ state }) => state === 'Failed').map(({ job }) => job),
  )
  return (release ? failuresAfter(seen, release) : [])
    .filter(({ job }) => !isTold.has(job))
    .map(({ message = '', job }) => ({
      ...besideJob(seen.jobs.find(({ metadata }) => metadata.name === job)),
      type: 'Warning',
      reason: 'ActionFailed',
      action: 'Deploying',
      message: `After the roll-out of release ${release?.metadata.name}: ${message}.`,
    }))
}
