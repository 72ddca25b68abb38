import { persistentVolumeClaimType, storageClassType } from '../api/builtin.ts'
import type { Reader } from '../runtime/controller.ts'
import type { Storage } from '../status/claims.ts'
import { earlyClaims } from '../status/claims.ts'
import type { ObservedClaim, ObservedStorageClass } from '../status/observed.ts'

/** The claims in a namespace, of whomever, and the StorageClasses of its cluster. */
export function storageOf(cache: Reader, namespace: string, now: Date): Storage {
  const claims = cache.byIndex<ObservedClaim>(persistentVolumeClaimType, 'namespace', namespace)
  return {
    claims: new Map(claims.map((claim) => [claim.metadata.name, claim])),
    early: earlyClaims(claims, now),
    storageClasses: cache.list<ObservedStorageClass>(storageClassType),
  }
}
