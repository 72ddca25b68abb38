import { beforeEach, describe, expect, it } from '@jest/globals'
import { namespaceType, secretType } from '../../../operator/api/builtin.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import type { Applied } from '../../../operator/apply/execute.ts'
import { execute } from '../../../operator/apply/execute.ts'
import type { Plan } from '../../../operator/render/plan.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { Writer } from '../../../operator/runtime/controller.ts'
import { at, desired, kube, names, nothing, planOf, put, reset, run, standing, workload, write } from './server.ts'

beforeEach(reset)

/** As if we died when nothing is left. */
const dyingApply: Writer['apply'] = (type, object) => {
  if (at.state.size === 0) throw new KubeError('Unavailable', 'we died')
  return write(type, object, false)
}

describe('execute', () => {
  it('makes what is missing, stage after stage, however long a write takes', async () => {
    at.isSlow = (name) => name === 'b'
    const plan = planOf([desired('shop-dev', { type: namespaceType, mode: 'claim' })], [desired('b'), desired('c')])
    const later = planOf(...plan.stages.map(({ objects }) => objects), [desired('d')])
    const { created } = await run(later)
    expect(names()).toEqual(['shop-dev', 'c', 'b', 'd'])
    expect(created.map(({ object }) => object.metadata.name)).toEqual(['shop-dev', 'b', 'c', 'd'])
  })

  it('writes nothing when nothing differs, and only what differs', async () => {
    const plan = planOf([desired('a'), desired('b')])
    await run(plan)
    const before = new Map(at.state)
    expect(await run(plan)).toEqual(nothing)
    expect([...at.state.values()].every((owned) => [...before.values()].includes(owned))).toBe(true)
    const changed = desired('b', { data: { a: '2' } })
    expect(await run(planOf([desired('a'), changed]))).toEqual({ ...nothing, changed: [changed] })
    expect(at.state.get('ConfigMap shop-dev/a')).toBe(before.get('ConfigMap shop-dev/a'))
  })

  it('never claims a namespace that came to be meanwhile', async () => {
    const namespace = desired('shop-dev', { type: namespaceType, mode: 'claim' })
    const plan = planOf([namespace], [desired('a')])
    put(namespace, 'of another')
    const theirs = at.state.get('Namespace /shop-dev')
    await expect(run(plan, [])).rejects.toMatchObject({ code: 'AlreadyExists' })
    expect([...at.state.values()]).toEqual([theirs])
  })

  it('puts drift of its namespace back only on the very object that it saw', async () => {
    const namespace = desired('shop-dev', { type: namespaceType, mode: 'claim' })
    put(namespace, 'changed by hand')
    const applied: KubeObject[] = []
    const apply: Writer['apply'] = (type, object) => {
      applied.push(object)
      return write(type, object, false)
    }
    await execute({ ...kube, apply }, planOf([namespace]), [...at.state.values()], standing())
    expect(applied.map(({ metadata }) => metadata)).toMatchObject([{ name: 'shop-dev', uid: 'u' }])
  })

  it('takes a generated secret that is there, unseen, for the one it would have made', async () => {
    const secret = desired('s', { type: secretType, mode: 'once', random: { value: 33 } })
    put(secret)
    const theirs = at.state.get('Secret shop-dev/s')
    const applied = await run(planOf([secret], [desired('later')]), [])
    expect(applied.refused).toBeUndefined()
    expect([at.state.get('Secret shop-dev/s'), names()]).toEqual([theirs, ['s', 'later']])
  })

  it('makes a generated secret once: random text of the length, and never again', async () => {
    const secret = desired('s', { type: secretType, mode: 'once', random: { value: 33 } })
    await run(planOf([secret]))
    const made = at.state.get('Secret shop-dev/s')!
    expect((made.object as unknown as { stringData: object }).stringData).toEqual({
      value: expect.stringMatching(/^[A-Za-z0-9]{33}$/),
    })
    at.state.set('Secret shop-dev/s', { ...made, digest: 'changed by hand' })
    expect(await run(planOf([secret]))).toEqual(nothing)
  })

  it.each(['Invalid', 'Forbidden'] as const)(
    '%s: later stages and the pruning wait, siblings are made',
    async (code) => {
      put(desired('surplus'))
      at.failures.set('b', code)
      const plan = planOf([desired('a')], [desired('b'), desired('c')], [workload('d')])
      const applied = await run(plan)
      expect(applied.refused).toMatchObject({ desired: { object: { metadata: { name: 'b' } } }, error: { code } })
      expect(names()).toEqual(['surplus', 'a', 'c'])
      at.failures.clear()
      at.now = new Date(at.now.getTime() + 120_000)
      await run(plan)
      expect(names()).toEqual(['a', 'c', 'b', 'd'])
    },
  )

  it.each([
    ['Forbidden', 30],
    ['Invalid', 120],
    ['TooLarge', 120],
    ['BadRequest', 120],
  ] as const)(
    '%s: the same is not sent again for %i s, whatever happens; another rendering is',
    async (code, seconds) => {
      at.failures.set('a', code)
      const sent: KubeObject[] = []
      const apply: Writer['apply'] = (type, object) => {
        sent.push(object)
        return write(type, object, false)
      }
      const attempt = (plan: Plan): Promise<Applied> => execute({ ...kube, apply }, plan, [], standing())
      const plan = planOf([desired('a')], [desired('b')])
      await attempt(plan)
      for (let second = 1; second < seconds; second += 1) {
        at.now = new Date(at.now.getTime() + 1000)
        const { refused } = await attempt(plan)
        expect(refused).toMatchObject({ error: { code }, retryAfterSeconds: seconds - second })
      }
      expect(sent).toHaveLength(1)
      await attempt(planOf([desired('a', { data: { a: '2' } })]))
      expect(sent).toHaveLength(2)
      at.now = new Date(at.now.getTime() + seconds * 1000)
      at.failures.clear()
      expect((await attempt(plan)).created).toHaveLength(2)
    },
  )

  it('makes an immutable object anew to change it; one that was only taken away when we died is made by the next run', async () => {
    await run(planOf([desired('files', { mode: 'immutable' })]))
    const changed = planOf([desired('files', { mode: 'immutable', data: { a: '2' } })])
    at.immutable.add('files')
    const died = execute({ ...kube, apply: dyingApply }, changed, [...at.state.values()], standing())
    await expect(died).rejects.toMatchObject({ code: 'Unavailable' })
    expect(names()).toEqual([])
    await run(changed)
    expect(names()).toEqual(['files'])
    expect(await run(changed)).toEqual(nothing)
  })

  it('throws a transient error after its siblings have ended, even when another was refused', async () => {
    at.isSlow = (name) => name === 'slow'
    at.failures.set('refused', 'Invalid').set('busy', 'Unavailable')
    const plan = planOf([desired('refused'), desired('busy'), desired('slow')], [desired('later')])
    await expect(run(plan)).rejects.toMatchObject({ code: 'Unavailable' })
    expect(names()).toEqual(['slow'])
  })
})
