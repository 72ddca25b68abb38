import { labels } from '../../api/meta.ts'
import { compareQuantities } from '../../api/quantity.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'
import { volumeField } from '../../render/resolve/volumeObjections.ts'
import type { ObservedClaim } from '../../status/observed.ts'
import type { Outcome } from '../../runtime/outcome.ts'
import type { Observed } from './observe.ts'

type Objection = Extract<Outcome, { kind: 'invalid' }>
type Volume = NonNullable<ResolvedService['volumes']>[number]

/** A volume as it is wanted, beside the claim that is there. */
interface Pair {
  /** Its path in the services of the stack. */
  readonly path: string
  readonly volume: Volume
  readonly claim: ObservedClaim
  /** The volume of that claim in the newest release. */
  readonly released: Volume | undefined
}

type Check = (pair: Pair, seen: Observed) => Objection | undefined

const checks: readonly Check[] = [isOfThisVolume, keepsItsAccessMode, keepsItsClass, doesNotShrink, mayGrow]

/** The API server lets nobody change what a claim is, but for more size: said before a release asks for it. */
export function volumesFitTheirClaims(seen: Observed): Objection | undefined {
  const released = volumesOf(seen.releases[0]?.spec.services)
  for (const { service, volume } of volumesOf(seen.wanted?.services)) {
    const claim = seen.claims.get(volume.claim)
    if (!claim) continue
    const before = released.find((each) => each.volume.claim === volume.claim)?.volume
    const pair = { path: volumeField(service, volume.name), volume, claim, released: before }
    for (const check of checks) {
      const objection = check(pair, seen)
      if (objection) return objection
    }
  }
  return undefined
}

function volumesOf(services: readonly ResolvedService[] = []): { service: string; volume: Volume }[] {
  return services.flatMap(({ name, volumes = [] }) => volumes.map((volume) => ({ service: name, volume })))
}

function isOfThisVolume({ path, volume, claim }: Pair, { instance }: Observed): Objection | undefined {
  const { [labels.instance]: owner, [labels.service]: service } = claim.metadata.labels ?? {}
  if (!volume.made || (owner === instance.metadata.name && service === volume.made.service)) return undefined
  const whose = owner === instance.metadata.name ? `of service '${service}'` : 'made by others'
  return {
    kind: 'invalid',
    reason: 'VolumeConflict',
    field: `${path}.name`,
    message: `${path} needs the claim '${volume.claim}', but the one of that name is ${whose}: give the volume another name, or mount it with existingClaim: ${volume.claim}`,
  }
}

function keepsItsAccessMode({ path, volume, claim }: Pair): Objection | undefined {
  if (claim.accessModes.includes(volume.accessMode)) return undefined
  return immutable(`${path}.accessMode`, volume.accessMode, claim, claim.accessModes.join(', '))
}

function keepsItsClass({ path, volume: { made }, claim, released }: Pair): Objection | undefined {
  const wanted = made?.storageClassName ?? released?.made?.storageClassName
  const isDropped = made?.storageClassName === undefined && wanted !== undefined
  if (!made || (!isDropped && (wanted === undefined || wanted === claim.storageClass))) return undefined
  return immutable(`${path}.storageClassName`, isDropped ? 'not set any more' : wanted, claim, claim.storageClass)
}

function immutable(field: string, wanted: string, { metadata }: ObservedClaim, is: string): Objection {
  return {
    kind: 'invalid',
    reason: 'VolumeImmutable',
    field,
    message: `${field} is ${wanted}, but claim '${metadata.name}' has ${is || 'none'}, which nobody can change: put ${is || 'none'}, or move the data to a volume of another name`,
  }
}

/** Grown by others while the declared size stayed as it was released: that is left so. */
function doesNotShrink({ path, volume: { made }, claim, released }: Pair): Objection | undefined {
  if (!made || compareQuantities(made.size, claim.size) >= 0 || released?.made?.size === made.size) return undefined
  return {
    kind: 'invalid',
    reason: 'VolumeShrunk',
    field: `${path}.size`,
    message: `${path}.size is ${made.size}, but claim '${claim.metadata.name}' has ${claim.size} and cannot shrink: put ${claim.size} or more`,
  }
}

const classRetrySeconds = 30

function mayGrow({ path, volume: { made }, claim }: Pair, { storageClasses }: Observed): Objection | undefined {
  const known = storageClasses.find(({ metadata }) => metadata.name === claim.storageClass)
  if (!made || known?.allowsGrowth !== false || compareQuantities(made.size, claim.size) <= 0) return undefined
  return {
    kind: 'invalid',
    reason: 'VolumeImmutable',
    field: `${path}.size`,
    message: `${path}.size is ${made.size}, but claim '${claim.metadata.name}' has ${claim.size}, and its StorageClass '${claim.storageClass}' does not let volumes grow (allowVolumeExpansion): put ${claim.size}, or have the class changed`,
    retryAfterSeconds: classRetrySeconds,
  }
}
