import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { maxQuietMilliseconds } from '../../../operator/kube/listWatch.ts'
import { Slots } from '../../../operator/kube/slots.ts'
import { makeFakeClock, settle } from '../runtime/fakeClock.ts'
import { event, expired, makePod, page, start, startWith, type Stream } from './listWatchRig.ts'

describe('list', () => {
  it('takes all pages before it tells anything', async () => {
    const rig = start(page('7', 'next', 'a', 'b'), page('7', '', 'c'))
    await settle()
    expect(rig.told).toEqual(['=a,b,c @7'])
    expect(rig.lists.map(({ limit, continueToken }) => [limit, continueToken])).toEqual([
      [500, ''],
      [500, 'next'],
    ])
    expect(rig.streams[0]?.options).toMatchObject({ resourceVersion: '7' })
    await rig.stop()
  })

  it('begins again when a page has grown too old, and tells nothing of the half list', async () => {
    const rig = start(page('7', 'next', 'a'), new KubeError('Gone', 'continue token expired'), page('9', '', 'b'))
    await settle()
    expect(rig.told).toEqual([])
    await rig.clock.pass(1000)
    expect(rig.told).toEqual(['=b @9'])
    await rig.stop()
  })

  it('tries again ever more slowly, but at least every 30 s', async () => {
    const rig = start(...Array.from({ length: 10 }, () => new KubeError('Unavailable', 'down')), page('7', '', 'a'))
    await rig.clock.pass(200_000)
    expect(rig.failures).toEqual(
      [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000].map((delay) => `Unavailable ${delay}`),
    )
    expect(rig.told).toEqual(['=a @7'])
    await rig.stop()
  })

  it('waits as long as the server asks and a little longer, by chance', async () => {
    const rig = start(new KubeError('TooManyRequests', 'busy', { retryAfterSeconds: 60 }), page('7', ''))
    await rig.clock.pass(74_000)
    expect(rig.failures).toEqual(['TooManyRequests 75000'])
    expect(rig.lists).toHaveLength(1)
    await rig.clock.pass(2000)
    expect(rig.told).toEqual(['= @7'])
    await rig.stop()
  })

  it('says what is wrong until a list succeeds', async () => {
    const rig = start(new KubeError('Forbidden', 'list pods: nobody may'), page('7', ''))
    await settle()
    expect(rig.listWatch.lastError).toMatchObject({ code: 'Forbidden', message: 'list pods: nobody may' })
    await rig.clock.pass(1000)
    expect(rig.listWatch.lastError).toBeUndefined()
    await rig.stop()
  })

  it('passes over an item that has no name or that the sink refuses, and takes the others', async () => {
    const nameless = { apiVersion: 'v1', kind: 'Pod', metadata: {} } as unknown as KubeObject
    const rig = start({ items: [nameless, makePod('a', '1')], resourceVersion: '7', continueToken: '' })
    await settle()
    expect(rig.told).toEqual(['=a @7'])
    expect(rig.skipped).toEqual(['noName'])
    await rig.stop()
  })

  it('waits for its turn, page by page, among the types of its cluster', async () => {
    const slots = new Slots(1)
    const giveBack = await slots.take(new AbortController().signal)
    const rig = startWith({ slots }, page('7', 'next', 'a'), page('7', '', 'b'))
    await rig.clock.pass(1000)
    expect(rig.lists).toHaveLength(0)
    expect(rig.listWatch.isInLine).toBe(true)
    giveBack()
    await settle()
    expect(rig.told).toEqual(['=a,b @7'])
    expect(rig.listWatch.isInLine).toBe(false)
    const again = await slots.take(AbortSignal.timeout(1000))
    again()
    await rig.stop()
  })

  it('gives its turn back when a list fails', async () => {
    const slots = new Slots(1)
    const rig = startWith({ slots }, new KubeError('Unavailable', 'down'), page('7', '', 'a'))
    await rig.clock.pass(1000)
    expect(rig.told).toEqual(['=a @7'])
    await rig.stop()
  })
})

