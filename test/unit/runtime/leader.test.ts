import { beforeEach, describe, expect, it } from '@jest/globals'
import { annotations } from '../../../operator/api/meta.ts'
import { isKubeError } from '../../../operator/kube/errors.ts'
import { settle } from './fakeClock.ts'
import { makeWorld, type World } from './leaderWorld.ts'

let world: World
beforeEach(() => {
  world = makeWorld()
})

describe('a leader', () => {
  it('leads at once where there is no Lease, and says who it is', async () => {
    const a = world.start('a')
    expect(a.mayWrite()).toBe(false)
    await world.pass(0)
    expect(a.mayWrite()).toBe(true)
    expect(world.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 })
    expect(world.spec['acquireTime']).toMatch(/^2026-01-01T00:00:00\.\d{6}Z$/)
    expect(world.notes).toEqual({ [annotations.holderVersion]: '1.0.0' })
  })

  it('renews every two seconds, and asks nothing else of the server; a standby asks nothing but to go on with its watch', async () => {
    const { a, b } = await world.startPair(4)
    const [before, waiting] = [{ ...a.line.sent }, { ...b.line.sent }]
    await world.pass(60)
    expect(a.line.sent).toEqual({ ...before, patch: before.patch + 30 })
    expect(b.line.sent).toEqual(waiting)
    expect(world.server.holders).toEqual(['a'])
  })

  it('tells who asks in vain, by a code of its own', async () => {
    const { b } = await world.startPair(1)
    let thrown: unknown
    try {
      b.leader.check()
    } catch (error) {
      thrown = error
    }
    expect(isKubeError(thrown, 'Fenced')).toBe(true)
  })

  it('keeps what others noted on the Lease, and is not disturbed by it', async () => {
    const a = world.start('a')
    world.start('b')
    for (let round = 0; round < 20; round += 1) {
      await world.pass(0.9)
      world.server.edit((lease) => ({
        ...lease,
        metadata: { ...lease.metadata, annotations: { ...world.notes, note: `${round}` } },
      }))
    }
    await world.pass(2)
    expect(a.mayWrite()).toBe(true)
    expect(world.notes['note']).toBe('19')
    expect(world.spec['leaseTransitions']).toBe(0)
  })
})

describe('expiry', () => {
  it('lets another one lead a lease after the last renewal, and not before', async () => {
    const { a, b } = await world.startPair(6.5)
    a.kill()
    // The last renewal was at 6 s.
    await world.pass(14.45)
    expect(b.mayWrite()).toBe(false)
    await world.pass(0.1)
    expect(b.mayWrite()).toBe(true)
    expect(world.spec['leaseTransitions']).toBe(1)
  })

  it('is judged from when the record was last seen to change, by one that has just come', async () => {
    const a = world.start('a')
    await world.pass(3)
    a.kill()
    await world.pass(60)
    const b = world.start('b')
    await world.pass(14.9)
    expect(b.mayWrite()).toBe(false)
    await world.pass(0.2)
    expect(b.mayWrite()).toBe(true)
  })

  it.each([3_600_000, -3_600_000])('does not care for a time of day that jumps by %d ms', async (jump) => {
    const { a, b } = await world.startPair(5)
    a.jump(jump)
    await world.pass(20)
    b.jump(jump * 2)
    await world.pass(20)
    expect(world.server.holders).toEqual(['a'])
    expect(a.mayWrite()).toBe(true)
    expect(a.lost).toEqual([])
  })

  it('does not care for a time of day that stands still', async () => {
    const a = world.start('a')
    world.start('b')
    for (let second = 0; second < 60; second += 1) {
      await world.pass(1)
      a.jump(-1000)
    }
    expect(world.server.holders).toEqual(['a'])
  })
})

describe('a leader that is paused', () => {
  it('may not write past its deadline, though no timer has fired, and learns that it has lost', async () => {
    const { a, b } = await world.startPair(1)
    a.pause()
    await world.pass(8.9)
    expect(() => a.leader.check()).not.toThrow()
    await world.pass(0.2)
    expect(() => a.leader.check()).toThrow('does not lead')
    expect(b.mayWrite()).toBe(false)
    await world.pass(20)
    expect(b.mayWrite()).toBe(true)
    expect(a.lost).toEqual([])
    a.resume()
    expect(a.mayWrite()).toBe(false)
    await world.pass(1)
    expect(a.lost).toHaveLength(1)
    expect(world.server.holders).toEqual(['a', 'b'])
  })
})

