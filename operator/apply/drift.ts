import { refOf, type KubeObject } from '../api/meta.ts'
import { isKubeError } from '../kube/errors.ts'
import type { Desired } from '../render/plan.ts'
import type { Writer } from '../runtime/controller.ts'
import { differingPaths, foreignManagerOf, isOurs, textOfPath } from './differences.ts'
import type { Contest } from './fights.ts'
import type { Owned } from './owned.ts'

/** What others did to an object that had been as rendered, and that was put right. */
export interface Drift extends Contest {
  readonly desired: Desired
  /** It was there, unseen for want of our label, when we meant to make it. */
  readonly isFound?: true
}

/**
 * A live look, before the write that puts an object right, at what was done to it and by whom.
 * In: the object; what the cache holds of it, if anything; whether this process has seen it as rendered. Where it has not,
 * what has no owner may as well be what an older operator rendered otherwise, or not at all.
 * Out: undefined when nobody else is known to have done it, or the look fails: it is for a message only.
 */
export async function lookForDrift(
  kube: Writer,
  desired: Desired,
  live: Owned | undefined,
  hasStood: boolean,
): Promise<Drift | undefined> {
  if (!live && !hasStood) return undefined
  // What is never changed is written only when it is gone; and a Secret must not be read.
  if (desired.mode === 'once' || desired.mode === 'copy') return { desired, paths: [], manager: '' }
  try {
    return await look(kube, desired, hasStood)
  } catch (error) {
    if (isKubeError(error)) return undefined
    throw error
  }
}

async function look(kube: Writer, desired: Desired, hasStood: boolean): Promise<Drift | undefined> {
  const { type, object } = desired
  const live = await kube.getLive(type, refOf(object))
  if (!live) return hasStood ? { desired, paths: [], manager: '' } : undefined
  const paths = differingPaths(object, live).filter((path) => !isOurs(live, path))
  const manager = foreignManagerOf(live, paths)
  const isTheirs = paths.length > 0 && (hasStood || manager !== '')
  return isTheirs ? { desired, paths: paths.map(textOfPath), manager } : undefined
}

/**
 * Whether an object that we meant to make was there already: who wrote to it before stands in the API server's answer.
 * Out: undefined when it was not.
 */
export function foundInstead(desired: Desired, answer: KubeObject): Drift | undefined {
  const everything = [[]]
  const manager = foreignManagerOf(answer, everything)
  return manager === '' ? undefined : { desired, paths: [], manager, isFound: true }
}
