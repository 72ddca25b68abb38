import type { AppRelease } from '../../api/appRelease.ts'
import { fightsOf, type Fights } from '../../apply/fights.ts'
import { ownerOf } from '../../render/appInstance.ts'
import type { Reader } from '../../runtime/controller.ts'
import { releaseToRun } from '../../status/appRelease.ts'
import type { ServiceRollout } from '../../status/rollout.ts'
import { followRollout } from '../rollout.ts'
import { runningOf } from './decide.ts'
import type { Observed } from './observe.ts'
import type { Findings } from './report.ts'

/** How far the services of an instance are. */

/** Of this release: asked anew each time, since a write may have shown what the API server makes of a Deployment. */
export function followInstance(seen: Observed, release: AppRelease, fights: Fights): () => readonly ServiceRollout[] {
  const { instance, releases, deployments } = seen
  const running = { release, services: runningOf(seen, release) }
  return followRollout(ownerOf(instance), running, releases, deployments, fights)
}

/** The release that should run, and how its services stand, of an instance that is not worked on. */
export function asItRuns(cache: Reader, seen: Observed): Pick<Findings, 'release' | 'rollout'> {
  const release = releaseToRun(seen.releases)
  return { release, rollout: release ? followInstance(seen, release, fightsOf(cache))() : [] }
}