describe('a process that computes for two seconds of three', () => {
  it.each([
    ['the leader', 1],
    ['the standby as well', 2],
  ])('does not lose the lead: %s', async (_who, count) => {
    const processes = [world.start('a'), world.start('b')].slice(0, count)
    await world.pass(1)
    for (let round = 0; round < 30; round += 1) {
      for (const each of processes) each.pause()
      await world.pass(2)
      for (const each of processes) each.resume()
      await world.pass(1)
      expect(processes[0]!.mayWrite()).toBe(true)
    }
    expect(processes[0]!.lost).toEqual([])
    expect(world.server.holders).toEqual(['a'])
  })
})

describe('clocks of which one runs up to 1.4 times as fast as the other', () => {
  it.each([
    [1, 1.4],
    [1.4, 1],
    [0.8, 1.12],
    [2, 1.5],
  ])('cost nobody the lead, and never let two write: %d and %d', async (rate, other) => {
    const a = world.start('a', '1.0.0', { rate })
    const b = world.start('b', '1.0.0', { rate: other })
    await world.pass(60)
    expect(a.mayWrite()).toBe(true)
    expect(world.server.holders).toEqual(['a'])
    // Throws as soon as two would write.
    a.line.calls = 'down'
    await world.pass(25)
    expect(b.mayWrite()).toBe(true)
    a.line.calls = 'good'
    b.line.calls = 'down'
    await world.pass(25)
    expect(world.server.holders).toEqual(['a', 'b'])
  })
})

describe('release', () => {
  it('empties the Lease when nothing may be written any more, and the standby leads in that moment', async () => {
    const { a, b } = await world.startPair(3.5)
    const released = a.leader.release()
    expect(a.mayWrite()).toBe(false)
    expect(world.spec['holderIdentity']).toBe('a')
    await released
    await settle()
    expect(world.server.holders).toEqual(['a', '', 'b'])
    expect(b.mayWrite()).toBe(true)
    expect(a.lost).toEqual([])
  })

  it('is found by one that starts later, without a wait', async () => {
    const a = world.start('a')
    await world.pass(3)
    await a.leader.release()
    const b = world.start('b')
    await world.pass(0)
    expect(b.mayWrite()).toBe(true)
    expect(world.spec['leaseTransitions']).toBe(1)
    expect(world.notes).toEqual({ [annotations.holderVersion]: '1.0.0' })
  })

  it('is noticed without a watch as well', async () => {
    const a = world.start('a')
    const b = world.start('b')
    b.line.watch = 'silent'
    await world.pass(10)
    await a.leader.release()
    await world.pass(6)
    expect(b.mayWrite()).toBe(true)
  })

  it('comes through although the first answer is lost', async () => {
    const { a, b } = await world.startPair(3)
    a.line.calls = 'unanswered'
    const released = a.leader.release()
    await world.pass(1)
    a.line.calls = 'good'
    await world.pass(6)
    await released
    expect(world.server.holders).toEqual(['a', '', 'b'])
    expect(b.mayWrite()).toBe(true)
  })

  it('does not go on for longer than a lead without renewals would', async () => {
    const a = world.start('a')
    await world.pass(3)
    a.line.calls = 'down'
    let isOver = false
    void a.leader.release().then(() => (isOver = true))
    await world.pass(10.1)
    expect(isOver).toBe(true)
    expect(world.server.holders).toEqual(['a'])
  })

  it('ends a campaign that was not won, and leaves the Lease alone', async () => {
    const { a, b } = await world.startPair(1)
    const campaign = b.leader.campaign()
    await b.leader.release()
    await campaign
    await world.pass(60)
    expect(b.mayWrite()).toBe(false)
    expect(a.mayWrite()).toBe(true)
    expect(world.server.holders).toEqual(['a'])
  })
})
