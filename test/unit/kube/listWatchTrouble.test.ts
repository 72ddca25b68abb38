import { describe, expect, it } from '@jest/globals'
import { KubeError } from '../../../operator/kube/errors.ts'
import { settle } from '../runtime/fakeClock.ts'
import { event, page, start } from './listWatchRig.ts'

describe('a list that is hard to believe', () => {
  it.each([
    ['older', 3, [1000, 4000, 16_000]],
    ['shrunk', 2, [1000, 4000]],
  ] as const)('because it is %s is read again %d times', async (doubt, times, delays) => {
    const rig = start(page('9', '', 'a'), ...Array.from({ length: times + 1 }, () => page('7', '')))
    const waited: number[] = []
    await settle()
    rig.doubts.push(...Array.from({ length: times + 1 }, () => [doubt]))
    await rig.streams[0]?.fail(new KubeError('Gone', 'too old'))
    await rig.clock.pass(200)
    for (let time = 0; time < times; time += 1) {
      const { state } = rig.listWatch
      expect(rig.told).toEqual(['=a @9'])
      if (state.kind === 'waiting') waited.push(state.delayMilliseconds)
      await rig.clock.pass(waited.at(-1) ?? 0)
    }
    expect(waited).toEqual(delays)
    expect(rig.told).toEqual(['=a @9', '= @7'])
    expect(rig.listWatch.counts).toMatchObject({ lists: times + 2, doubts: times })
    await rig.stop()
  })

  it('is forgotten when the next one is good', async () => {
    const rig = start(page('9', '', 'a'), page('7', ''), page('10', '', 'a'))
    await settle()
    rig.doubts.push(['older', 'shrunk'])
    await rig.streams[0]?.fail(new KubeError('Gone', 'too old'))
    await rig.clock.pass(1200)
    expect(rig.told).toEqual(['=a @9', '=a @10'])
    await rig.stop()
  })
})

describe('relist', () => {
  it('cuts the stream and lists, once however often it is asked', async () => {
    const rig = start(page('7', '', 'a'), page('8', '', 'a', 'b'))
    await rig.clock.pass(60_000)
    rig.listWatch.relist()
    rig.listWatch.relist()
    await rig.clock.pass(0)
    expect(rig.told).toEqual(['=a @7', '=a,b @8'])
    expect(rig.failures).toEqual([])
    expect(rig.streams.map(({ options }) => options.signal.aborted)).toEqual([true, false])
    await rig.stop()
  })

  it('happens at most every 30 s, and is not forgotten', async () => {
    const rig = start(page('7', ''), page('8', ''))
    await rig.clock.pass(10_000)
    rig.listWatch.relist()
    await rig.clock.pass(19_000)
    expect(rig.lists).toHaveLength(1)
    await rig.clock.pass(1000)
    expect(rig.lists).toHaveLength(2)
    await rig.clock.pass(29_000)
    rig.listWatch.relist()
    await rig.clock.pass(500)
    expect(rig.lists).toHaveLength(2)
    await rig.stop()
    expect(rig.clock.pending()).toEqual([])
  })

  it('takes the place of the watch that a failure would lead to', async () => {
    const rig = start(page('7', ''), page('8', ''))
    await rig.clock.pass(60_000)
    await rig.streams[0]?.fail(new KubeError('Unavailable', 'reset'))
    rig.listWatch.relist()
    await rig.clock.pass(200)
    expect(rig.told).toEqual(['= @7', '= @8'])
    await rig.stop()
  })
})

