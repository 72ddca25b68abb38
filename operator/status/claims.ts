import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { ObservedClaim, ObservedPod, ObservedStorageClass } from './observed.ts'
import type { Cause } from './pods.ts'
import { compareCauses } from './pods.ts'

/** What there is in the cluster and in an instance's namespace. */
export interface Storage {
  /** By name. */
  readonly claims: ReadonlyMap<string, ObservedClaim>
  readonly storageClasses: readonly ObservedStorageClass[]
}

/** What the scheduler says of volumes, and not of CPU, memory or taints. */
const ofVolumes = /persistent ?volume/i

/**
 * Why a service cannot start for want of a volume.
 * In: the service as released, its pods, the claims. Out: the worst claim in the way, what is wrong with it and the
 * command that tells more; undefined when none is, or all its pods are ready.
 */
export function claimCause(
  { volumes = [] }: ResolvedService,
  pods: readonly ObservedPod[],
  namespace: string,
  { claims, storageClasses }: Storage,
): Cause | undefined {
  if (pods.length > 0 && pods.every(({ isReady }) => isReady)) return undefined
  const causes = volumes.map((volume) => {
    const claim = claims.get(volume.claim)
    return claim ? unbound(claim, pods, storageClasses) : missing(volume, namespace, claims)
  })
  return causes.toSorted(compareCauses)[0]
}

function missing(
  { name, claim, made }: NonNullable<ResolvedService['volumes']>[number],
  namespace: string,
  claims: Storage['claims'],
): Cause | undefined {
  if (made) return undefined
  const known =
    claims.size === 0 ? 'there is none' : `there are: ${[...claims.keys()].toSorted().slice(0, 5).join(', ')}`
  return {
    reason: 'ClaimNotFound',
    message: `volume '${name}' mounts the PersistentVolumeClaim '${claim}', which namespace '${namespace}' lacks (${known})`,
    command: `kubectl get pvc -n ${namespace}`,
  }
}

function unbound(
  claim: ObservedClaim,
  pods: readonly ObservedPod[],
  classes: readonly ObservedStorageClass[],
): Cause | undefined {
  const why = whyUnbound(claim, pods, classes)
  if (why === undefined) return undefined
  const { name, namespace } = claim.metadata
  const of = claim.storageClass === '' ? '' : ` (storage class '${claim.storageClass}')`
  return {
    reason: 'ClaimUnbound',
    message: `claim '${name}'${of} is not bound: ${why}`,
    command: `kubectl describe pvc ${name} -n ${namespace}`,
  }
}

function whyUnbound(
  { phase, storageClass, hasNode }: ObservedClaim,
  pods: readonly ObservedPod[],
  classes: readonly ObservedStorageClass[],
): string | undefined {
  if (phase === 'Bound') return undefined
  if (phase === 'Lost') return 'its volume is gone'
  if (storageClass === '') return 'it has no storage class, and the cluster has no default one'
  const known = classes.find(({ metadata }) => metadata.name === storageClass)
  if (!known) return `no StorageClass '${storageClass}' makes volumes, and none made by hand fits; ${listed(classes)}`
  if (!known.waitsForConsumer) return 'no volume was made for it, and none that is there fits'
  const scheduler = pods.map(({ unschedulable }) => unschedulable).find((message) => ofVolumes.test(message))
  if (scheduler !== undefined) return scheduler
  return hasNode ? 'its volume is still being made' : undefined
}

function listed(classes: readonly ObservedStorageClass[]): string {
  const names = classes.map(({ metadata }) => metadata.name).toSorted()
  return names.length === 0 ? 'the cluster has no StorageClass' : `there are: ${names.slice(0, 5).join(', ')}`
}
