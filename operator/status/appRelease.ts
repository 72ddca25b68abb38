import type { AppRelease } from '../api/appRelease.ts'
import type { Condition } from '../api/conditions.ts'
import { conditionOf } from './conditions.ts'
import type { PendingAction } from './actions.ts'
import type { Verdict } from './conditions.ts'
import type { Cause } from './pods.ts'
import type { ServiceRollout } from './rollout.ts'

/** Whether a release was rolled out completely, once and so for good. */
export function hasSucceeded(release: AppRelease): boolean {
  return succeededOf(release)?.status === 'True'
}

/**
 * Whether a release has failed: its roll-out missed a deadline, or what comes before it went wrong. It is for good where
 * a good release was there to be restored (isDecided); where there was none, it stays and may be completed after all.
 */
export function hasFailed(release: AppRelease): boolean {
  const succeeded = succeededOf(release)
  return succeeded?.status === 'False' && succeeded.reason !== 'Superseded'
}

/** Whether what was said of a release is the last word. In: the release, all releases of its instance. */
export function isDecided(release: AppRelease, releases: readonly AppRelease[]): boolean {
  if (hasFailed(release)) return releases.some((each) => isNewer(each, release) || hasSucceeded(each))
  return succeededOf(release)?.status === 'True' || succeededOf(release)?.reason === 'Superseded'
}

/**
 * The release that is to run: the newest; when that failed, the newest good one. Without a good one there is nothing to
 * restore, and what is there stays. In: an instance's releases, newest first. Out: undefined before the first.
 */
export function releaseToRun(releases: readonly AppRelease[]): AppRelease | undefined {
  const [newest] = releases
  return newest && hasFailed(newest) ? (releases.find(hasSucceeded) ?? newest) : newest
}

/**
 * Since when a deadline that a Deployment missed was missed by this release: what was missed earlier, another one did.
 * In: the release that runs, the releases of its instance, newest first. Out: RFC 3339; '' when nothing says.
 */
export function onDutySince(release: AppRelease, releases: readonly AppRelease[]): string {
  const [newest] = releases
  const isRestored = newest !== undefined && isNewer(newest, release) && hasFailed(newest)
  return (isRestored ? succeededOf(newest)?.lastTransitionTime : release.metadata.creationTimestamp) ?? ''
}

/**
 * How a release went.
 * In: the release, all releases of its instance, how far its services are, why a service is not ready as far as is
 * known, the action it waits for before its roll-out. Out: the verdict for its condition Succeeded. Pure.
 */
export function releaseVerdict(
  release: AppRelease,
  releases: readonly AppRelease[],
  rollout: readonly ServiceRollout[],
  causeOf: (late: ServiceRollout) => Cause | undefined,
  action?: PendingAction,
): Verdict {
  const isComplete = rollout.every((row) => row.isComplete)
  const before = succeededOf(release)
  // The Deployment begins to count anew with each replica that is made again; the deadline was missed all the same.
  if (before && hasFailed(release) && (!isComplete || isDecided(release, releases))) return verdictOf(before)
  const newer = releases.find((each) => isNewer(each, release))
  if (newer) {
    const message = `Release ${newer.metadata.name} took its place before it was rolled out.`
    return { status: 'False', reason: 'Superseded', message }
  }
  if (action) {
    return action.isFailed
      ? { status: 'False', reason: 'ActionFailed', message: `${action.message}.` }
      : { status: 'Unknown', reason: 'RunningActions', message: 'Actions run before any replica changes.' }
  }
  if (isComplete) return { status: 'True', reason: 'RolledOut', message: 'All services are rolled out and ready.' }
  const late = rollout.find((row) => row.isDeadlineExceeded)
  if (late) return lateVerdict(late, causeOf(late))
  const waiting = rollout.find((row) => !row.isComplete)?.service.name ?? ''
  return { status: 'Unknown', reason: 'RollingOut', message: `Service '${waiting}' is not rolled out yet.` }
}

/** The cause as it was when time was up: what is told of the failure afterwards is this. */
function lateVerdict({ service }: ServiceRollout, cause: Cause | undefined): Verdict {
  const { progressDeadlineSeconds } = service.rollout
  const why = cause ? `: ${cause.message}` : ''
  return {
    status: 'False',
    reason: cause?.reason ?? 'RolloutDeadlineExceeded',
    message: `Service '${service.name}' did not become ready within ${progressDeadlineSeconds} seconds${why}.`,
  }
}

function isNewer(each: AppRelease, release: AppRelease): boolean {
  return each.spec.instanceUid === release.spec.instanceUid && each.spec.number > release.spec.number
}

function succeededOf(release: AppRelease): Condition | undefined {
  return conditionOf(release.status?.conditions, 'Succeeded')
}

/** The conditions are our own: they have no other reasons. */
function verdictOf({ status, reason, message }: Condition): Verdict {
  return { status, reason: reason as Verdict['reason'], message }
}
