import { beforeEach, describe, expect, it } from '@jest/globals'
import { namespaceType, secretType } from '../../../operator/api/builtin.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { fieldManager } from '../../../operator/api/meta.ts'
import type { Applied } from '../../../operator/apply/execute.ts'
import { execute } from '../../../operator/apply/execute.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { Desired } from '../../../operator/render/plan.ts'
import type { Writer } from '../../../operator/runtime/controller.ts'
import { at, desired, kube, planOf, put, reset, run, standing } from './server.ts'

beforeEach(reset)

const files = desired('files')
const token = desired('token', { type: secretType, mode: 'once', random: { value: 33 } })
const identity = 'ConfigMap shop-dev/files'

/** Who owns which field of `files`, as a live look shows it. */
const ownedBy = (owners: Readonly<Record<string, object>>): object => ({
  managedFields: Object.entries(owners).map(([manager, fieldsV1]) => ({ manager, operation: 'Update', fieldsV1 })),
})

/** The object is otherwise now: what it says, and whose that is. */
function change(data: object, owners: Readonly<Record<string, object>>): void {
  put({ ...files, object: { ...files.object, data } as KubeObject }, 'other', ownedBy(owners))
}

/** What is told of it when the plan is executed again. */
async function toldOf(...plan: readonly Desired[]): Promise<readonly (readonly [string, ...unknown[]])[]> {
  const { drifted } = await run(planOf(...plan.map((each) => [each])))
  return drifted.map(({ desired: { object }, paths, manager }) => [object.metadata.name, paths, manager])
}

/** All of it was written, and seen to be in place. */
async function inPlace(...plan: readonly Desired[]): Promise<void> {
  await run(planOf(...plan.map((each) => [each])))
  await run(planOf(...plan.map((each) => [each])))
}

function failingLook(failure: Error): Writer {
  return { ...kube, getLive: () => Promise.reject(failure) }
}

const mine = { [fieldManager]: { 'f:metadata': { 'f:labels': {} } } }

describe('drift', () => {
  it('is told once, with the paths and who set them', async () => {
    await inPlace(files, desired('other'))
    change({ a: 'theirs' }, { ...mine, 'kubectl-edit': { 'f:data': { 'f:a': {} } } })
    expect(await toldOf(files, desired('other'))).toEqual([['files', ['data.a'], 'kubectl-edit']])
    expect(await toldOf(files, desired('other'))).toEqual([])
  })

  it('that took a value away is told without a name, since nobody owns what is not there', async () => {
    await inPlace(files)
    change({}, mine)
    expect(await toldOf(files)).toEqual([['files', ['data.a'], '']])
  })

  it('that deleted an object is told; of a Secret, without a look at it', async () => {
    await inPlace(files, token)
    at.state.clear()
    const looked: string[] = []
    const getLive: Writer['getLive'] = (type, ref) => {
      looked.push(type.kind)
      return kube.getLive(type, ref)
    }
    const { drifted } = await execute({ ...kube, getLive }, planOf([files], [token]), [], standing())
    expect(drifted.map(({ desired: { object }, paths }) => [object.metadata.name, paths])).toEqual([
      ['files', []],
      ['token', []],
    ])
    expect(looked).toEqual(['ConfigMap'])
  })

  it('of a namespace is told alone, not of each object that went with it', async () => {
    const namespace = desired('shop-dev', { type: namespaceType, mode: 'claim' })
    await inPlace(namespace, files, desired('other'))
    at.state.clear()
    expect(await toldOf(namespace, files, desired('other'))).toEqual([['shop-dev', [], '']])
    expect(at.state.size).toBe(3)
  })

  it('that happened while no operator ran is told when it left a name, apart from what an older operator wrote', async () => {
    at.wasComplete = true
    change(
      { a: 'theirs', b: 'old' },
      { 'kubectl-edit': { 'f:data': { 'f:a': {} } }, [fieldManager]: { 'f:data': { 'f:b': {} } } },
    )
    const both = desired('files', { data: { a: '1', b: '2' } })
    expect(await toldOf(both)).toEqual([['files', ['data.a'], 'kubectl-edit']])
  })

  it.each([
    ['what an older operator rendered otherwise', { a: 'old' }, { [fieldManager]: { 'f:data': { 'f:a': {} } } }],
    ['what an older operator did not render', {}, mine],
    ['what others own and left as it was', { a: '1' }, { rival: { 'f:data': { 'f:a': {} } } }],
  ])('is not %s', async (_, data, owners) => {
    at.wasComplete = true
    change(data, owners)
    const applied = await run(planOf([files]))
    expect([applied.changed.length, applied.drifted]).toEqual([1, []])
  })

  it('is what somebody made under the name of an object before it was to be made', async () => {
    const theirs = { 'kubectl-create': { 'f:data': { 'f:b': {} } } }
    const apply: Writer['apply'] = async (type, object) => {
      const answer = await kube.apply(type, object)
      const isTheirs = object.metadata.name === 'files'
      return isTheirs ? { ...answer, metadata: { ...answer.metadata, ...ownedBy({ ...mine, ...theirs }) } } : answer
    }
    const { drifted } = await execute({ ...kube, apply }, planOf([files, desired('new')]), [], standing())
    expect(drifted).toEqual([{ desired: files, paths: [], manager: 'kubectl-create', isFound: true }])
  })

  it('is not what an older operator did not make', async () => {
    at.wasComplete = true
    const { created, drifted } = await run(planOf([files], [token]))
    expect([created.length, drifted]).toEqual([2, []])
  })

  it('is not what waited for others until now', async () => {
    const late = desired('late', { after: ['db'] })
    await inPlace(files, late)
    at.rolledOut.add('db')
    const { created, drifted } = await run(planOf([files], [late]))
    expect([created, drifted]).toEqual([[late], []])
  })

  it('is not our own roll-out, which costs no look either', async () => {
    await inPlace(files)
    Object.assign(at, { of: 'r2' })
    change({ a: 'theirs' }, { 'kubectl-edit': { 'f:data': { 'f:a': {} } } })
    const plan = planOf([desired('files', { data: { a: '2' } }), desired('new')])
    const applied: Applied = await execute(failingLook(new Error('looked')), plan, [...at.state.values()], standing())
    expect([applied.changed.length, applied.created.length, applied.drifted]).toEqual([1, 1, []])
  })

  it('is not told when nothing was put right: refused, or a Secret that only lost its labels', async () => {
    await inPlace(files, token)
    change({ a: 'theirs' }, { 'kubectl-edit': { 'f:data': { 'f:a': {} } } })
    at.failures.set('files', 'Forbidden')
    expect(await toldOf(files)).toEqual([])
    const unseen = [...at.state.values()].filter(({ object }) => object.metadata.name !== 'token')
    at.failures.clear()
    expect((await run(planOf([token]), unseen)).drifted).toEqual([])
  })

  it('is put right also when the look at it fails', async () => {
    await inPlace(files)
    change({ a: 'theirs' }, { 'kubectl-edit': { 'f:data': { 'f:a': {} } } })
    const failing = failingLook(new KubeError('Forbidden', 'not you'))
    const applied = await execute(failing, planOf([files]), [...at.state.values()], standing())
    expect([applied.changed.length, applied.drifted]).toEqual([1, []])
    expect(at.state.get(identity)?.object).toMatchObject({ data: { a: '1' } })
  })
})
