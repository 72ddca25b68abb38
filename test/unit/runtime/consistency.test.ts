import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { KubeObject, ResourceType } from '../../../operator/api/meta.ts'
import { Consistency } from '../../../operator/runtime/consistency.ts'
import { Informers, type InformersOptions } from '../../../operator/runtime/informers.ts'
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

/** A watch that says nothing until it is cut. */
const silent = (_type: unknown, { signal }: { readonly signal: AbortSignal }): AsyncIterable<never> => ({
  [Symbol.asyncIterator]: () => ({
    next: () =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ done: true, value: undefined }), { once: true })
      }),
  }),
})

interface Rig {
  readonly consistency: Consistency
  readonly pods: TypeCache
  readonly clock: FakeClock
  readonly informers: Informers
  readonly woken: string[]
  readonly wrote: (type: ResourceType, object: KubeObject) => void
  readonly deleted: (type: ResourceType, name: string) => void
}

/** Caches that nobody fills but the test, unless it gives a client and starts them. */
function makeRig(client: InformersOptions['client'] = { list: never, watch: never }): Rig {
  const clock = makeFakeClock()
  const informers = new Informers({
    client,
    informers: [{ type: podType, labelSelector: 'ours' }],
    clock,
    log: pino({ level: 'silent' }),
  })
  const woken: string[] = []
  const consistency = new Consistency({ informers: [informers], clock, wake: (key) => woken.push(key) })
  const pods = informers.cacheOf('pods.v1') as TypeCache
  pods.replace([], '10')
  return {
    wrote: (type, object) => consistency.wrote('k', informers, { type, object }),
    deleted: (type, name) =>
      consistency.deleted('k', informers, { type, ref: { namespace: 'n', name }, uid: `uid-${name}` }),
    consistency,
    informers,
    pods,
    clock,
    woken,
  }
}