describe('a watch in trouble', () => {
  it('passes over an event of a type it does not know', async () => {
    const rig = start(page('7', '', 'a'))
    await settle()
    await rig.streams[0]?.send(event('NEW' as 'ADDED', 'x', '8'), event('ADDED', 'b', '9'))
    expect(rig.told).toEqual(['=a @7', '@8', '~b'])
    expect([rig.failures, rig.skipped]).toEqual([[], ['unknownType']])
    await rig.stop()
  })

  it('passes over an object that the sink refuses', async () => {
    const rig = start(page('7', '', 'a'))
    await settle()
    await rig.streams[0]?.send(event('ADDED', 'poison', '8'), event('ADDED', 'b', '9'))
    expect(rig.told).toEqual(['=a @7', '@8', '~b'])
    expect([rig.failures, rig.skipped]).toEqual([[], ['refused']])
    await rig.stop()
  })

  it('does not go back when old events are sent again', async () => {
    const rig = start(page('7', ''))
    await rig.clock.pass(5000)
    await rig.streams[0]?.send(event('ADDED', 'b', '9'), event('ADDED', 'a', '8'))
    await rig.streams[0]?.end()
    expect(rig.told).toEqual(['= @7', '~b'])
    expect(rig.streams[1]?.options).toMatchObject({ resourceVersion: '9' })
    await rig.stop()
  })

  it('lists when a bookmark says that nothing so new has happened: the data was restored', async () => {
    const rig = start(page('700', '', 'a'), page('60', ''))
    await settle()
    await rig.streams[0]?.send(event('BOOKMARK', '', '60'))
    expect(rig.failures).toEqual(['Gone 200'])
    await rig.clock.pass(200)
    expect(rig.told).toEqual(['=a @700', '= @60'])
    await rig.stop()
  })

  it('does not list ever again and again at a server that answers 410 to each watch', async () => {
    const rig = start(...Array.from({ length: 1000 }, () => page('7', '')))
    for (let second = 0; second < 120; second += 1) {
      await rig.streams.at(-1)?.fail(new KubeError('Gone', 'too old resource version'))
      await rig.clock.pass(1000)
    }
    expect(rig.lists.length).toBeLessThan(12)
    await rig.stop()
  })

  it('lists to get past a line that is broken each time it is sent, and not in a hurry', async () => {
    const rig = start(...Array.from({ length: 1000 }, (_, index) => page(String(7 + index), '')))
    const broken = new KubeError('Malformed', 'a line is no JSON')
    await settle()
    for (let time = 0; time < 3; time += 1) {
      expect(rig.lists).toHaveLength(1)
      // What was seen before, sent again, does not count as getting on.
      await rig.streams.at(-1)?.send(event('BOOKMARK', '', '7'))
      await rig.streams.at(-1)?.fail(broken)
      await rig.clock.pass(1000)
    }
    expect(rig.failures).toEqual(['Malformed 200', 'Malformed 400', 'Malformed 800'])
    expect(rig.lists).toHaveLength(2)
    for (let second = 0; second < 600; second += 1) {
      await rig.streams.at(-1)?.fail(broken)
      await rig.clock.pass(1000)
    }
    expect(rig.failures.length).toBeLessThan(35)
    expect(rig.lists.length).toBeLessThan(12)
    await rig.stop()
  })

  it('lists when three streams in a row were silent: the server may be waiting for what will not come', async () => {
    const rig = start(page('7', ''), page('8', ''))
    await rig.clock.pass(3 * 150_000 + 3000)
    expect(rig.failures).toEqual(['Timeout 200', 'Timeout 200', 'Timeout 200'])
    expect(rig.told).toEqual(['= @7', '= @8'])
    await rig.stop()
  })

  it('begins with short delays again after a stream that lasted', async () => {
    const rig = start(page('7', ''))
    await settle()
    for (let time = 0; time < 6; time += 1) {
      await rig.streams.at(-1)?.fail(new KubeError('Unavailable', 'reset'))
      await rig.clock.pass(7000)
    }
    await rig.clock.pass(10_000)
    await rig.streams.at(-1)?.fail(new KubeError('Unavailable', 'reset'))
    expect(rig.failures.slice(-2)).toEqual(['Unavailable 6400', 'Unavailable 200'])
    await rig.stop()
  })
})
