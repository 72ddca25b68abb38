import type { ResolvedService } from '../api/service/resolvedService.ts'
import { claimCause, type Storage } from './claims.ts'
import type { ObservedDeployment, ObservedPod } from './observed.ts'
import type { Cause } from './pods.ts'
import { worstCause } from './pods.ts'

/** What there is in an instance's namespace, and the classes its volumes are made of. */
export interface Surroundings extends Storage {
  readonly pods: readonly ObservedPod[]
  /** By name. */
  readonly deployments: ReadonlyMap<string, ObservedDeployment>
}

/**
 * Why a service is not as declared: the worst of its pods, else a claim without a volume (which is why there is no node
 * for them), else that no pod may be made at all; undefined when nothing is known.
 */
export function serviceCause(
  service: ResolvedService,
  namespace: string,
  { pods, deployments, ...storage }: Surroundings,
): Cause | undefined {
  const refusal = deployments.get(service.name)?.refusal
  const own = pods.filter((pod) => pod.service === service.name)
  const ofPods = worstCause(own)
  if (ofPods && ofPods.reason !== 'Unschedulable') return ofPods
  const ofClaims = claimCause(service, own, namespace, storage)
  if (ofClaims ?? ofPods) return ofClaims ?? ofPods
  return refusal ? { reason: 'Forbidden', message: `no replica can be made: ${refusal}` } : undefined
}
