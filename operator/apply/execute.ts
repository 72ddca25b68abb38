import { randomBytes } from 'node:crypto'
import type { KubeObject, Ref, ResourceType } from '../api/meta.ts'
import { refOf } from '../api/meta.ts'
import type { KubeError } from '../kube/errors.ts'
import { isKubeError } from '../kube/errors.ts'
import type { Desired, Plan } from '../render/plan.ts'
import type { Writer } from '../runtime/controller.ts'
import { desiredDigest } from './digest.ts'

/** An object of ours in the cluster, as the cache knows it. */
export interface Owned {
  readonly type: ResourceType
  readonly object: KubeObject
  /** ownedDigest of the live object; '' when our field manager owns nothing in it. */
  readonly digest: string
}

/** What execute did; every list in plan order. */
export interface Applied {
  readonly created: readonly Desired[]
  readonly changed: readonly Desired[]
  readonly pruned: readonly Ref[]
  /** The object the API server refused for what it is, and why; nothing after its stage was done. */
  readonly refused?: { readonly desired: Pick<Desired, 'type' | 'object'>; readonly error: KubeError }
}

/**
 * Makes the cluster be what the plan says, stage by stage, writing only what differs; then deletes what is ours and in
 * no stage. Throws the first transient KubeError of a stage after its other writes have ended; a refusal is returned.
 */
export async function execute(kube: Writer, plan: Plan, owned: readonly Owned[]): Promise<Applied> {
  const live = new Map(owned.map((entry) => [identity(entry.type.plural, entry.object.metadata.name), entry]))
  const created: Desired[] = []
  const changed: Desired[] = []
  for (const stage of plan.stages) {
    const missing = stage.objects.filter((desired) => !live.has(identityOf(desired)))
    const different = stage.objects.filter((desired) => isDifferent(desired, live.get(identityOf(desired))))
    const refused = await writeAll([
      ...missing.map((desired) => ({ desired, write: () => create(kube, desired) })),
      ...different.map((desired) => ({ desired, write: () => change(kube, desired, live.get(identityOf(desired))) })),
    ])
    if (refused) return { created, changed, pruned: [], refused }
    created.push(...missing)
    changed.push(...different)
  }
  return { created, changed, pruned: await prune(kube, plan, owned) }
}

/** Whether a live object, by its digest, is what was rendered. */
export function isAsDesired(desired: Desired, digest: string): boolean {
  return desired.mode === 'once' || digest === desiredDigest(desired.object)
}

function identity(plural: string, name: string): string {
  return `${plural}/${name}`
}

function identityOf(desired: Desired): string {
  return identity(desired.type.plural, desired.object.metadata.name)
}

function isDifferent(desired: Desired, live: Owned | undefined): boolean {
  return live !== undefined && !isAsDesired(desired, live.digest)
}

function create(kube: Writer, desired: Desired): Promise<KubeObject> {
  switch (desired.mode) {
    case 'apply':
    case 'immutable':
      return kube.apply(desired.type, desired.object)
    case 'claim':
      return kube.create(desired.type, desired.object)
    case 'once':
      return createOnce(kube, desired)
  }
}

/** One that is there already, be it without our label, is what was asked for: it is never changed. */
async function createOnce(kube: Writer, desired: Desired): Promise<KubeObject> {
  try {
    return await kube.create(desired.type, withRandom(desired))
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return desired.object
    throw error
  }
}

/** A claim is applied only to the very object that was seen: one a stranger made in between is not stamped as ours. */
async function change(kube: Writer, { type, object, mode }: Desired, live: Owned | undefined): Promise<KubeObject> {
  const uid = live?.object.metadata.uid ?? ''
  if (mode === 'immutable') await kube.delete(type, refOf(object), uid)
  return kube.apply(type, mode === 'claim' ? { ...object, metadata: { ...object.metadata, uid } } : object)
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

interface Write {
  readonly desired: Desired
  readonly write: () => Promise<unknown>
}

/** All writes of a stage come to their end before anything is thrown: none is left running behind our back. */
async function writeAll(writes: readonly Write[]): Promise<Applied['refused']> {
  const results = await Promise.allSettled(writes.map(({ write }) => write()))
  const failures = results.flatMap((result, index) =>
    result.status === 'rejected' ? [{ error: result.reason as unknown, desired: writes[index]!.desired }] : [],
  )
  const transient = failures.find(({ error }) => !isRefusal(error))
  if (transient) throw transient.error
  return failures[0] as Applied['refused']
}

/** A write that fails again as long as the object is what it is: refused by schema, size, quota, admission or rights. */
export function isRefusal(error: unknown): error is KubeError {
  return isKubeError(error, 'Invalid', 'Forbidden', 'BadRequest', 'TooLarge')
}

/** Never deleted: what is not ours by field manager, the namespace, claims of `once`, and what kept releases need. */
async function prune(kube: Writer, plan: Plan, owned: readonly Owned[]): Promise<Ref[]> {
  const wanted = new Set([
    ...plan.stages.flatMap((stage) => stage.objects.map(identityOf)),
    ...plan.keep.map(({ type, name }) => identity(type.plural, name)),
  ])
  const surplus = owned.filter(
    ({ type, object, digest }) =>
      digest !== '' &&
      type.namespaced &&
      type.kind !== 'Secret' &&
      !object.metadata.deletionTimestamp &&
      !wanted.has(identity(type.plural, object.metadata.name)),
  )
  for (const { type, object } of surplus) await kube.delete(type, refOf(object), object.metadata.uid ?? '')
  return surplus.map(({ object }) => refOf(object))
}
