import { describe, expect, it } from '@jest/globals'
import { Breaker } from '../../../operator/runtime/breaker.ts'
import { makeFakeClock, type FakeClock } from './fakeClock.ts'

interface Rig {
  readonly breaker: Breaker
  readonly clock: FakeClock
  readonly told: string[]
  /** So many changes, one each so many milliseconds. */
  readonly change: (key: string, times: number, milliseconds: number) => Promise<void>
}

function makeRig(): Rig {
  const clock = makeFakeClock()
  const told: string[] = []
  const breaker = new Breaker({
    clock,
    onOpen: (key) => told.push(`open ${key}`),
    onClose: (key) => told.push(`close ${key}`),
  })
  const change = async (key: string, times: number, milliseconds: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      breaker.changed(key)
      await clock.pass(milliseconds)
    }
  }
  return { breaker, clock, told, change }
}

describe('breaker', () => {
  it('lets a creation pass, ten changes in three seconds, and two more of them right after', async () => {
    const { breaker, told, change } = makeRig()
    for (let creation = 0; creation < 3; creation += 1) {
      await change('a', 10, 300)
      expect(breaker.delayFor('a')).toBe(0)
    }
    expect(told).toEqual([])
  })

  it('never opens for a change every five seconds', async () => {
    const { told, change } = makeRig()
    await change('a', 500, 5000)
    expect(told).toEqual([])
  })

  it('opens at the change for which no token is left, and says so once', async () => {
    const { breaker, told, change } = makeRig()
    await change('a', 30, 1)
    expect(breaker.openCount).toBe(0)
    await change('a', 30, 1)
    expect(breaker.openCount).toBe(1)
    expect(told).toEqual(['open a'])
    expect(breaker.delayFor('b')).toBe(0)
  })

  it('lets a key that changes itself at every run do so every ten seconds and no more', async () => {
    const { breaker, clock, change } = makeRig()
    await change('a', 31, 0)
    const runs: number[] = []
    while (clock.now() < 100_000) {
      const delay = breaker.delayFor('a')
      if (delay === 0) {
        runs.push(clock.now())
        breaker.changed('a')
      }
      await clock.pass(delay === 0 ? 10 : delay)
    }
    expect(runs.slice(0, 3)).toEqual([10_000, 20_000, 30_000])
    expect(runs.length).toBe(9)
    expect(breaker.openCount).toBe(1)
  })

  it('lets an open key run every ten seconds however often others change it', async () => {
    const { breaker, clock, change } = makeRig()
    await change('a', 31, 0)
    const runs: number[] = []
    while (clock.now() < 60_000) {
      await change('a', 1, 100)
      if (breaker.delayFor('a') === 0) runs.push(clock.now())
    }
    expect(runs).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000])
  })

  it('closes when the object has not changed for a minute, and says so once', async () => {
    const { breaker, clock, told, change } = makeRig()
    await change('a', 31, 0)
    await clock.pass(50_000)
    breaker.changed('a')
    await clock.pass(50_000)
    expect(told).toEqual(['open a'])
    await clock.pass(20_000)
    expect(told).toEqual(['open a', 'close a'])
    expect(breaker.delayFor('a')).toBe(0)
  })

  it('closes also after it was open for so long that its bucket was full again', async () => {
    const { clock, told, change } = makeRig()
    await change('a', 31, 0)
    await change('a', 100, 10_000)
    expect(told).toEqual(['open a'])
    await clock.pass(70_000)
    expect(told).toEqual(['open a', 'close a'])
  })

  it('keeps nothing of an object, however often it changed, when it was left alone for as long as a bucket takes to fill', async () => {
    const { breaker, clock, change } = makeRig()
    await change('a', 1000, 1)
    expect(breaker.size).toBe(1)
    await clock.pass(160_000)
    expect(breaker.size).toBe(0)
  })

  it('keeps nothing, and no timer, of ten thousand keys once their buckets are full', async () => {
    const { breaker, clock } = makeRig()
    for (let key = 0; key < 10_000; key += 1) for (let time = 0; time < 3; time += 1) breaker.changed(`k${key}`)
    expect(breaker.size).toBe(10_000)
    await clock.pass(20_000)
    expect(breaker.size).toBe(0)
    await clock.pass(10_000)
    expect(clock.pending()).toEqual([])
  })

  it('forgets an object that is gone, and closes it', async () => {
    const { breaker, told, change } = makeRig()
    await change('a', 31, 0)
    breaker.forget('a')
    breaker.forget('b')
    expect(told).toEqual(['open a', 'close a'])
    expect(breaker.size).toBe(0)
  })

  it('leaves no timer when it is stopped', async () => {
    const { breaker, clock, change } = makeRig()
    await change('a', 31, 0)
    breaker.stop()
    expect(clock.pending()).toEqual([])
  })
})
