import type { ResolvedService } from '../api/service/resolvedService.ts'
import { claimCause, isOfClaims, type Storage } from './claims.ts'
import { probeCause } from './health.ts'
import type { ObservedDeployment, ObservedPod, ObservedProbe } from './observed.ts'
import type { Cause } from './pods.ts'
import { compareCauses, worstCause } from './pods.ts'
import { commandForRule, withoutName } from './rules.ts'

/** What there is in an instance's namespace, and the classes its volumes are made of. */
export interface Surroundings extends Storage {
  readonly pods: readonly ObservedPod[]
  /** By name. */
  readonly deployments: ReadonlyMap<string, ObservedDeployment>
  /** Those that fail. */
  readonly probes: readonly ObservedProbe[]
}

/**
 * Why a service is not as declared: the worst of what is wrong with its pods, a claim without a volume (which is why there
 * is no node for them), and that no pod may be made at all; undefined when nothing is known.
 */
export function serviceCause(
  service: ResolvedService,
  namespace: string,
  { pods, deployments, probes, ...storage }: Surroundings,
): Cause | undefined {
  const own = newestPods(service, pods, deployments)
  const others = own.filter((pod) => !isOfClaims(service, pod))
  const causes = [
    worstCause(others, (pod) => probeCause(service, pod, probes), service.resources.limits?.memory),
    claimCause(service, own, namespace, storage),
    refusalCause(deployments.get(service.name)?.refusal ?? '', namespace),
  ]
  return causes.toSorted(compareCauses)[0]
}

/** The pods of a service, without those of a template that was replaced: they may fail for what has been put right. */
export function newestPods(
  { name }: ResolvedService,
  pods: readonly ObservedPod[],
  deployments: Surroundings['deployments'],
): ObservedPod[] {
  const { replicaSet = '' } = deployments.get(name) ?? {}
  const isNewest = ({ template }: ObservedPod): boolean => replicaSet === '' || replicaSet.endsWith(`-${template}`)
  return pods.filter((pod) => pod.service === name && isNewest(pod))
}

function refusalCause(refusal: string, namespace: string): Cause | undefined {
  // A quota counts nothing yet in its first moment; the controller tries again.
  if (refusal === '' || refusal.includes('status unknown for quota')) return undefined
  const command = commandForRule(refusal, namespace)
  const message = `no replica can be made: ${withoutName(refusal)}`
  return { reason: 'Forbidden', message, ...(command !== '' && { command }) }
}
