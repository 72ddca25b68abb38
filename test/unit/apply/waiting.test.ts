import { beforeEach, describe, expect, it } from '@jest/globals'
import { serviceType } from '../../../operator/api/builtin.ts'
import { at, desired, names, nothing, planOf, put, reset, run, workload } from './server.ts'

beforeEach(reset)

describe('an object that waits for Deployments', () => {
  const web = workload('web', { after: ['db', 'api'] })
  const service = desired('web', { type: serviceType, after: ['db', 'api'] })
  const plan = planOf([workload('db')], [workload('api', { after: ['db'] })], [web, service], [workload('free')])

  it('is made when they are rolled out, and not before; who waits for nobody is not held up', async () => {
    expect(
      (await run(plan)).waiting.map(({ desired: { object }, for: needed }) => [
        object.kind,
        object.metadata.name,
        needed,
      ]),
    ).toEqual([
      ['Deployment', 'api', ['db']],
      ['Deployment', 'web', ['db', 'api']],
      ['Service', 'web', ['db', 'api']],
    ])
    expect(names()).toEqual(['db', 'free'])
    at.rolledOut.add('db')
    expect((await run(plan)).waiting.map(({ for: needed }) => needed)).toEqual([['api'], ['api']])
    expect(names()).toEqual(['db', 'free', 'api'])
    at.rolledOut.add('api')
    expect((await run(plan)).waiting).toEqual([])
    expect(names()).toEqual(['db', 'free', 'api', 'web', 'web'])
  })

  it('keeps what is to be deleted until it is there', async () => {
    put(desired('surplus'))
    await run(plan)
    expect(names()).toContain('surplus')
    at.rolledOut = new Set(['db', 'api'])
    await run(plan)
    expect(names()).not.toContain('surplus')
  })

  it('waits with a change too, and is not touched by one of them that fails later', async () => {
    at.rolledOut = new Set(['db', 'api'])
    await run(plan)
    at.rolledOut.clear()
    expect(await run(plan)).toEqual(nothing)
    const changed = planOf(...plan.stages.slice(0, 2).map(({ objects }) => objects), [
      workload('web', { after: ['db'], data: { a: '2' } } as object),
    ])
    expect((await run(changed)).waiting).toHaveLength(1)
    at.rolledOut.add('db')
    expect((await run(changed)).changed).toHaveLength(1)
  })

  it('is put right at once when it was in place before; one that would start waits when it is missing', async () => {
    at.rolledOut = new Set(['db', 'api'])
    await run(plan)
    at.rolledOut.clear()
    at.wasComplete = true
    put(web, 'changed by hand')
    at.state.delete('Service shop-dev/web')
    const applied = await run(plan)
    expect(applied.changed).toEqual([web])
    expect(applied.created).toEqual([service])
    at.state.delete('Deployment shop-dev/web')
    expect((await run(plan)).waiting.map(({ desired: { object } }) => object.kind)).toEqual(['Deployment'])
  })
})
