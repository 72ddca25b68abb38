import { describe, expect, it } from '@jest/globals'
import type { QueueObserver } from '../../../operator/runtime/queue.ts'
import { makeFakeClock } from './fakeClock.ts'
import { makeQueueRig, type QueueRig } from './queueRig.ts'

const makeRig = (workers = 2, observer: QueueObserver = {}): QueueRig => makeQueueRig(workers, { observer })

describe('queue', () => {
  it('works on nothing before it is started, then on keys in the order they came, each once', () => {
    const { queue, started } = makeRig(3)
    for (const key of ['b', 'a', 'b', 'a']) queue.add(key)
    expect(started).toEqual([])
    queue.start()
    expect(started).toEqual(['b', 'a'])
  })

  it('keeps to its number of workers', async () => {
    const { queue, started, finish } = makeRig(2)
    queue.start()
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key)
    expect(started).toEqual(['a', 'b'])
    await finish('b')
    expect(started).toEqual(['a', 'b', 'c'])
    expect(queue.depth).toBe(1)
    expect(queue.running).toBe(2)
  })

  it('works once more, and not at the same time, on a key that is added while it is worked on', async () => {
    const { queue, started, finish } = makeRig()
    queue.start()
    queue.add('a')
    queue.add('a')
    queue.add('a')
    expect(started).toEqual(['a'])
    await finish('a')
    expect(started).toEqual(['a', 'a'])
    await finish('a')
    expect(started).toEqual(['a', 'a'])
  })

  it('lets the earliest of several delayed requests count', async () => {
    const { queue, clock, started, finish } = makeRig()
    queue.start()
    queue.addAfter('a', 5000)
    queue.addAfter('a', 1000)
    queue.addAfter('a', 9000)
    await clock.pass(1000)
    expect(started).toEqual(['a'])
    await finish('a')
    await clock.pass(10_000)
    expect(started).toEqual(['a'])
  })

  it('doubles the delay of a key with each failure up to two minutes, and begins anew when it is forgotten', () => {
    const { queue } = makeRig()
    const delays = Array.from({ length: 14 }, () => queue.addWithBackoff('a'))
    expect(delays.slice(0, 4)).toEqual([50, 100, 200, 400])
    expect(delays.at(-1)).toBe(120_000)
    expect(queue.addWithBackoff('b')).toBe(50)
    queue.forget('a')
    expect(queue.addWithBackoff('a')).toBe(50)
  })

  it.each([
    [0, 400],
    [0.5, 600],
    [1, 800],
  ])('draws a delay by chance (%d): after the fifth failure %d ms', async (chance, milliseconds) => {
    const clock = makeFakeClock(chance)
    const { queue, started } = makeQueueRig(1, { clock })
    queue.start()
    const delays = Array.from({ length: 5 }, () => queue.addWithBackoff('a'))
    expect(delays.at(-1)).toBe(milliseconds)
    await clock.pass(milliseconds - 1)
    expect(started).toEqual([])
    await clock.pass(1)
    expect(started).toEqual(['a'])
  })

  it('does not try again before the server allows it', () => {
    const { queue } = makeRig()
    expect(queue.addWithBackoff('a', 7000)).toBe(7000)
  })

  it('forgets delayed requests of a key that is forgotten', async () => {
    const { queue, clock, started } = makeRig()
    queue.start()
    queue.addAfter('a', 1000)
    queue.forget('a')
    await clock.pass(5000)
    expect(started).toEqual([])
    expect(clock.pending()).toEqual([])
  })

  it('lets an event run a failed key before its delay, in place of the retry, and grows the delay on', async () => {
    const { queue, clock, started, finish } = makeRig()
    queue.start()
    for (let failure = 0; failure < 5; failure += 1) queue.addWithBackoff('a')
    expect(clock.pending()).toEqual([800])
    queue.add('a')
    expect(started).toEqual(['a'])
    expect(clock.pending()).toEqual([])
    expect(queue.addWithBackoff('a')).toBe(1600)
    await finish('a')
    await clock.pass(1599)
    expect(started).toEqual(['a'])
    await clock.pass(1)
    expect(started).toEqual(['a', 'a'])
  })

  it('serves a retry after what waits for an event, and a delayed request with its priority', async () => {
    const { queue, clock, started, finish } = makeRig(1)
    queue.start()
    queue.add('busy')
    queue.addWithBackoff('failed')
    queue.addAfter('timed', 90, 'user')
    queue.addAfter('timed', 50, 'resync')
    await clock.pass(50)
    queue.add('changed')
    for (const key of ['busy', 'timed', 'changed', 'failed']) await finish(key)
    expect(started).toEqual(['busy', 'timed', 'changed', 'failed'])
  })

  it('tells what happens to keys, in seconds, and for how long keys have been worked on', async () => {
    const told: string[] = []
    const { queue, clock, finish } = makeRig(2, {
      added: (key) => told.push(`added ${key}`),
      started: (key, waited) => told.push(`started ${key} after ${waited}`),
      finished: (key, seconds) => told.push(`finished ${key} in ${seconds}`),
      retried: (key) => told.push(`retried ${key}`),
    })
    queue.add('a')
    await clock.pass(1000)
    queue.add('a', 'user')
    await clock.pass(1000)
    queue.start()
    await clock.pass(3000)
    queue.add('a')
    queue.add('a')
    queue.add('b')
    await clock.pass(1000)
    expect([queue.unfinishedSeconds, queue.longestRunningSeconds]).toEqual([5, 4])
    queue.addWithBackoff('a')
    await finish('a')
    expect([queue.unfinishedSeconds, queue.longestRunningSeconds]).toEqual([1, 1])
    expect(told).toEqual([
      'added a',
      'started a after 2',
      'added a',
      'added b',
      'started b after 0',
      'retried a',
      'finished a in 4',
      'started a after 1',
    ])
  })

  it('takes no key, and sets no timer, once it is stopped', async () => {
    const { queue, clock, started, finish } = makeRig()
    queue.start()
    queue.add('a')
    queue.addAfter('b', 10)
    queue.addWithBackoff('c')
    const stopped = queue.stop()
    queue.add('a')
    queue.add('b')
    queue.addAfter('b', 10)
    queue.addWithBackoff('c')
    await finish('a')
    await stopped
    expect(clock.pending()).toEqual([])
    expect(queue.depth).toBe(0)
    expect(started).toEqual(['a'])
  })

  it('stops when the running keys are done, and leaves the others', async () => {
    const { queue, started, finish, clock } = makeRig(1)
    queue.start()
    queue.add('a')
    queue.add('b')
    queue.addAfter('c', 10)
    let isStopped = false
    const stopped = queue.stop().then(() => (isStopped = true))
    await clock.pass(100)
    expect(isStopped).toBe(false)
    await finish('a')
    await stopped
    expect(started).toEqual(['a'])
  })
})
