import { beforeEach, describe, expect, it } from '@jest/globals'
import { settle } from './fakeClock.ts'
import { makeWorld, type World } from './leaderWorld.ts'

let world: World
beforeEach(() => {
  world = makeWorld()
})

describe('a Lease that a hand touches', () => {
  it('is made anew by its holder when it is deleted', async () => {
    const { a, b } = await world.startPair(5)
    world.server.edit(() => undefined)
    await world.pass(0)
    expect(world.spec['holderIdentity']).toBe('a')
    await world.pass(20)
    expect(a.mayWrite()).toBe(true)
    expect(b.mayWrite()).toBe(false)
  })

  it('is nobody else’s before the holder’s time is over, also when it was deleted', async () => {
    const { a, b } = await world.startPair(4)
    a.line.calls = 'down'
    world.server.edit(() => undefined)
    await world.pass(9.9)
    expect(a.mayWrite()).toBe(true)
    await world.pass(4.9)
    expect(a.mayWrite()).toBe(false)
    expect(b.mayWrite()).toBe(false)
    await world.pass(0.5)
    expect(b.mayWrite()).toBe(true)
  })

  it('is claimed again by its holder when it is emptied: nobody takes that for a release', async () => {
    const { a, b } = await world.startPair(5)
    world.editSpec({ holderIdentity: '' })
    await world.pass(20)
    expect(world.server.holders).toEqual(['a', '', 'a'])
    expect(a.mayWrite()).toBe(true)
    expect(b.mayWrite()).toBe(false)
  })

  it('is not taken at once when it is emptied and the holder cannot see it', async () => {
    const { a, b } = await world.startPair(5)
    a.line.calls = 'down'
    world.editSpec({ holderIdentity: '', leaseDurationSeconds: 1 })
    await world.pass(14.9)
    expect(b.mayWrite()).toBe(false)
    await world.pass(1)
    expect(b.mayWrite()).toBe(true)
  })

  it('ends the lead in that moment when it is given to a stranger, who must then expire', async () => {
    const { a, b } = await world.startPair(5)
    world.editSpec({ holderIdentity: 'stranger' })
    await settle()
    expect(a.mayWrite()).toBe(false)
    expect(a.lost).toEqual(['stranger has taken the Lease'])
    await world.pass(14.9)
    expect(b.mayWrite()).toBe(false)
    await world.pass(0.2)
    expect(b.mayWrite()).toBe(true)
  })

  it('does not make one lead to whom it is given: who led before may not know yet', async () => {
    const { a, b } = await world.startPair(4)
    a.line.watch = 'silent'
    world.editSpec({ holderIdentity: 'b' })
    await world.pass(1.9)
    expect(a.mayWrite()).toBe(true)
    await world.pass(1)
    expect(a.mayWrite()).toBe(false)
    await world.pass(12)
    expect(b.mayWrite()).toBe(false)
    await world.pass(0.5)
    expect(b.mayWrite()).toBe(true)
  })
})

describe('a server in trouble', () => {
  it('that is slow gives nobody more time: a lead counts from before it was asked for', async () => {
    const a = world.start('a')
    a.line.delayMilliseconds = 4000
    await world.pass(4.1)
    expect(a.mayWrite()).toBe(true)
    a.line.calls = 'down'
    await world.pass(5.8)
    expect(a.mayWrite()).toBe(true)
    await world.pass(0.2)
    expect(a.mayWrite()).toBe(false)
  })

  it('whose answer comes after the Lease was taken from us makes nobody lead', async () => {
    const a = world.start('a')
    a.line.delayMilliseconds = 4000
    await world.pass(3)
    expect(world.server.holders).toEqual(['a'])
    world.editSpec({ holderIdentity: 'stranger' })
    await world.pass(2)
    expect(a.mayWrite()).toBe(false)
  })

  it('that answers after four seconds costs nobody the lead', async () => {
    const { a } = await world.startPair(3)
    a.line.delayMilliseconds = 4000
    await world.pass(60)
    expect(a.mayWrite()).toBe(true)
    expect(world.server.holders).toEqual(['a'])
  })

  it.each([
    ['refuses connections', 'refused', 7],
    ['loses what it is sent', 'down', 5],
  ] as const)('that %s for some seconds costs nobody the lead', async (_what, calls, seconds) => {
    const { a, b } = await world.startPair(3.5)
    a.line.calls = b.line.calls = calls
    await world.pass(seconds)
    a.line.calls = b.line.calls = 'good'
    await world.pass(30)
    expect(a.mayWrite()).toBe(true)
    expect(world.server.holders).toEqual(['a'])
  })

  it.each(['refused', 'down'] as const)(
    'that is %s for longer ends the lead, ten seconds after the start of the last renewal',
    async (calls) => {
      const { a } = await world.startPair(3.5)
      a.line.calls = calls
      await world.pass(8.4)
      expect(a.mayWrite()).toBe(true)
      expect(a.lost).toEqual([])
      await world.pass(0.2)
      expect(a.mayWrite()).toBe(false)
      expect(a.lost).toEqual(['the Lease could not be renewed in time'])
    },
  )

  it('that does what it is told but whose answers are lost ends the lead as well, and the next one leads in time', async () => {
    const { a, b } = await world.startPair(3)
    a.line.calls = 'unanswered'
    await world.pass(12)
    expect(a.mayWrite()).toBe(false)
    await world.pass(20)
    expect(b.mayWrite()).toBe(true)
  })

  it('whose answer to one renewal is lost costs nobody the lead', async () => {
    const { a } = await world.startPair(3)
    a.line.calls = 'unanswered'
    await world.pass(1.5)
    a.line.calls = 'good'
    await world.pass(30)
    expect(a.mayWrite()).toBe(true)
    expect(world.server.holders).toEqual(['a'])
  })

  it('whose answer to a takeover is lost makes nobody wait until it expires', async () => {
    const a = world.start('a')
    await world.pass(3)
    await a.leader.release()
    const b = world.start('b')
    b.line.calls = 'unanswered'
    b.line.watch = 'silent'
    await world.pass(1)
    b.line.calls = 'good'
    await world.pass(12)
    expect(b.mayWrite()).toBe(true)
    expect(world.server.holders).toEqual(['a', '', 'b'])
  })

  it('that asks for patience gets it', async () => {
    const a = world.start('a')
    await world.pass(2.5)
    a.line.calls = 'busy'
    await world.pass(2)
    const { patch } = a.line.sent
    a.line.calls = 'good'
    await world.pass(4)
    expect(a.line.sent.patch).toBe(patch)
    await world.pass(1)
    expect(a.line.sent.patch).toBe(patch + 1)
    expect(a.mayWrite()).toBe(true)
  })

  it('that refuses a Lease altogether leaves everybody waiting', async () => {
    const a = world.start('a')
    a.line.calls = 'busy'
    await world.pass(60)
    expect(a.mayWrite()).toBe(false)
    a.line.calls = 'good'
    await world.pass(6)
    expect(a.mayWrite()).toBe(true)
  })
})
