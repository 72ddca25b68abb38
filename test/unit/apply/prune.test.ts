import { beforeEach, describe, expect, it } from '@jest/globals'
import { configMapType, namespaceType, secretType, serviceType } from '../../../operator/api/builtin.ts'
import { labels } from '../../../operator/api/meta.ts'
import { execute } from '../../../operator/apply/execute.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { Plan } from '../../../operator/render/plan.ts'
import type { Writer } from '../../../operator/runtime/controller.ts'
import { at, desired, kube, names, planOf, put, reset, run, standing, workload } from './server.ts'

beforeEach(reset)

describe('pruning', () => {
  it('takes what is ours and not wanted any more, what stands on others first', async () => {
    const gone = [desired('b'), desired('b', { type: serviceType }), workload('b')]
    await run(planOf([workload('a')], gone))
    const removed: string[] = []
    const remove: Writer['delete'] = (type, ref, uid) => {
      removed.push(type.kind)
      return kube.delete(type, ref, uid)
    }
    const { pruned } = await execute(
      { ...kube, delete: remove },
      planOf([workload('a')]),
      [...at.state.values()],
      standing(),
    )
    expect(pruned).toEqual(gone.map(() => ({ namespace: 'shop-dev', name: 'b' })))
    expect(removed).toEqual(['Deployment', 'Service', 'ConfigMap'])
    expect(names()).toEqual(['a'])
  })

  it.each([
    ['Forbidden', 30],
    ['Invalid', 120],
  ] as const)(
    'that is refused as %s is returned, what it stands on stays, and it waits %i s',
    async (code, seconds) => {
      await run(planOf([workload('a')], [desired('b'), workload('b')]))
      const asked: string[] = []
      const remove: Writer['delete'] = (type) => {
        asked.push(type.kind)
        return Promise.reject(new KubeError(code, 'not you'))
      }
      const attempt = () =>
        execute({ ...kube, delete: remove }, planOf([workload('a')]), [...at.state.values()], standing())
      for (let second = 0; second < seconds; second += 1) {
        const { refused, pruned } = await attempt()
        expect([refused?.desired.object.metadata.name, refused?.error.code, pruned]).toEqual(['b', code, []])
        expect(refused?.retryAfterSeconds).toBe(seconds - second)
        at.now = new Date(at.now.getTime() + 1000)
      }
      expect([asked, names()]).toEqual([['Deployment'], ['a', 'b', 'b']])
      expect((await run(planOf([workload('a')]))).refused).toBeUndefined()
      expect(names()).toEqual(['a'])
    },
  )

  it('that fails otherwise is thrown', async () => {
    await run(planOf([workload('a')], [desired('b')]))
    const busy: Writer = { ...kube, delete: () => Promise.reject(new KubeError('Unavailable', 'busy')) }
    const failing = execute(busy, planOf([workload('a')]), [...at.state.values()], standing())
    await expect(failing).rejects.toMatchObject({ code: 'Unavailable' })
  })

  it('takes no foreign object, no Secret, no namespace, none that kept releases need, none that is going', async () => {
    put(desired('foreign'), '')
    put(desired('secret', { type: secretType }))
    put(desired('shop-dev', { type: namespaceType }))
    put(desired('kept'))
    put(desired('going'), 'd', { deletionTimestamp: '2026-01-02T03:04:05Z' })
    put(workload('web'))
    const plan: Plan = { ...planOf([workload('web')]), keep: [{ type: configMapType, name: 'kept' }] }
    expect((await run(plan)).pruned).toEqual([])
    expect(names()).toEqual(['foreign', 'secret', 'shop-dev', 'kept', 'going', 'web'])
  })

  it.each([
    ['of another uid', { uid: 'of its successor' }],
    ['without our label', { labels: {} }],
    ['with the label of another instance', { labels: { [labels.instance]: 'other' } }],
    ['of which nothing is ours any more', { managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:data': {} } }] }],
  ])('takes nothing that a live look shows to be %s', async (_, metadata) => {
    put(desired('b'))
    const held = at.state.get('ConfigMap shop-dev/b')!.object
    at.live.set('ConfigMap shop-dev/b', { ...held, metadata: { ...held.metadata, ...metadata } })
    expect((await run(planOf([workload('a')]))).pruned).toEqual([])
    expect(names()).toEqual(['b', 'a'])
    at.live.clear()
    expect((await run(planOf([workload('a')]))).pruned).toHaveLength(1)
  })

  it('takes nothing that is gone already', async () => {
    put(desired('b'))
    at.live.set('ConfigMap shop-dev/b', undefined)
    expect((await run(planOf([workload('a')]))).pruned).toEqual([])
  })

  it('takes nothing for a plan in which nothing runs: no release asks for that', async () => {
    put(workload('web'))
    put(desired('files'))
    expect((await run(planOf([desired('a')]))).pruned).toEqual([])
    expect((await run(planOf([]))).pruned).toEqual([])
    expect(names()).toEqual(['web', 'files', 'a'])
  })
})
