import { randomBytes } from 'node:crypto'
import type { KubeObject } from '../api/meta.ts'
import { refOf } from '../api/meta.ts'
import { isKubeError } from '../kube/errors.ts'
import type { Desired } from '../render/plan.ts'
import type { Writer } from '../runtime/controller.ts'
import type { Owned } from './owned.ts'

/**
 * Writes one object in the way its mode asks for.
 * In: the object; what the cache holds of it, if anything. Out: the API server's answer; undefined when there was
 * nothing to write after all. Throws a KubeError.
 */
export function write(kube: Writer, desired: Desired, live: Owned | undefined): Promise<KubeObject | undefined> {
  return live ? change(kube, desired, live) : create(kube, desired)
}

function create(kube: Writer, desired: Desired): Promise<KubeObject | undefined> {
  switch (desired.mode) {
    case 'apply':
    case 'immutable':
      return kube.apply(desired.type, desired.object)
    case 'claim':
      return kube.create(desired.type, desired.object)
    case 'once':
      return createMissing(kube, desired, withRandom(desired))
    case 'run':
      return createMissing(kube, desired, desired.object)
    case 'copy':
      return createMissing(kube, desired, { ...desired.object, data: desired.values?.reveal() } as KubeObject)
  }
}

/** One that is there already, be it without our label, is what was asked for: it is never changed. */
async function createMissing(kube: Writer, { type }: Desired, object: KubeObject): Promise<KubeObject | undefined> {
  try {
    return await kube.create(type, object)
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return undefined
    throw error
  }
}

/** A claim is applied only to the very object that was seen: one a stranger made in between is not stamped as ours. */
async function change(kube: Writer, { type, object, mode }: Desired, live: Owned): Promise<KubeObject> {
  const uid = live.object.metadata.uid ?? ''
  if (mode === 'immutable') return replace(kube, { type, object }, uid)
  return kube.apply(type, mode === 'claim' ? { ...object, metadata: { ...object.metadata, uid } } : object)
}

/**
 * Labels of an immutable object can be put right; only what cannot be is made anew, by its uid. If we die in between, it
 * is missing, and is made by the next reconcile.
 */
async function replace(
  kube: Writer,
  { type, object }: Pick<Desired, 'type' | 'object'>,
  uid: string,
): Promise<KubeObject> {
  try {
    return await kube.apply(type, object)
  } catch (error) {
    if (!isKubeError(error, 'Invalid') || !/immutable/.test(error.message)) throw error
    await kube.delete(type, refOf(object), uid)
    return kube.apply(type, object)
  }
}

/** Random text in letters and digits; 6 bits a character. */
function withRandom({ object, random = {} }: Desired): KubeObject {
  const stringData = Object.fromEntries(Object.entries(random).map(([key, length]) => [key, randomText(length)]))
  return { ...object, stringData } as KubeObject
}

function randomText(length: number): string {
  const text = randomBytes(length * 2)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
  return text.length >= length ? text.slice(0, length) : randomText(length)
}