describe('read your own writes', () => {
  it('a key is fresh until it writes, and again when the cache has seen the write', () => {
    const { consistency, pods, woken, wrote } = makeRig()
    expect(consistency.isFresh('k')).toBe(true)
    wrote(podType, makePod('a', 20))
    expect(consistency.isFresh('k')).toBe(false)
    expect(consistency.isFresh('other')).toBe(true)
    pods.upsert(makePod('b', 19))
    expect(woken).toEqual([])
    pods.upsert(makePod('a', 20))
    expect(woken).toEqual(['k'])
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('an event that comes before the answer counts', () => {
    const { consistency, pods, wrote } = makeRig()
    pods.upsert(makePod('a', 20))
    wrote(podType, makePod('a', 20))
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('of several writes the newest must be seen, however many digits it has', () => {
    const { consistency, pods, wrote } = makeRig()
    wrote(podType, makePod('a', 100))
    wrote(podType, makePod('b', 99))
    pods.upsert(makePod('b', 99))
    expect(consistency.isFresh('k')).toBe(false)
    // That all was told says nothing about an event that was lost on the way.
    pods.bookmark('100')
    expect(consistency.isFresh('k')).toBe(false)
    pods.upsert(makePod('a', 101))
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('of two writes of one object waits for the later, in whatever order they were answered', () => {
    const { consistency, pods, wrote } = makeRig()
    wrote(podType, makePod('a', 30))
    wrote(podType, makePod('a', 20))
    pods.upsert(makePod('a', 20))
    expect(consistency.isFresh('k')).toBe(false)
    pods.upsert(makePod('a', 30))
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('waits for a delete until the object is gone, on its way, or another', () => {
    const { consistency, pods, woken, deleted } = makeRig()
    for (const [index, name] of ['a', 'b', 'c'].entries()) pods.upsert(makePod(name, 11 + index))
    for (const name of ['a', 'b', 'c']) deleted(podType, name)
    expect(consistency.isFresh('k')).toBe(false)
    pods.remove(makePod('a', 14))
    pods.upsert(makePod('b', 15, { deletionTimestamp: '2026-01-01T00:00:00Z' }))
    expect(woken).toEqual([])
    pods.upsert(makePod('c', 16, { uid: 'another' }))
    expect(woken).toEqual(['k'])
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('waits for what lost its last finalizer until it is gone, as which it was answered', () => {
    const { consistency, pods, informers } = makeRig()
    const going = makePod('a', 20, { deletionTimestamp: '2026-01-01T00:00:00Z' })
    pods.upsert(going)
    consistency.released('k', informers, { type: podType, object: going })
    // Another run of the cleanup would do all of it a second time.
    expect(consistency.isFresh('k')).toBe(false)
    pods.remove(makePod('a', 21))
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('waits for a deletion until a list lacks the object: one from before still has it', () => {
    const { consistency, pods, deleted, informers } = makeRig()
    const going = makePod('b', 11, { deletionTimestamp: '2026-01-01T00:00:00Z' })
    pods.replace([makePod('a', 11), going], '12')
    deleted(podType, 'a')
    consistency.released('k', informers, { type: podType, object: going })
    pods.replace([makePod('a', 11), going], '13')
    expect(consistency.isFresh('k')).toBe(false)
    pods.replace([], '14')
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('does not wait for what somebody deleted before the answer came', () => {
    const { consistency, pods, wrote } = makeRig()
    pods.upsert(makePod('a', 20))
    pods.remove(makePod('a', 21))
    wrote(podType, makePod('a', 20))
    expect(consistency.isFresh('k')).toBe(true)
    // An older one of that name is no news of this one.
    wrote(podType, makePod('a', 30))
    expect(consistency.isFresh('k')).toBe(false)
  })

  it('waits for what was made anew under the name of what was deleted', () => {
    const { consistency, pods, woken, wrote, deleted } = makeRig()
    pods.upsert(makePod('a', 11))
    deleted(podType, 'a')
    wrote(podType, makePod('a', 13, { uid: 'another' }))
    expect(consistency.isFresh('k')).toBe(false)
    pods.remove(makePod('a', 12))
    expect(woken).toEqual([])
    pods.upsert(makePod('a', 13, { uid: 'another' }))
    expect(woken).toEqual(['k'])
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('does not wait for what no cache will ever show', () => {
    const { consistency, wrote, deleted } = makeRig()
    wrote(secretType, makePod('s', 99))
    wrote(podType, makePod('a', 99, { labels: {} }))
    deleted(secretType, 's')
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('has the type listed anew when the event does not come, and goes on waiting for it', async () => {
    const lists: string[] = []
    const pages = [
      { items: [], resourceVersion: '10', continueToken: '' },
      { items: [], resourceVersion: '19', continueToken: '' },
      { items: [makePod('a', 20)], resourceVersion: '21', continueToken: '' },
    ]
    const { consistency, clock, woken, wrote, informers } = makeRig({
      list: async ({ plural }) => pages[lists.push(plural) - 1] ?? never(),
      watch: silent,
    })
    informers.start()
    await clock.pass(0)
    wrote(podType, makePod('a', 20))
    expect(consistency.isFresh('k')).toBe(false)
    await clock.pass(89_000)
    expect(lists).toHaveLength(1)
    await clock.pass(5000)
    expect(lists).toHaveLength(2)
    expect(woken).toEqual([])
    expect(consistency.isFresh('k')).toBe(false)
    await clock.pass(90_000)
    expect(lists).toHaveLength(3)
    expect(woken).toEqual(['k'])
    expect(consistency.isFresh('k')).toBe(true)
    await informers.stop()
  })

  it('waits for nothing of a time before the data of the cluster were restored', () => {
    const { consistency, pods, wrote } = makeRig()
    pods.bookmark('19')
    wrote(podType, makePod('a', 20))
    expect(consistency.isFresh('k')).toBe(false)
    pods.replace([], '5')
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('takes no removal of that time for one of a write since', () => {
    const { consistency, pods, wrote } = makeRig()
    pods.upsert(makePod('a', 20))
    pods.remove(makePod('a', 21))
    pods.replace([], '5')
    wrote(podType, makePod('a', 7))
    expect(consistency.isFresh('k')).toBe(false)
    pods.upsert(makePod('a', 7))
    expect(consistency.isFresh('k')).toBe(true)
  })

  it('leaves no timer behind for a key whose object is gone', () => {
    const { consistency, clock, wrote } = makeRig()
    wrote(podType, makePod('a', 20))
    consistency.isFresh('k')
    expect(clock.pending()).toHaveLength(1)
    consistency.forget('k')
    expect(clock.pending()).toEqual([])
  })
})
