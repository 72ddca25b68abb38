import type { AppRelease } from '../../api/appRelease.ts'
import { desiredDigest } from '../../apply/digest.ts'
import type { Standing } from '../../apply/execute.ts'
import { identityOf, type Fights } from '../../apply/fights.ts'
import type { Desired, Plan } from '../../render/plan.ts'
import type { Change } from '../../render/release.ts'
import { asksForRelease, changesBetween, makeRelease } from '../../render/release.ts'
import { ownerOf, renderInstance } from '../../render/appInstance.ts'
import { hasSucceeded } from '../../status/appRelease.ts'
import type { ServiceRollout } from '../../status/rollout.ts'
import { hashOnce } from '../rollout.ts'
import type { Objection } from './gates.ts'
import { firstObjection } from './gates.ts'
import type { Observed } from './observe.ts'

/** What is to be done about an instance, before anything is written. */
export interface Decision {
  readonly objection: Objection | undefined
  /** Accepted changes that wait for the next deployment. */
  readonly changes: readonly Change[]
  /** The release to make; undefined when the newest one says what is declared. */
  readonly next: AppRelease | undefined
}

/** Decides by what was observed alone. Pure: the reconciler, the golden tests and previews are this one function. */
export function decide(seen: Observed): Decision {
  const objection = firstObjection(seen)
  const { instance, wanted, revision, releases } = seen
  if (objection || !wanted || !revision) return { objection, changes: [], next: undefined }
  const [newest] = releases
  const declared = { services: wanted.services, stackRevision: revision.metadata.name }
  const changes = newest ? changesBetween(newest, declared) : []
  return !newest || asksForRelease(changes)
    ? { objection, changes: [], next: makeRelease(instance, declared, newest) }
    : { objection, changes, next: undefined }
}

/** What should exist when `release` runs. Pure. */
export function planOf({ instance, projectUid, hubUid, releases }: Observed, release: AppRelease): Plan {
  const claim = { instanceUid: instance.metadata.uid ?? '', projectUid, hubUid }
  const plan = renderInstance({ owner: ownerOf(instance), claim, release, kept: releases })
  for (const { objects } of plan.stages) for (const desired of objects) hashOnce(release, desired)
  return plan
}

/** What the plan of `release` is applied by, besides what was observed: who waits for whom, and what was tried before. */
export function standingOf(
  seen: Observed,
  release: AppRelease,
  rollout: () => readonly ServiceRollout[],
  fights: Fights,
  now: Date,
): Standing {
  return {
    fights,
    now,
    of: release.metadata.uid ?? '',
    wasInPlace: inPlaceBefore(seen, release),
    // Asked anew each time: a write of this very reconcile may have shown what the API server makes of a Deployment.
    isRolledOut: (name) => rollout().some(({ service, isComplete }) => service.name === name && isComplete),
  }
}

/**
 * Tells of what `release` renders whether it was in place once: with that release, or with the last good one before it
 * when each since has rendered it so.
 */
function inPlaceBefore(seen: Observed, release: AppRelease): (desired: Desired) => boolean {
  if (hasSucceeded(release)) return () => true
  const good = seen.releases.findIndex(hasSucceeded)
  // What is asked about is rendered by `release` itself.
  const since = seen.releases.slice(0, good + 1).filter((each) => each !== release)
  let known: readonly ReadonlyMap<string, string>[] | undefined
  return (desired) => {
    known ??= since.map((each) => digestsOf(planOf(seen, each)))
    const digest = desiredDigest(desired.object)
    return known.length > 0 && known.every((digests) => digests.get(identityOf(desired)) === digest)
  }
}

function digestsOf({ stages }: Plan): ReadonlyMap<string, string> {
  const objects = stages.flatMap((stage) => stage.objects)
  return new Map(objects.map((desired) => [identityOf(desired), desiredDigest(desired.object)]))
}

/**
 * Whether the plan may be applied. What ran, runs and is repaired while something is missing or invalid; nothing is
 * touched in a namespace that is not ours or is going away, nor what a newer operator rendered in a way we do not know.
 */
export function mayApply({ namespace }: Observed, objection: Objection | undefined): boolean {
  const isKnown = objection?.kind !== 'failed' && objection?.reason !== 'ReleaseFromNewerOperator'
  return isKnown && !namespace?.metadata.deletionTimestamp
}
