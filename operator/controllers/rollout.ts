import type { AppRelease } from '../api/appRelease.ts'
import { deploymentType } from '../api/builtin.ts'
import { labels } from '../api/meta.ts'
import { hashedOnce } from '../apply/digest.ts'
import type { Fights } from '../apply/fights.ts'
import { identityOf } from '../apply/fights.ts'
import { makeDeployment } from '../render/deployment.ts'
import type { Owner } from '../render/labels.ts'
import type { Desired } from '../render/plan.ts'
import type { Reader } from '../runtime/controller.ts'
import { hasSucceeded } from '../status/appRelease.ts'
import type { ObservedDeployment } from '../status/observed.ts'
import type { ServiceRollout } from '../status/rollout.ts'
import { rolloutOf } from '../status/rollout.ts'

/** The Deployments made for an instance, by the name of their service. */
export function deploymentsOf(cache: Reader, instance: string): ReadonlyMap<string, ObservedDeployment> {
  const deployments = cache
    .byIndex<ObservedDeployment>(deploymentType, 'namespace', instance)
    .filter(({ metadata }) => metadata.labels?.[labels.instance] === instance)
  return new Map(deployments.map((deployment) => [deployment.metadata.name, deployment]))
}

/**
 * Lets what a release renders be hashed once. Its spec never changes, and names the instance, whose app and env never do;
 * the namespace depends on more. Out: the object.
 */
export function hashOnce(release: AppRelease, desired: Desired): Desired {
  if (desired.type.namespaced) hashedOnce(release.spec, identityOf(desired), desired.object)
  return desired
}

/**
 * How far each service of a release is, judged by the Deployments that the release renders, or that the API server is
 * known to make of them.
 */
export function rolloutIn(
  owner: Owner,
  release: AppRelease,
  deployments: ReadonlyMap<string, ObservedDeployment>,
  fights: Fights,
): ServiceRollout[] {
  const desired = new Map(
    release.spec.services.map((service) => [service.name, hashOnce(release, makeDeployment(owner, service))]),
  )
  const isCurrent = (deployment: ObservedDeployment): boolean => {
    const wanted = desired.get(deployment.metadata.name)
    return wanted !== undefined && fights.isAsDesired(wanted, deployment.metadata.uid ?? '', deployment.digest)
  }
  return rolloutOf(release.spec.services, deployments, isCurrent, hasSucceeded(release))
}
