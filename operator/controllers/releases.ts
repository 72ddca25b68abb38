import type { AppRelease } from '../api/appRelease.ts'
import { appReleaseKind } from '../api/appRelease.ts'
import type { Ref } from '../api/meta.ts'
import { keyOf } from '../api/meta.ts'
import type { Reader } from '../runtime/controller.ts'

/** The releases of just this instance (an earlier one of the name had another uid), newest first. */
export function releasesOf(cache: Reader, instance: Ref, uid: string | undefined): AppRelease[] {
  return cache
    .byIndex<AppRelease>(appReleaseKind, 'instance', keyOf(instance))
    .filter(({ spec }) => spec.instanceUid === uid)
    .toSorted((a, b) => b.spec.number - a.spec.number)
}
