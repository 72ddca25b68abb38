import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { ObservedClaim, ObservedPod, ObservedStorageClass } from './observed.ts'
import type { Cause } from './pods.ts'
import { compareCauses } from './pods.ts'

/** What there is in the cluster and in an instance's namespace. */
export interface Storage {
  /** By name. */
  readonly claims: ReadonlyMap<string, ObservedClaim>
  readonly storageClasses: readonly ObservedStorageClass[]
  /** Of claims that were made just now: for how many seconds more they may be without a volume, by name. */
  readonly early: ReadonlyMap<string, number>
}

/** What the scheduler says of volumes, and not of CPU, memory or taints. */
const ofVolumes = /persistent ?volume/i
/** Of claims that should have been bound before any pod was there. */
const ofImmediate = /unbound immediate PersistentVolumeClaims/
/** Of those for which it looked itself. */
const ofNoneThatFits = /find available persistent volumes to bind/

/**
 * Most volumes are made within some seconds, and nobody is to be alarmed by that. It is the shortest deadline that a
 * roll-out can have: one that misses it is told the cause.
 */
const makingSeconds = 10

/** Which claims are without a volume and were made just now. A clock that is wrong by more than that makes none early. */
export function earlyClaims(claims: readonly ObservedClaim[], now: Date): Storage['early'] {
  const pending = claims.filter(({ phase }) => phase === 'Pending')
  const left = pending.map(({ metadata: { name }, createdAt }) => {
    const age = Math.abs(now.getTime() - Date.parse(createdAt)) / 1000
    return [name, makingSeconds - age] as const
  })
  return new Map(left.filter(([, seconds]) => seconds > 0))
}

/**
 * Whether what the scheduler says of a pod is for claimCause to tell: it has better words for claims without a volume,
 * and the scheduler looks again once they are bound. Of a service without volumes nobody else could tell it.
 */
export function isOfClaims({ volumes = [] }: ResolvedService, { unschedulable }: ObservedPod): boolean {
  return volumes.length > 0 && (ofImmediate.test(unschedulable) || ofNoneThatFits.test(unschedulable))
}

/**
 * Why a service cannot start for want of a volume.
 * In: the service as released, its pods, the claims. Out: the worst claim in the way, what is wrong with it and the
 * command that tells more; undefined when none is, or all its pods are ready.
 */
export function claimCause(
  { volumes = [] }: ResolvedService,
  pods: readonly ObservedPod[],
  namespace: string,
  storage: Storage,
): Cause | undefined {
  if (pods.length > 0 && pods.every(({ isReady }) => isReady)) return undefined
  const causes = volumes.map((volume) => {
    const claim = storage.claims.get(volume.claim)
    return claim ? unbound(claim, pods, storage) : missing(volume, namespace, storage.claims)
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

function unbound(claim: ObservedClaim, pods: readonly ObservedPod[], storage: Storage): Cause | undefined {
  const why = whyUnbound(claim, pods, storage)
  if (why === undefined) return undefined
  const { name, namespace } = claim.metadata
  const of = claim.storageClass === '' ? '' : ` (storage class '${claim.storageClass}')`
  return {
    reason: 'ClaimUnbound',
    message: `claim '${name}'${of} is not bound: ${why}`,
    command: `kubectl describe pvc ${name} -n ${namespace}`,
    child: claim,
  }
}

function whyUnbound(
  { metadata: { name }, phase, storageClass, hasNode }: ObservedClaim,
  pods: readonly ObservedPod[],
  { storageClasses: classes, early }: Storage,
): string | undefined {
  if (phase === 'Bound') return undefined
  if (phase === 'Lost') return 'its volume is gone'
  if (storageClass === '') return 'it has no storage class, and the cluster has no default one'
  const known = classes.find((each) => each.metadata.name === storageClass)
  if (!known) return `no StorageClass '${storageClass}' makes volumes, and none made by hand fits; ${listed(classes)}`
  const isEarly = early.has(name)
  if (!known.waitsForConsumer) return isEarly ? undefined : 'no volume was made for it, and none that is there fits'
  const said = pods.map(({ unschedulable }) => unschedulable)
  const scheduler = said.find((message) => ofVolumes.test(message) && !ofImmediate.test(message))
  if (scheduler !== undefined) return scheduler
  return hasNode && !isEarly ? 'no volume was made for it yet' : undefined
}

function listed(classes: readonly ObservedStorageClass[]): string {
  const names = classes.map(({ metadata }) => metadata.name).toSorted()
  return names.length === 0 ? 'the cluster has no StorageClass' : `there are: ${names.slice(0, 5).join(', ')}`
}
