import { describe, expect, it } from '@jest/globals'
import { askFor, AskedWorld, secondsAgo, settle } from './askedWorld.ts'

/** Actions that users ask for of an instance that is not there, or is leaving. */

describe('without its instance an action', () => {
  const elsewhere = '44444444-4444-4444-8444-444444444444'

  it('waits for ten minutes, and is given up then', async () => {
    const world = await AskedWorld.with([askFor('seed-1', { spec: { instance: 'hello-dex' } })])
    expect(await world.orphan('seed-1')).toMatchObject({ kind: 'blocked', retryAfterSeconds: 540 })
    expect(world.told('seed-1')).toBe(
      "Unknown InstanceNotFound: No AppInstance 'hello-dex' in namespace 'team' (spec.instance); there is 'hello-dev'",
    )
    world.put({
      ...world.task('seed-1')!,
      metadata: { ...world.task('seed-1')!.metadata, creationTimestamp: secondsAgo(601) },
    })
    // An operator that was away has waited for nobody.
    expect(await world.orphan('seed-1', 10)).toMatchObject({ kind: 'blocked', retryAfterSeconds: 590 })
    expect(await world.orphan('seed-1')).toMatchObject({ kind: 'settled' })
    expect(world.told('seed-1')).toContain('False InstanceNotFound')
  })

  it.each([
    ['is gone', { spec: { instance: 'hello-dex', instanceUid: elsewhere } }, 'that it was meant for is gone'],
    [
      'was made anew',
      { spec: { instanceUid: elsewhere } },
      'is gone, and another one has its name; for this one make another AppTask',
    ],
  ])('is given up at once when it %s', async (_, asked, says) => {
    const world = await AskedWorld.with([askFor('seed-1', asked)])
    await settle(world)
    await world.orphan('seed-1')
    expect(world.told('seed-1')).toContain('False InstanceDeleted')
    expect(world.told('seed-1')).toContain(says)
    expect(world.writes).toEqual(['status AppTask seed-1'])
  })

  it('is not run for one that was made anew under the name while it waited', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    await world.turn({ applied: undefined })
    const instance = world.find('AppInstance', { namespace: 'team', name: 'hello-dev' })!
    world.put({ ...instance, metadata: { ...instance.metadata, uid: elsewhere } })
    await settle(world)
    await world.orphan('seed-1')
    expect(world.told('seed-1')).toContain('False InstanceDeleted')
    expect(world.list('Job')).toEqual([])
  })

  it('is left to the instance where a live look shows it', async () => {
    const world = await AskedWorld.with([askFor('seed-1', { spec: { instanceUid: elsewhere } })])
    const old = world.view()
    const instance = world.find('AppInstance', { namespace: 'team', name: 'hello-dev' })!
    world.put({ ...instance, metadata: { ...instance.metadata, uid: elsewhere } })
    expect(await world.orphan('seed-1', 10_000, old)).toMatchObject({ kind: 'progressing' })
    expect(world.writes).toEqual([])
  })

  it('is followed no more when the instance is being deleted, and not said to be over: its Job may run on', async () => {
    const world = await AskedWorld.with([askFor('seed-1')])
    await settle(world)
    const instance = world.find('AppInstance', { namespace: 'team', name: 'hello-dev' })!
    world.put({ ...instance, metadata: { ...instance.metadata, deletionTimestamp: secondsAgo(1) } })
    await world.orphan('seed-1')
    expect(world.started.size).toBe(1)
    expect(world.told('seed-1')).toMatch(
      /^False InstanceDeleted: Action 'seed' of service 'web' is not followed any more: AppInstance 'hello-dev' is being deleted; whether its Job still runs: kubectl get job web-seed-t\w+ -n hello-dev$/,
    )
  })
})
