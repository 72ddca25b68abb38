import { beforeEach, describe, expect, it } from '@jest/globals'
import { annotations } from '../../../operator/api/meta.ts'
import { makeLease, microTimeOf, parseLease } from '../../../operator/runtime/lease.ts'
import { isNewer } from '../../../operator/runtime/version.ts'
import { makeWorld, type Process, type World } from './leaderWorld.ts'

let world: World
beforeEach(() => {
  world = makeWorld()
})

/** Starts a process and gives it a second. */
async function come(name: string, version: string): Promise<Process> {
  const process = world.start(name, version)
  await world.pass(1)
  return process
}

/** As main does when it is asked for. */
async function obey(process: Process): Promise<void> {
  await world.pass(0.2)
  expect(process.superseded).toHaveLength(1)
  await process.leader.release()
  await world.pass(0.2)
}

describe('two versions', () => {
  it('of one kind do not bother each other', async () => {
    world.start('a', '1.0.0')
    const b = world.start('b', '1.0.0')
    await world.pass(30)
    expect(b.line.sent.patch).toBe(0)
    expect(world.server.holders).toEqual(['a'])
  })

  it('the older gives up the lead once, when it is asked, and the newer leads', async () => {
    const a = world.start('a', '1.9.0')
    const b = world.start('b', '1.10.0')
    await world.pass(0.2)
    expect(a.superseded).toEqual(['b of version 1.10.0 asks for the lead, this is 1.9.0'])
    expect(a.mayWrite()).toBe(true)
    // It has much to finish, and goes on to renew.
    await world.pass(40)
    expect(a.mayWrite()).toBe(true)
    await obey(a)
    expect(b.mayWrite()).toBe(true)
    expect(world.notes).toEqual({ [annotations.holderVersion]: '1.10.0' })
    expect(world.server.holders).toEqual(['a', '', 'b'])
  })

  it('the other candidates let the one that asked go first', async () => {
    const a = world.start('a', '1.0.0')
    const c = await come('c', '1.0.0')
    const b = world.start('b', '2.0.0')
    await world.pass(0.2)
    b.line.delayMilliseconds = 3000
    await a.leader.release()
    await world.pass(5)
    expect(b.mayWrite()).toBe(true)
    expect(c.mayWrite()).toBe(false)
    expect(world.server.holders).toEqual(['a', '', 'b'])
  })

  it('of three the newest asks last', async () => {
    const a = world.start('a', '1.0.0')
    const b = await come('b', '2.0.0')
    const c = await come('c', '3.0.0')
    await obey(a)
    expect(c.mayWrite()).toBe(true)
    expect(b.mayWrite()).toBe(false)
    await world.pass(30)
    expect(world.server.holders).toEqual(['a', '', 'c'])
  })

  it('the older never takes it from the newer while that one lives', async () => {
    const b = await come('b', '2.0.0')
    const a = world.start('a', '1.0.0')
    await world.pass(60)
    expect(b.mayWrite()).toBe(true)
    expect(b.superseded).toEqual([])
    expect(a.line.sent.patch).toBe(0)
  })

  it('the older lets a newer standby go first, in expiry and release', async () => {
    const b = await come('b', '2.0.0')
    const a = await come('a', '1.0.0')
    const c = await come('c', '2.0.0')
    await b.leader.release()
    await world.pass(1)
    expect(c.mayWrite()).toBe(true)
    expect(a.mayWrite()).toBe(false)
  })

  it('after a rollback the older leads, when no newer one is left', async () => {
    const b = await come('b', '2.0.0')
    const a = world.start('a', '1.0.0')
    await world.pass(10)
    await b.leader.release()
    await world.pass(4.2)
    expect(a.mayWrite()).toBe(true)
    expect(world.notes[annotations.holderVersion]).toBe('1.0.0')
    await world.pass(30)
    expect(a.superseded).toEqual([])
  })

  it('a newer one that asked and died is forgotten after a lease', async () => {
    const a = await come('a', '1.0.0')
    const b = await come('b', '2.0.0')
    b.kill()
    a.kill()
    const c = world.start('c', '1.0.0')
    await world.pass(14)
    expect(world.notes[annotations.candidate]).toMatch(/^2.0.0 b /)
    expect(c.mayWrite()).toBe(false)
    await world.pass(2)
    expect(c.mayWrite()).toBe(true)
    expect(c.superseded).toEqual([])
    expect(world.notes[annotations.candidate]).toBeUndefined()
  })

  it('asking does not prolong the life of a holder that has died', async () => {
    const a = world.start('a', '1.0.0')
    const b = await come('b', '2.0.0')
    a.kill()
    await world.pass(15)
    expect(b.mayWrite()).toBe(true)
  })

  it('a holder strikes out a newer one that has died', async () => {
    await come('a', '1.0.0')
    world.start('b', '2.0.0').kill()
    const b = await come('b2', '2.0.0')
    b.kill()
    expect(world.notes[annotations.candidate]).toMatch(/b2/)
    await world.pass(18)
    expect(world.notes).toEqual({ [annotations.holderVersion]: '1.0.0' })
  })

  it('a newer one that is stopped takes back what it asked', async () => {
    await come('a', '1.0.0')
    const b = await come('b', '2.0.0')
    expect(world.notes[annotations.candidate]).toMatch(/^2.0.0 b /)
    await b.leader.release()
    expect(world.notes).toEqual({ [annotations.holderVersion]: '1.0.0' })
    expect(world.server.holders).toEqual(['a'])
  })
})

describe('versions', () => {
  it.each([
    ['1.0.0', '0.9.9', true],
    ['1.10.0', '1.9.0', true],
    ['1.0.0', '1.0.0', false],
    ['1.0.0', '1.0.1', false],
    ['1.0.0', '1.0.0-rc.1', true],
    ['1.0.0-rc.1', '1.0.0', false],
    ['1.0.0-rc.10', '1.0.0-rc.9', true],
    ['1.0.0-rc.1', '1.0.0-beta.7', true],
    ['1.0.0-rc', '1.0.0-1', true],
    ['1.0.0-rc.1', '1.0.0-rc', true],
    ['1.0.0+build.2', '1.0.0+build.1', false],
    ['latest', '1.0.0', false],
    ['1.0.0', '', false],
  ])('%s is newer than %s: %s', (a, b, expected) => {
    expect(isNewer(a, b)).toBe(expected)
  })
})

describe('a Lease', () => {
  it('reads as it was written', () => {
    const record = {
      resourceVersion: '',
      holder: 'a',
      acquireTime: microTimeOf(new Date(0), 1),
      renewTime: microTimeOf(new Date(0), 1001),
      leaseSeconds: 15,
      transitions: 3,
      version: '1.0.0',
      releasedBy: 'b',
      candidate: { version: '2.0.0', identity: 'c', time: 'now' },
      foreign: { note: 'mine' },
    }
    expect(record.acquireTime).toBe('1970-01-01T00:00:00.000001Z')
    expect(parseLease(makeLease({ namespace: 'n', name: 'l' }, record))).toEqual(record)
  })

  it.each(['', 'one', 'one two', 'one two three four'])('of which the candidate is %j has none', (candidate) => {
    const metadata = { name: 'l', annotations: { [annotations.candidate]: candidate } }
    expect(parseLease({ apiVersion: 'v1', kind: 'Lease', metadata }).candidate).toBeUndefined()
  })
})
