import { configMapType, deploymentType } from '../../../operator/api/builtin.ts'
import type { KubeObject, Ref, ResourceType } from '../../../operator/api/meta.ts'
import { fieldManager, keyOf, labels, refOf } from '../../../operator/api/meta.ts'
import { desiredDigest } from '../../../operator/apply/digest.ts'
import type { Applied, Owned, Standing } from '../../../operator/apply/execute.ts'
import { execute } from '../../../operator/apply/execute.ts'
import { Fights } from '../../../operator/apply/fights.ts'
import type { KubeErrorCode } from '../../../operator/kube/errors.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { Desired, Plan } from '../../../operator/render/plan.ts'
import type { Writer } from '../../../operator/runtime/controller.ts'

/**
 * A server in memory for plans to be executed on; `at` is how it stands, begun anew before each test. It is allowed for
 * what is sent and in which order: that the real one answers so, test/apiserver/engineClient.test.ts shows (“creates
 * once”, “deletes only the object with the uid”, “says that the data of an immutable object cannot be changed”), and that
 * plans come to be on it, test/apiserver/product.
 */

export const at = fresh()

function fresh() {
  return {
    /** What there is, in the order in which it came to be. */
    state: new Map<string, Owned>(),
    /** How the next write of an object of that name ends, if not well. */
    failures: new Map<string, KubeErrorCode>(),
    /** Objects of these names cannot be changed. */
    immutable: new Set<string>(),
    isSlow: (_name: string): boolean => false,
    fights: new Fights(),
    now: new Date('2026-01-02T03:04:05Z'),
    /** Deployments that are rolled out. */
    rolledOut: new Set<string>(),
    wasComplete: false,
    /** How Jobs stand, by their names. */
    records: new Map<string, NonNullable<ReturnType<Standing['recordOf']>>>(),
    mayRun: true,
    /** What the plan was rendered from. */
    of: 'r1',
    /** What the server holds where that is not what the cache shows. */
    live: new Map<string, KubeObject | undefined>(),
  }
}

export function reset(): void {
  Object.assign(at, fresh())
}

const key = (type: ResourceType, ref: Ref): string => `${type.kind} ${keyOf(ref)}`

export const kube: Writer = {
  create: (type, object) => write(type, object, true),
  apply: (type, object) => write(type, object, false),
  // No plan is made of statuses.
  writeStatus: (_type, object) => Promise.resolve(object),
  recordStatus: (_type, object) => Promise.resolve(object),
  delete(type, ref, uid) {
    const held = at.state.get(key(type, ref))
    if (held?.object.metadata.uid === uid) at.state.delete(key(type, ref))
    return Promise.resolve()
  },
  getLive(type, ref) {
    const id = key(type, ref)
    return Promise.resolve(at.live.has(id) ? at.live.get(id) : at.state.get(id)?.object)
  },
  listLive: () => Promise.resolve([]),
}

export async function write(type: ResourceType, object: KubeObject, isCreation: boolean): Promise<KubeObject> {
  const { name } = object.metadata
  if (at.isSlow(name)) await new Promise(setImmediate)
  const failure = at.failures.get(name)
  if (failure) throw new KubeError(failure, `${name}: ${failure}`)
  const id = key(type, refOf(object))
  const held = at.state.get(id)
  if (held && at.immutable.has(name) && held.digest !== desiredDigest(object))
    throw new KubeError('Invalid', 'data: Forbidden: field is immutable when `immutable` is set')
  if (isCreation && at.state.has(id)) throw new KubeError('AlreadyExists', `${name} exists`)
  const stored = storedOf(object, `uid-${name}`)
  at.state.set(id, { type, object: stored, digest: desiredDigest(object) })
  return stored
}

/** As the server answers: with a uid, and with managedFields that say that all of it is ours. */
function storedOf(object: KubeObject, uid: string): KubeObject {
  const fieldsV1 = { 'f:data': {}, 'f:metadata': { 'f:labels': {} } }
  const managedFields = [{ manager: fieldManager, operation: 'Apply', fieldsV1 }]
  return { ...object, metadata: { ...object.metadata, uid, managedFields } } as KubeObject
}

export function desired(name: string, more: Partial<Desired> & { readonly data?: object } = {}): Desired {
  const { data = { a: '1' }, type = configMapType, mode = 'apply', ...rest } = more
  const ours = { [labels.instance]: 'shop-dev' }
  const metadata = { name, labels: ours, ...(type.namespaced && { namespace: 'shop-dev' }) }
  return { type, mode, ...rest, object: { apiVersion: 'v1', kind: type.kind, metadata, data } as KubeObject }
}

export function planOf(...stages: readonly (readonly Desired[])[]): Plan {
  return { stages: stages.map((objects, index) => ({ name: `stage ${index}`, objects })), keep: [] }
}

export const workload = (name: string, more: Partial<Desired> = {}): Desired =>
  desired(name, { type: deploymentType, ...more })
export const standing = (): Standing => ({
  fights: at.fights,
  now: at.now,
  of: at.of,
  wasInPlace: () => at.wasComplete,
  isIdle: () => false,
  isToScale: () => false,
  isRolledOut: (name) => at.rolledOut.has(name),
  recordOf: (name) => at.records.get(name),
  mayRun: at.mayRun,
})
export const run = (plan: Plan, owned: readonly Owned[] = [...at.state.values()]): Promise<Applied> =>
  execute(kube, plan, owned, standing())
export const nothing = { created: [], changed: [], pruned: [], drifted: [], waiting: [], altered: [], contested: [] }
export const names = (): string[] => [...at.state.values()].map(({ object }) => object.metadata.name)

export function put(owned: Desired, digest = desiredDigest(owned.object), metadata: object = {}): void {
  const stored = storedOf(owned.object, 'u')
  const object = { ...stored, metadata: { ...stored.metadata, ...metadata } }
  at.state.set(key(owned.type, refOf(object)), { type: owned.type, object, digest })
}
