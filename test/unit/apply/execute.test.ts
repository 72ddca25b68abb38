import { beforeEach, describe, expect, it } from '@jest/globals'
import { configMapType, namespaceType, secretType } from '../../../operator/api/builtin.ts'
import type { KubeObject, Ref, ResourceType } from '../../../operator/api/meta.ts'
import { keyOf, refOf } from '../../../operator/api/meta.ts'
import { desiredDigest } from '../../../operator/apply/digest.ts'
import type { Applied, Owned } from '../../../operator/apply/execute.ts'
import { execute } from '../../../operator/apply/execute.ts'
import type { KubeErrorCode } from '../../../operator/kube/errors.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { Desired, Plan } from '../../../operator/render/plan.ts'
import type { Writer } from '../../../operator/runtime/controller.ts'

/** What there is after a plan was executed, in the order in which it came to be. */

let state: Map<string, Owned>
/** How the next write of an object of that name ends, if not well. */
let failures: Map<string, KubeErrorCode>
let isSlow: (name: string) => boolean

const key = (type: ResourceType, ref: Ref): string => `${type.kind} ${keyOf(ref)}`

const kube = {
  create: (type, object) => write(type, object, true),
  apply: (type, object) => write(type, object, false),
  delete(type, ref, uid) {
    const held = state.get(key(type, ref))
    if (held?.object.metadata.uid === uid) state.delete(key(type, ref))
    return Promise.resolve()
  },
} as Writer

async function write(type: ResourceType, object: KubeObject, isCreation: boolean): Promise<KubeObject> {
  const { name } = object.metadata
  if (isSlow(name)) await new Promise(setImmediate)
  const failure = failures.get(name)
  if (failure) throw new KubeError(failure, `${name}: ${failure}`)
  const id = key(type, refOf(object))
  if (isCreation && state.has(id)) throw new KubeError('AlreadyExists', `${name} exists`)
  const stored = { ...object, metadata: { ...object.metadata, uid: `uid-${name}` } }
  state.set(id, { type, object: stored, digest: desiredDigest(object) })
  return stored
}

function desired(name: string, more: Partial<Desired> & { readonly data?: object } = {}): Desired {
  const { data = { a: '1' }, type = configMapType, mode = 'apply', ...rest } = more
  const metadata = { name, ...(type.namespaced && { namespace: 'shop-dev' }) }
  return { type, mode, ...rest, object: { apiVersion: 'v1', kind: type.kind, metadata, data } as KubeObject }
}

function planOf(...stages: readonly (readonly Desired[])[]): Plan {
  return { stages: stages.map((objects, index) => ({ name: `stage ${index}`, objects })), keep: [] }
}

const run = (plan: Plan): Promise<Applied> => execute(kube, plan, [...state.values()])
const names = (): string[] => [...state.values()].map(({ object }) => object.metadata.name)

function put(owned: Desired, digest = desiredDigest(owned.object), metadata: object = {}): void {
  const object = { ...owned.object, metadata: { ...owned.object.metadata, uid: 'u', ...metadata } }
  state.set(key(owned.type, refOf(object)), { type: owned.type, object, digest })
}

beforeEach(() => {
  state = new Map()
  failures = new Map()
  isSlow = () => false
})

