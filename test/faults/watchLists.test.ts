import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { Slots } from '../../operator/kube/slots.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient } from '../../operator/kube/restClient.ts'
import { systemClock } from '../../operator/runtime/clock.ts'
import { Informers } from '../../operator/runtime/informers.ts'
import { configMapType, eventually, namespaceType, useCluster } from '../apiserver/engineCluster.ts'
import { useFollowers } from './followers.ts'
import { listsOf, on, type Action } from './proxyRules.ts'

/** Faults B12, B15 to B17 and C24 of the catalogue (README.md): lists that fail or lie, on the real API server. */
const here = useCluster('test-faults-lists')
const my = useFollowers(here)
const expired: Action = { kind: 'status', code: 410 }

const empty = (body: string): string => JSON.stringify({ ...JSON.parse(body), items: [] })

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${10 + index}`)

describe('a list', () => {
  it.each([
    ['reset', 'Unavailable'],
    ['clean', 'Malformed'],
  ] as const)(
    'that is truncated, with a %s end, is read again: nothing is taken for gone (B16)',
    async (ending, code) => {
      const follower = await my.start(['a', 'b', 'c'])
      my.proxy.rule(on(my.isList, { kind: 'truncate', bytes: 700, ending }, 3))
      follower.listWatch.relist()
      await eventually(() => follower.listWatch.counts.lists === 2)
      expect(new Set(follower.failures.map((error) => error.code))).toEqual(new Set([code]))
      expect(follower.changes).toEqual([])
    },
    30_000,
  )

  it('from before what was seen is not believed, and nothing is made or deleted after it (B12)', async () => {
    const follower = await my.start(['a', 'b'])
    let old = ''
    my.proxy.rule(on(my.isList, { kind: 'rewrite', body: (now) => (old = now) }, 1))
    follower.listWatch.relist()
    await eventually(() => follower.listWatch.counts.lists === 2)
    await my.create('c')
    await my.remove('a')
    await eventually(() => follower.names().join() === 'b,c')
    follower.changes.length = 0
    my.proxy.clear()
    my.proxy.rule(on(my.isList, { kind: 'rewrite', body: () => old }, 2))
    follower.listWatch.relist()
    await eventually(() => follower.listWatch.counts.lists === 5, 15)
    expect(follower.doubts).toEqual(['older', 'older'])
    expect(follower.changes).toEqual([])
    expect(follower.names()).toEqual(['b', 'c'])
    await my.create('d')
    await eventually(() => follower.names().join() === 'b,c,d')
  }, 30_000)

  it('that is empty though it should not be is not believed (B17)', async () => {
    const names = numbered(12)
    const follower = await my.start(names)
    my.proxy.rule(on(my.isList, { kind: 'rewrite', body: empty }, 1))
    follower.listWatch.relist()
    await eventually(() => follower.listWatch.counts.lists === 3)
    expect(follower.doubts).toEqual(['shrunk'])
    expect(follower.changes).toEqual([])
    expect(follower.names()).toEqual(names)
  }, 30_000)

  it('that is empty because all was deleted in a gap is believed in the end (B17)', async () => {
    const names = numbered(12)
    const follower = await my.start(names)
    my.proxy.rule(on(my.isWatch, expired, 1))
    const hold = my.proxy.hold(my.isList)
    for (const watch of my.watches()) watch.end()
    await eventually(() => hold.count === 1)
    await my.remove(...names)
    hold.release()
    await eventually(() => follower.names().length === 0, 15)
    expect(follower.doubts).toEqual(['shrunk', 'shrunk'])
    expect(follower.changes.toSorted()).toEqual(names.map((name) => `-${name}`))
  }, 30_000)
})

describe('the lists of a cluster', () => {
  it('whose watches are all cut at once and answered 410 come a few at a time (C24)', async () => {
    const slots = new Slots(2)
    const first = await my.start(['a'], { slots })
    const followers = [first, ...Array.from({ length: 7 }, () => my.another({ slots }))]
    await eventually(() => my.watches().length === 8)
    my.proxy.rule(on(my.isWatch, expired, 8))
    const hold = my.proxy.hold(my.isList)
    for (const watch of my.watches()) watch.reset()
    await eventually(() => followers.every(({ listWatch }) => listWatch.state.kind === 'listing'))
    expect(hold.count).toBe(2)
    hold.release()
    await my.create('b')
    await eventually(() => followers.every((each) => each.names().join() === 'a,b'))
    for (const { listWatch, failures } of followers) {
      expect(listWatch.counts.lists).toBe(2)
      // The reset, and the 410.
      expect(failures).toHaveLength(2)
    }
  }, 30_000)

  it('of which one is refused: it says which and why, the others work, and it recovers by itself (B15)', async () => {
    const message = 'configmaps is forbidden: the account may not list them'
    const refused = my.proxy.rule(on(listsOf('configmaps'), { kind: 'status', code: 403, message }))
    const client = makeKubeClient(loadKubeConfig(my.proxy.kubeconfig))
    const lines: string[] = []
    const log = pino({}, { write: (line: string) => void lines.push(line) })
    const informers = new Informers({
      client,
      informers: [{ type: configMapType }, { type: namespaceType }],
      clock: systemClock,
      log,
    })
    try {
      informers.start()
      await eventually(() => informers.cacheOf('namespaces.v1')?.isSynced === true)
      await eventually(() => refused.hits >= 3)
      expect(informers.list(namespaceType).length).toBeGreaterThan(0)
      expect(informers.health()).toEqual([
        expect.objectContaining({
          type: 'configmaps.v1',
          isSynced: false,
          isAlive: true,
          error: `list configmaps: ${message}`,
        }),
        expect.objectContaining({ type: 'namespaces.v1', isSynced: true, isAlive: true }),
      ])
      expect(lines.some((line) => line.includes(message) && line.includes('"type":"configmaps.v1"'))).toBe(true)
      refused.remove()
      await eventually(() => informers.isSynced)
      expect(informers.health().map(({ error }) => error)).toEqual([undefined, undefined])
    } finally {
      await informers.stop()
      await client.close()
    }
  }, 30_000)
})
