import { beforeEach, describe, expect, it } from '@jest/globals'
import { jobType, serviceType } from '../../../operator/api/builtin.ts'
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

describe('a Job that runs once', () => {
  const first = desired('first', { type: jobType, mode: 'run' })
  const second = desired('second', { type: jobType, mode: 'run', afterJob: 'first' })
  const web = workload('web', { afterJob: 'second' })
  const after = desired('after', { type: jobType, mode: 'run', after: ['web'] })
  const plan = planOf([first, second], [web], [after])

  it('is made one after another, then what waits for them, then what waits for the roll-out', async () => {
    await run(plan)
    expect(names()).toEqual(['first'])
    at.records.set('first', 'Running')
    expect(await run(plan)).toMatchObject({ created: [], changed: [] })
    at.records.set('first', 'Succeeded')
    await run(plan)
    expect(names()).toEqual(['first', 'second'])
    at.records.set('second', 'Succeeded')
    await run(plan)
    expect(names()).toEqual(['first', 'second', 'web'])
    at.rolledOut.add('web')
    await run(plan)
    expect(names()).toEqual(['first', 'second', 'web', 'after'])
  })

  it('is never changed, and never made again once it was started, whoever deletes it', async () => {
    await run(plan)
    put(first, 'changed by hand')
    expect(await run(plan)).toMatchObject({ created: [], changed: [], drifted: [] })
    for (const state of ['Running', 'Failed', 'Succeeded'] as const) {
      at.records.set('first', state)
      at.state.clear()
      await run(planOf([first]))
      expect(names()).toEqual([])
    }
  })

  it('holds up what would change when it has failed, and nothing that only has to be put right', async () => {
    at.records.set('first', 'Failed')
    put(web, 'of the release before')
    expect(await run(plan)).toMatchObject({ created: [], changed: [], pruned: [] })
    at.wasComplete = true
    expect((await run(plan)).changed).toEqual([web])
  })

  it('is not made beside those of another release', async () => {
    at.mayRun = false
    expect((await run(plan)).waiting.map(({ desired: { object } }) => object.metadata.name)).toContain('first')
    expect(names()).toEqual([])
  })
})
