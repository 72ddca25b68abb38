import process from 'node:process'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Priority, QueueOptions } from '../../../operator/runtime/queue.ts'
import { priorities, Turns, type Turn } from '../../../operator/runtime/turns.ts'
import { makeQueueRig, type QueueRig } from './queueRig.ts'

/** Keys are `project/app/name`. */
function flowOf(key: string): readonly string[] {
  return key.split('/').slice(0, 2)
}

/** Everything that waits, in the order it is served when each is done before the next is taken. */
function drain(turns: Turns): string[] {
  const served: string[] = []
  for (let turn = turns.take(); turn !== undefined; turn = turns.take()) {
    served.push(turn.key)
    turns.giveBack(turn)
  }
  return served
}

/** CPU time of adding and taking this many keys of one app, again and again: others on the machine do not count. */
function cpuTimeOf(count: number, times: number): number {
  const before = process.threadCpuUsage()
  for (let time = 0; time < times; time += 1) {
    const turns = new Turns(10, flowOf)
    for (let key = 0; key < count; key += 1) turns.add(`p/a/${key}`, 'event', 0)
    expect(drain(turns)).toHaveLength(count)
  }
  const { user, system } = process.threadCpuUsage(before)
  return user + system
}

const makeRig = (workers: number, more: Partial<QueueOptions> = {}): QueueRig =>
  makeQueueRig(workers, { flowOf, ...more })

describe('order of the queue', () => {
  it('serves a user first, then events, retries, and what only might have been missed', () => {
    const turns = new Turns(1, flowOf)
    for (const priority of priorities.toReversed()) turns.add(`p/a/${priority}`, priority, 0)
    expect(drain(turns)).toEqual(['p/a/user', 'p/a/event', 'p/a/retry', 'p/a/resync'])
  })

  it('lets projects take turns, in each its apps, of an app the first come', () => {
    const turns = new Turns(1, flowOf)
    for (const key of ['p/a/1', 'p/a/2', 'p/b/1', 'q/a/1', 'q/a/2', 'r/a/1']) turns.add(key, 'event', 0)
    expect(drain(turns)).toEqual(['p/a/1', 'q/a/1', 'r/a/1', 'p/b/1', 'q/a/2', 'p/a/2'])
  })

  it('raises a key that is asked for with a higher priority, and never lowers one', () => {
    const turns = new Turns(1, flowOf)
    for (const key of ['p/a/1', 'p/a/2', 'p/a/3']) expect(turns.add(key, 'event', 0)).toBe(true)
    expect(turns.add('p/a/3', 'user', 0)).toBe(false)
    expect(turns.add('p/a/3', 'resync', 0)).toBe(false)
    expect(turns.sizeOf('user')).toBe(1)
    expect(turns.size).toBe(3)
    expect(drain(turns)).toEqual(['p/a/3', 'p/a/1', 'p/a/2'])
  })

  it('serves the longest wait of all at every eighth pick', () => {
    const turns = new Turns(1, flowOf)
    for (const name of ['old', 'older']) turns.add(`p/a/${name}`, 'resync', 0)
    turns.add('p/a/event', 'event', 0)
    for (let name = 0; name < 20; name += 1) turns.add(`p/a/${name}`, 'user', 1)
    expect(drain(turns).indexOf('p/a/old')).toBe(7)
  })

  it('serves of eight one of the second priority that waits, in its own order', () => {
    const turns = new Turns(1, flowOf)
    for (let name = 0; name < 40; name += 1) turns.add(`p/a/${name}`, 'user', 0)
    for (const key of ['q/a/1', 'q/a/2', 'r/a/1']) turns.add(key, 'event', 0)
    turns.add('p/a/resync', 'resync', 0)
    const served = drain(turns)
    expect(['q/a/1', 'r/a/1', 'q/a/2', 'p/a/resync'].map((key) => served.indexOf(key))).toEqual([3, 11, 19, 27])
  })

  it('gives a project that holds no worker the next one, whatever another project has waiting', () => {
    const turns = new Turns(4, flowOf)
    for (let name = 0; name < 1000; name += 1) turns.add(`big/a/${name}`, 'event', 0)
    for (let worker = 0; worker < 4; worker += 1) turns.take()
    turns.add('small/a/1', 'event', 0)
    turns.add('big/a/new', 'event', 0)
    expect([turns.take()?.project, turns.take()?.project]).toContain('small')
  })

  it('lets a project with slow keys hold its share of the workers only, once others wait', () => {
    const turns = new Turns(4, flowOf)
    for (let name = 0; name < 1000; name += 1) turns.add(`slow/a/${name}`, 'event', 0)
    for (let name = 0; name < 1000; name += 1) turns.add(`fast/a/${name}`, 'event', 0)
    const held = new Map([
      ['slow', 0],
      ['fast', 0],
    ])
    // Keys of the slow project never end, those of the other at once.
    for (let pick = 0; pick < 6; pick += 1) {
      const turn = turns.take()
      held.set(turn?.project ?? '', (held.get(turn?.project ?? '') ?? 0) + 1)
      if (turn?.project === 'fast') turns.giveBack(turn)
    }
    expect(held).toEqual(
      new Map([
        ['slow', 2],
        ['fast', 4],
      ]),
    )
  })

  it('knows how many workers a project holds while some of its keys are given back', () => {
    const turns = new Turns(4, flowOf)
    for (let name = 0; name < 10; name += 1) turns.add(`slow/a/${name}`, 'event', 0)
    const taken = [turns.take(), turns.take(), turns.take()]
    for (let name = 0; name < 10; name += 1) turns.add(`fast/a/${name}`, 'event', 0)
    if (taken[0] !== undefined) turns.giveBack(taken[0])
    expect([turns.take()?.project, turns.take()?.project]).toEqual(['fast', 'fast'])
  })

  it('serves who comes after all that waited was forgotten', () => {
    const turns = new Turns(1, flowOf)
    for (let name = 0; name < 20; name += 1) turns.add(`p/a/${name}`, 'event', 0)
    turns.clear()
    expect(turns.size).toBe(0)
    for (let name = 20; name < 40; name += 1) turns.add(`p/a/${name}`, 'event', 0)
    expect(drain(turns)).toHaveLength(20)
  })

  it('counts a key that is done no longer among those its project holds', async () => {
    const { queue, started, finish } = makeRig(2)
    queue.start()
    for (const key of ['p/a/1', 'p/a/2']) queue.add(key, 'event')
    for (const key of ['p/a/1', 'p/a/2']) await finish(key)
    for (const key of ['r/a/1', 'r/a/2', 'p/a/3', 'q/a/1']) queue.add(key, 'event')
    await finish('r/a/1')
    expect(started.at(-1)).toBe('p/a/3')
  })

  it('runs a key again with the highest priority asked for meanwhile', async () => {
    const { queue, started, finish } = makeRig(1)
    queue.start()
    queue.add('p/a/1', 'event')
    for (const priority of ['resync', 'user', 'event'] as const) queue.add('p/a/1', priority)
    queue.add('p/a/2', 'event')
    expect(queue.depths).toEqual({ user: 1, event: 1, retry: 0, resync: 0 })
    await finish('p/a/1')
    expect(started).toEqual(['p/a/1', 'p/a/1'])
  })
})