describe('execute', () => {
  it('makes what is missing, stage after stage, however long a write takes', async () => {
    isSlow = (name) => name === 'b'
    const plan = planOf([desired('shop-dev', { type: namespaceType, mode: 'claim' })], [desired('b'), desired('c')])
    const later = planOf(...plan.stages.map(({ objects }) => objects), [desired('d')])
    const { created } = await run(later)
    expect(names()).toEqual(['shop-dev', 'c', 'b', 'd'])
    expect(created.map(({ object }) => object.metadata.name)).toEqual(['shop-dev', 'b', 'c', 'd'])
  })

  it('writes nothing when nothing differs, and only what differs', async () => {
    const plan = planOf([desired('a'), desired('b')])
    await run(plan)
    const before = new Map(state)
    expect(await run(plan)).toEqual({ created: [], changed: [], pruned: [] })
    expect([...state.values()].every((owned) => [...before.values()].includes(owned))).toBe(true)
    const changed = desired('b', { data: { a: '2' } })
    expect(await run(planOf([desired('a'), changed]))).toEqual({ created: [], changed: [changed], pruned: [] })
    expect(state.get('ConfigMap shop-dev/a')).toBe(before.get('ConfigMap shop-dev/a'))
  })

  it('never claims a namespace that came to be meanwhile', async () => {
    const namespace = desired('shop-dev', { type: namespaceType, mode: 'claim' })
    const plan = planOf([namespace], [desired('a')])
    put(namespace, 'of another')
    const theirs = state.get('Namespace /shop-dev')
    await expect(execute(kube, plan, [])).rejects.toMatchObject({ code: 'AlreadyExists' })
    expect([...state.values()]).toEqual([theirs])
  })

  it('puts drift of its namespace back only on the very object that it saw', async () => {
    const namespace = desired('shop-dev', { type: namespaceType, mode: 'claim' })
    put(namespace, 'changed by hand')
    const applied: KubeObject[] = []
    const apply: Writer['apply'] = (type, object) => {
      applied.push(object)
      return write(type, object, false)
    }
    await execute({ ...kube, apply }, planOf([namespace]), [...state.values()])
    expect(applied.map(({ metadata }) => metadata)).toEqual([{ name: 'shop-dev', uid: 'u' }])
  })

  it('takes a generated secret that is there, unseen, for the one it would have made', async () => {
    const secret = desired('s', { type: secretType, mode: 'once', random: { value: 33 } })
    put(secret)
    const theirs = state.get('Secret shop-dev/s')
    const applied = await execute(kube, planOf([secret], [desired('later')]), [])
    expect(applied.refused).toBeUndefined()
    expect([state.get('Secret shop-dev/s'), names()]).toEqual([theirs, ['s', 'later']])
  })

  it('makes a generated secret once: random text of the length, and never again', async () => {
    const secret = desired('s', { type: secretType, mode: 'once', random: { value: 33 } })
    await run(planOf([secret]))
    const made = state.get('Secret shop-dev/s')!
    expect((made.object as unknown as { stringData: object }).stringData).toEqual({
      value: expect.stringMatching(/^[A-Za-z0-9]{33}$/),
    })
    state.set('Secret shop-dev/s', { ...made, digest: 'changed by hand' })
    expect(await run(planOf([secret]))).toEqual({ created: [], changed: [], pruned: [] })
  })

  it('prunes what is ours and not wanted any more', async () => {
    await run(planOf([desired('a'), desired('b')]))
    const { pruned } = await run(planOf([desired('a')]))
    expect(pruned).toEqual([{ namespace: 'shop-dev', name: 'b' }])
    expect(names()).toEqual(['a'])
  })

  it('prunes no foreign object, no Secret, no namespace, none that kept releases need, none that is going', async () => {
    put(desired('foreign'), '')
    put(desired('secret', { type: secretType }))
    put(desired('shop-dev', { type: namespaceType }))
    put(desired('kept'))
    put(desired('going'), 'd', { deletionTimestamp: '2026-01-02T03:04:05Z' })
    const plan: Plan = { ...planOf([]), keep: [{ type: configMapType, name: 'kept' }] }
    expect((await run(plan)).pruned).toEqual([])
    expect(names()).toEqual(['foreign', 'secret', 'shop-dev', 'kept', 'going'])
  })

  it.each(['Invalid', 'Forbidden'] as const)(
    '%s: later stages and the pruning wait, siblings are made',
    async (code) => {
      put(desired('surplus'))
      failures.set('b', code)
      const plan = planOf([desired('a')], [desired('b'), desired('c')], [desired('d')])
      const applied = await run(plan)
      expect(applied.refused).toMatchObject({ desired: { object: { metadata: { name: 'b' } } }, error: { code } })
      expect(names()).toEqual(['surplus', 'a', 'c'])
      failures.clear()
      await run(plan)
      expect(names()).toEqual(['a', 'c', 'b', 'd'])
    },
  )

  it('throws a transient error after its siblings have ended, even when another was refused', async () => {
    isSlow = (name) => name === 'slow'
    failures.set('refused', 'Invalid').set('busy', 'Unavailable')
    const plan = planOf([desired('refused'), desired('busy'), desired('slow')], [desired('later')])
    await expect(run(plan)).rejects.toMatchObject({ code: 'Unavailable' })
    expect(names()).toEqual(['slow'])
  })
})