describe('watch', () => {
  it('tells what happens, and goes on from the last resourceVersion when the server ends the stream', async () => {
    const rig = start(page('7', '', 'a'))
    await rig.clock.pass(5000)
    await rig.streams[0]?.send(
      event('MODIFIED', 'a', '8'),
      event('DELETED', 'a', '9'),
      event('ADDED', 'b', '10'),
      event('BOOKMARK', '', '15'),
    )
    expect(rig.told.slice(1)).toEqual(['~a', '-a', '~b', '@15'])
    await rig.streams[0]?.end()
    expect(rig.streams[1]?.options).toMatchObject({ resourceVersion: '15' })
    expect([rig.lists.length, rig.failures]).toEqual([1, []])
    await rig.stop()
  })

  it('goes on from the last resourceVersion after a broken line or connection', async () => {
    const rig = start(page('7', '', 'a'))
    await settle()
    await rig.streams[0]?.send(event('MODIFIED', 'a', '8'))
    await rig.streams[0]?.fail(new KubeError('Malformed', 'a line is no JSON'))
    await rig.clock.pass(200)
    expect(rig.streams[1]?.options).toMatchObject({ resourceVersion: '8' })
    expect(rig.lists).toHaveLength(1)
    await rig.stop()
  })

  it.each([
    ['in the stream', (stream: Stream | undefined) => stream?.send(expired)],
    ['at its start', (stream: Stream | undefined) => stream?.fail(new KubeError('Gone', 'too old resource version'))],
  ])('lists again, once and not at once, after 410 %s', async (_where, breakIt) => {
    const rig = start(page('7', '', 'a', 'b'), page('90', '', 'b'))
    await settle()
    await breakIt(rig.streams[0])
    expect(rig.lists).toHaveLength(1)
    expect(rig.listWatch.state).toEqual({ kind: 'waiting', delayMilliseconds: 200, next: { kind: 'listing' } })
    await rig.clock.pass(200)
    expect(rig.told).toEqual(['=a,b @7', '=b @90'])
    expect(rig.streams[1]?.options).toMatchObject({ resourceVersion: '90' })
    await rig.stop()
  })

  it.each(['NotFound', 'BadRequest'] as const)('lists again, once and not at once, after %s', async (code) => {
    const rig = start(page('7', '', 'a', 'b'), page('90', '', 'b'))
    await settle()
    await rig.streams[0]?.fail(new KubeError(code, 'no such thing'))
    expect(rig.lists).toHaveLength(1)
    await rig.clock.pass(200)
    expect(rig.told).toEqual(['=a,b @7', '=b @90'])
    await rig.stop()
  })

  it.each([
    [0, 300],
    [0.5, 450],
    [1, 600],
  ])('asks by chance (%d) for a stream of %d s, so that not all end together', async (chance, timeoutSeconds) => {
    const rig = startWith({ timing: makeFakeClock(chance) }, page('7', ''))
    await settle()
    expect(rig.streams[0]?.options).toMatchObject({ timeoutSeconds })
    await rig.stop()
  })

  it('takes a stream that is silent for two and a half minutes for dead, and goes on without listing', async () => {
    const rig = start(page('7', '', 'a'))
    await rig.clock.pass(100_000)
    await rig.streams[0]?.send(event('BOOKMARK', '', '20'))
    await rig.clock.pass(149_000)
    expect(rig.streams).toHaveLength(1)
    await rig.clock.pass(2000)
    expect(rig.failures).toEqual(['Timeout 200'])
    expect(rig.streams[1]?.options).toMatchObject({ resourceVersion: '20' })
    expect(rig.lists).toHaveLength(1)
    await rig.stop()
  })

  it('does not ask at once again a server that ends each stream at once', async () => {
    const rig = start(page('7', '', 'a'))
    await settle()
    await rig.streams[0]?.end()
    expect(rig.streams).toHaveLength(1)
    expect(rig.failures).toEqual(['Unavailable 200'])
    await rig.clock.pass(200)
    await rig.streams[1]?.end()
    expect(rig.failures).toEqual(['Unavailable 200', 'Unavailable 400'])
    await rig.stop()
  })

  it('is never quiet for as long as a hung one, be the server well or away', async () => {
    const rig = start(page('7', ''))
    let longest = 0
    for (let minute = 0; minute < 60; minute += 1) {
      await rig.clock.pass(10_000)
      longest = Math.max(longest, rig.clock.now() - rig.listWatch.progressAt)
    }
    expect(longest).toBeLessThan(maxQuietMilliseconds)
    await rig.stop()
  })

  it('ends with its signal, leaving no timer', async () => {
    const rig = start(page('7', '', 'a'))
    await settle()
    await rig.stop()
    expect(rig.listWatch.state).toEqual({ kind: 'stopped' })
    expect(rig.clock.pending()).toEqual([])
  })
})
