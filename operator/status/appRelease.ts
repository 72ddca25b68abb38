import type { AppRelease } from '../api/appRelease.ts'
import { conditionOf } from './conditions.ts'
import type { Verdict } from './conditions.ts'
import type { ServiceRollout } from './rollout.ts'

/** Whether a release was rolled out completely, once and so for good. */
export function hasSucceeded(release: AppRelease): boolean {
  return conditionOf(release.status?.conditions, 'Succeeded')?.status === 'True'
}

/**
 * How a release went.
 * In: the release, all releases of its name's instance, how far its services are. Out: the verdict for its condition
 * Succeeded. Pure.
 */
export function releaseVerdict(
  release: AppRelease,
  releases: readonly AppRelease[],
  rollout: readonly ServiceRollout[],
): Verdict {
  const newer = releases.find(
    ({ spec }) => spec.instanceUid === release.spec.instanceUid && spec.number > release.spec.number,
  )
  if (newer) {
    const message = `Release ${newer.metadata.name} took its place before it was rolled out.`
    return { status: 'False', reason: 'Superseded', message }
  }
  if (rollout.every(({ isComplete }) => isComplete)) {
    return { status: 'True', reason: 'RolledOut', message: 'All services are rolled out and ready.' }
  }
  const before = conditionOf(release.status?.conditions, 'Succeeded')
  if (before?.reason === 'RolloutDeadlineExceeded') {
    // The Deployment begins to count anew with each replica that is made again; the deadline was missed all the same.
    return { status: 'False', reason: 'RolloutDeadlineExceeded', message: before.message }
  }
  const late = rollout.find(({ isDeadlineExceeded }) => isDeadlineExceeded)
  if (late) {
    const message = `Service '${late.service.name}' did not become ready within ${late.service.rollout.progressDeadlineSeconds} seconds.`
    return { status: 'False', reason: 'RolloutDeadlineExceeded', message }
  }
  const waiting = rollout.find(({ isComplete }) => !isComplete)?.service.name ?? ''
  return { status: 'Unknown', reason: 'RollingOut', message: `Service '${waiting}' is not rolled out yet.` }
}
