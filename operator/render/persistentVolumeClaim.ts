import { apiVersionOf, persistentVolumeClaimType } from '../api/builtin.ts'
import { compareQuantities } from '../api/quantity.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { serviceLabels } from './labels.ts'
import type { Desired } from './plan.ts'
import { canonicalQuantity } from './quantity.ts'

type Volume = NonNullable<ResolvedService['volumes']>[number]

/** What a claim that is there says of itself, as far as it bears on what may be asked of it. */
export interface ClaimAsIs {
  /** What it requests. */
  readonly size: string
  /** Pending, Bound or Lost. */
  readonly phase: string
}

/**
 * The claims that services of an instance need made, each once: several services may mount one.
 * In: the services of a release; the claims that are there, by name. Out: claims, never pruned, of which only the size
 * ever changes.
 */
export function makePersistentVolumeClaims(
  owner: Owner,
  services: readonly ResolvedService[],
  there: ReadonlyMap<string, ClaimAsIs>,
): Desired[] {
  const byName = new Map<string, Desired>()
  for (const volume of services.flatMap(({ volumes = [] }) => volumes)) {
    const claim = makeClaim(owner, volume, there.get(volume.claim))
    if (claim && !byName.has(volume.claim)) byName.set(volume.claim, claim)
  }
  return [...byName.values()]
}

function makeClaim(
  owner: Owner,
  { claim, accessMode, made }: Volume,
  there: ClaimAsIs | undefined,
): Desired | undefined {
  if (!made) return undefined
  return {
    type: persistentVolumeClaimType,
    mode: 'claim',
    object: {
      apiVersion: apiVersionOf(persistentVolumeClaimType),
      kind: 'PersistentVolumeClaim',
      metadata: { name: claim, namespace: owner.instance, labels: serviceLabels(owner, made.service) },
      spec: {
        accessModes: [accessMode],
        resources: { requests: { storage: sizeOf(made.size, there) } },
        ...(made.storageClassName !== undefined && { storageClassName: made.storageClassName }),
        // The server's default; a POST makes it ours, so not to render it would look like drift for ever.
        volumeMode: 'Filesystem',
      },
    } as Desired['object'],
  }
}

/** A claim never shrinks, whoever let it grow; and one that is not bound yet keeps the size it was made with. */
function sizeOf(wanted: string, there: ClaimAsIs | undefined): string {
  const isKept = there !== undefined && (there.phase !== 'Bound' || compareQuantities(there.size, wanted) > 0)
  return isKept ? there.size : canonicalQuantity(wanted)
}
