import type { AppRelease } from '../api/appRelease.ts'
import { deploymentType } from '../api/builtin.ts'
import { labels } from '../api/meta.ts'
import { isAsDesired } from '../apply/execute.ts'
import { makeDeployment } from '../render/deployment.ts'
import type { Owner } from '../render/labels.ts'
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

/** How far each service of a release is, judged by the Deployments that the release renders. */
export function rolloutIn(
  owner: Owner,
  release: AppRelease,
  deployments: ReadonlyMap<string, ObservedDeployment>,
): ServiceRollout[] {
  const desired = new Map(release.spec.services.map((service) => [service.name, makeDeployment(owner, service)]))
  const isCurrent = (deployment: ObservedDeployment): boolean => {
    const wanted = desired.get(deployment.metadata.name)
    return wanted !== undefined && isAsDesired(wanted, deployment.digest)
  }
  return rolloutOf(release.spec.services, deployments, isCurrent, hasSucceeded(release))
}
