import type { AppRelease } from '../api/appRelease.ts'
import {
  deploymentType,
  horizontalPodAutoscalerType,
  persistentVolumeClaimType,
  resourceQuotaType,
  roleBindingType,
} from '../api/builtin.ts'
import { labels } from '../api/meta.ts'
import { hashedOnce } from '../apply/digest.ts'
import type { Fights } from '../apply/fights.ts'
import { identityOf } from '../apply/fights.ts'
import { makeDeployment } from '../render/deployment.ts'
import type { Owner } from '../render/labels.ts'
import type { Desired } from '../render/plan.ts'
import type { RunningService } from '../api/service/resolvedService.ts'
import type { Reader } from '../runtime/controller.ts'
import { eventType } from '../runtime/events.ts'
import { hasSucceeded, onDutySince } from '../status/appRelease.ts'
import type { ObservedAutoscaler, ObservedDeployment, ObservedProbe } from '../status/observed.ts'
import type { ServiceRollout } from '../status/rollout.ts'
import { rolloutOf } from '../status/rollout.ts'

/** The Deployments made for an instance, by the name of their service. */
export function deploymentsOf(cache: Reader, instance: string): ReadonlyMap<string, ObservedDeployment> {
  const deployments = cache
    .byIndex<ObservedDeployment>(deploymentType, 'namespace', instance)
    .filter(({ metadata }) => metadata.labels?.[labels.instance] === instance)
  return new Map(deployments.map((deployment) => [deployment.metadata.name, deployment]))
}

/** The bounds of the autoscalers made for an instance by the name of their service; undefined of those that another changed. */
export function boundsOf(cache: Reader, instance: string): ReadonlyMap<string, ObservedAutoscaler['bounds']> {
  const autoscalers = cache
    .byIndex<ObservedAutoscaler>(horizontalPodAutoscalerType, 'namespace', instance)
    .filter(({ metadata }) => metadata.labels?.[labels.instance] === instance)
  return new Map(autoscalers.map(({ metadata, bounds }) => [metadata.name, bounds]))
}

/** The failing probes of pods in a namespace. */
export function probesOf(cache: Reader, namespace: string): readonly ObservedProbe[] {
  return cache.byIndex<ObservedProbe>(eventType, 'namespace', namespace)
}

/** What of an instance is rendered from more than its release. */
const renderedFromMore: readonly string[] = [
  horizontalPodAutoscalerType.kind,
  persistentVolumeClaimType.kind,
  roleBindingType.kind,
  resourceQuotaType.kind,
]

/**
 * Lets what a release renders be hashed once. Its spec never changes, and names the instance, whose app and env never do;
 * the namespace, the volumes' claims, who has access, the quota and an autoscaler's bounds depend on more, a Deployment on the
 * number that counts now.
 * Out: the object.
 */
export function hashOnce(release: AppRelease, desired: Desired): Desired {
  const { namespaced, kind } = desired.type
  if (namespaced && !renderedFromMore.includes(kind))
    hashedOnce(release.spec, `${identityOf(desired)}${numberOf(desired)}`, desired.object)
  return desired
}

function numberOf({ type, object }: Desired): string {
  if (type !== deploymentType) return ''
  return ` ${(object as { spec?: { replicas?: number } }).spec?.replicas}`
}

/**
 * How far each service of a release is, judged by the Deployments that the release renders, or that the API server is
 * known to make of them.
 * In: for whom and what is rendered, once, with the services as they are to run now; the releases of the instance, newest
 * first; the Deployments as they are, by name; what is known of our writes. Out: what tells one row a service; what it
 * tells may change between two calls, by what is learnt from a write in between.
 */
export function followRollout(
  owner: Owner,
  { release, services }: { readonly release: AppRelease; readonly services: readonly RunningService[] },
  releases: readonly AppRelease[],
  deployments: ReadonlyMap<string, ObservedDeployment>,
  fights: Fights,
): () => ServiceRollout[] {
  const desired = new Map(services.map((service) => [service.name, hashOnce(release, makeDeployment(owner, service))]))
  const isCurrent = ({ metadata: { name, uid = '' }, digest }: ObservedDeployment): boolean => {
    const wanted = desired.get(name)
    return wanted !== undefined && fights.isAsDesired(wanted, uid, digest)
  }
  const since = onDutySince(release, releases)
  const isNewest = releases.every(({ spec }) => spec.number <= release.spec.number)
  return () =>
    rolloutOf(services, deployments, isCurrent, {
      wasComplete: hasSucceeded(release) && isNewest,
      onDutySince: since,
    })
}
