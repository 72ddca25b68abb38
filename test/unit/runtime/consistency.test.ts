import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { Consistency } from '../../../operator/runtime/consistency.ts'
import { Informers } from '../../../operator/runtime/informers.ts'
import type { TypeCache } from '../../../operator/runtime/cache.ts'
import { makeFakeClock, type FakeClock } from './fakeClock.ts'

const podType = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true }
const secretType = { ...podType, kind: 'Secret', plural: 'secrets' }
const never = (): never => {
  throw new Error('not called')
}

function makePod(name: string, resourceVersion: number, more: Partial<KubeObject['metadata']> = {}): KubeObject {
  const metadata = {
    namespace: 'n',
    name,
    uid: `uid-${name}`,
    resourceVersion: String(resourceVersion),
    labels: { ours: 'y' },
    ...more,
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata }
}

/** Caches that nobody fills but the test. */
function makeRig(): { consistency: Consistency; pods: TypeCache; clock: FakeClock; woken: string[] } {
  const clock = makeFakeClock()
  const informers = new Informers({
    client: { list: never, watch: never },
    informers: [{ type: podType, labelSelector: 'ours' }],
    clock,
    log: pino({ level: 'silent' }),
  })
  const woken: string[] = []
  const consistency = new Consistency({ informers, clock, wake: (key) => woken.push(key) })
  const pods = informers.cacheOf('pods.v1') as TypeCache
  pods.replace([], '10')
  return { consistency, pods, clock, woken }
}

describe('read your own writes', () => {
  it('a key is fresh until it writes, and again when the cache has seen the write', () => {
    const { consistency, pods, woken } = makeRig()
    expect(consistency.isFresh('k')).toBe(true)
    consistency.wrote('k', podType, makePod('a', 20))
    expect(consistency.isFresh('k')).toBe(false)
    expect(consistency.isFresh('other')).toBe(true)
    pods.upsert(makePod('b', 19))
    expect(woken).toEqual([])
    pods.upsert(makePod('a', 20))
    expect(woken).toEqual(['k'])
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('an event that comes before the answer counts', () => {
    const { consistency, pods } = makeRig()
    pods.upsert(makePod('a', 20))
    consistency.wrote('k', podType, makePod('a', 20))
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('of several writes the newest must be seen, however many digits it has', () => {
    const { consistency, pods } = makeRig()
    consistency.wrote('k', podType, makePod('a', 100))
    consistency.wrote('k', podType, makePod('b', 99))
    pods.upsert(makePod('b', 99))
    expect(consistency.isFresh('k')).toBe(false)
    pods.bookmark('100')
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('waits for a delete until the object is gone, on its way, or another', () => {
    const { consistency, pods, woken } = makeRig()
    for (const name of ['a', 'b', 'c']) pods.upsert(makePod(name, 11))
    for (const name of ['a', 'b', 'c']) consistency.deleted('k', podType, { namespace: 'n', name }, `uid-${name}`)
    expect(consistency.isFresh('k')).toBe(false)
    pods.remove(makePod('a', 12))
    pods.upsert(makePod('b', 13, { deletionTimestamp: '2026-01-01T00:00:00Z' }))
    expect(woken).toEqual([])
    pods.upsert(makePod('c', 14, { uid: 'another' }))
    expect(woken).toEqual(['k'])
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('does not wait for what no cache will ever show', () => {
    const { consistency } = makeRig()
    consistency.wrote('k', secretType, makePod('s', 99))
    consistency.wrote('k', podType, makePod('a', 99, { labels: {} }))
    consistency.deleted('k', secretType, { namespace: 'n', name: 's' }, 'uid-s')
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('waits no longer than a minute and a half', async () => {
    const { consistency, clock, woken } = makeRig()
    consistency.wrote('k', podType, makePod('a', 20))
    expect(consistency.isFresh('k')).toBe(false)
    await clock.pass(89_000)
    expect(woken).toEqual([])
    await clock.pass(2000)
    expect(woken).toEqual(['k'])
    expect(consistency.isFresh('k')).toBe(true)
  })
})