interface Step {
  readonly key: string
  readonly priority: Priority
  /** How many keys are taken after the add, and how many of those that are held are given back then. */
  readonly takes: number
  readonly gives: number
}

const arbitraryStep: fc.Arbitrary<Step> = fc.record({
  key: fc
    .tuple(fc.nat({ max: 4 }), fc.nat({ max: 3 }), fc.nat({ max: 6 }))
    .map(([project, app, name]) => `p${project}/a${app}/${name}`),
  priority: fc.constantFrom(...priorities),
  takes: fc.nat({ max: 2 }),
  gives: fc.nat({ max: 2 }),
})

/** What waits, as the promises of Turns need it. */
interface Waiting {
  priority: Priority
  readonly older: number
  readonly sincePick: number
}

describe('promises of the queue', () => {
  it('serves every key, each once, none later than promised, and else nobody before a higher priority', () => {
    fc.assert(
      fc.property(fc.array(arbitraryStep, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (steps, workers) => {
        const turns = new Turns(workers, flowOf)
        const waiting = new Map<string, Waiting>()
        const held: Turn[] = []
        let picks = 0
        const take = (): boolean => {
          const turn = turns.take()
          if (turn === undefined) return false
          picks += 1
          const wait = waiting.get(turn.key)
          if (wait === undefined) throw new Error(`${turn.key} did not wait`)
          waiting.delete(turn.key)
          expect(turn.priority).toBe(wait.priority)
          expect(picks - wait.sincePick).toBeLessThanOrEqual(8 * (wait.older + 1))
          const ranks = [wait, ...waiting.values()].map(({ priority }) => priorities.indexOf(priority))
          const [first, second = first] = [...new Set(ranks)].toSorted((a, b) => a - b)
          const isOldest = picks % 8 === 0
          expect(isOldest || priorities.indexOf(turn.priority) === (picks % 8 === 4 ? second : first)).toBe(true)
          held.push(turn)
          return true
        }
        for (const { key, priority, takes, gives } of steps) {
          const wait = waiting.get(key)
          expect(turns.add(key, priority, picks)).toBe(wait === undefined)
          if (wait === undefined) waiting.set(key, { priority, older: waiting.size, sincePick: picks })
          else if (priorities.indexOf(priority) < priorities.indexOf(wait.priority)) wait.priority = priority
          expect(turns.size).toBe(waiting.size)
          for (let time = 0; time < takes; time += 1) take()
          for (const turn of held.splice(0, gives)) turns.giveBack(turn)
        }
        while (take());
        expect(waiting.size).toBe(0)
        expect(priorities.map((priority) => turns.sizeOf(priority))).toEqual([0, 0, 0, 0])
      }),
    )
  })

  it('serves a project within one pick of each other project, but for every eighth pick', () => {
    const arbitraryProjects = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(arbitraryProjects, fc.integer({ min: 1, max: 8 }), (sizes, workers) => {
        const turns = new Turns(workers, flowOf)
        for (const [project, size] of sizes.entries()) {
          for (let name = 0; name < size; name += 1) turns.add(`p${project}/a${name % 3}/${name}`, 'event', 0)
        }
        turns.add('late/a/1', 'event', 0)
        const place = drain(turns).indexOf('late/a/1') + 1
        expect(place - Math.floor(place / 8)).toBeLessThanOrEqual(sizes.length + 1)
      }),
    )
  })

  it('takes no longer for a key of two hundred thousand than for one of a thousand', () => {
    cpuTimeOf(1000, 20)
    // Measured 1 to 3; with a Set that is read from its start each time 10 to 20.
    expect(cpuTimeOf(200_000, 1) / cpuTimeOf(1000, 200)).toBeLessThan(6)
  })
})
