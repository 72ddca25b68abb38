import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { configMapType, secretType, serviceAccountType, serviceType } from '../../../operator/api/builtin.ts'
import type { ResourceType } from '../../../operator/api/meta.ts'
import { makeClientOver } from '../../../operator/kube/restClient.ts'
import type { Wire } from '../../../operator/kube/wire.ts'
import { Informers } from '../../../operator/runtime/informers.ts'
import { Double } from '../../faults/double/server.ts'
import { servedKind } from '../../faults/double/served.ts'
import { Store } from '../../faults/double/store.ts'
import { metaOf } from '../../faults/double/writes.ts'
import { Link } from '../../faults/schedule/link.ts'
import { makeRandom } from '../../faults/schedule/random.ts'
import { Schedule } from '../../faults/schedule/schedule.ts'

const types = [configMapType, secretType, serviceType, serviceAccountType]
/** So many of each type on each cluster: 10,000 in all, each list two pages. */
const objects = 625
const clusters = ['a', 'b', 'c', 'd']

interface Cluster {
  readonly store: Store
  readonly link: Link
  readonly informers: Informers
  /** When each list began: its first page. */
  readonly began: number[]
  /** Most pages that were asked for at once. */
  most: number
}

function put(store: Store, { kind }: ResourceType, name: string, label: string): void {
  const served = servedKind(kind)
  const key = `shop/${name}`
  const metadata = { name, namespace: 'shop', labels: { label }, uid: store.newUid(served, key) }
  store.commit(served, key, { apiVersion: 'v1', kind, metadata }, 'user')
}

function fill(): Store {
  const store = new Store()
  for (const type of types) for (let count = 0; count < objects; count += 1) put(store, type, `n${count}`, 'old')
  return store
}

/** One cluster and who follows all of it; each page is 100 ms under way. */
function makeCluster(schedule: Schedule, name: string, store: Store): Cluster {
  const began: number[] = []
  const double = new Double({ now: () => schedule.wall, store })
  const network = { fateOf: () => ({ there: 50, back: 50 }), eventFateOf: () => ({ delay: 1 }) }
  const link = new Link({ schedule, double, network, onWrite: () => undefined, onCall: () => undefined })
  let asked = 0
  const wire: Wire = {
    stats: link.stats,
    stream: (request) => link.stream(request),
    close: () => link.close(),
    async call(request) {
      if (!request.path.includes('continue=')) began.push(schedule.time)
      asked += 1
      cluster.most = Math.max(cluster.most, asked)
      return await link.call(request).finally(() => (asked -= 1))
    },
  }
  const informers = new Informers({
    client: makeClientOver(wire),
    informers: types.map((type) => ({ type })),
    clock: schedule.clock(() => false, makeRandom(1).fork(name)),
    log: pino({ level: 'silent' }),
  })
  const cluster: Cluster = { store, link, informers, began, most: 0 }
  return cluster
}

/** Names and resourceVersions. */
function held({ informers }: Cluster, type: ResourceType): string[] {
  return informers.list(type).map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
}

function there({ store }: Cluster, { kind }: ResourceType): string[] {
  return store.list(servedKind(kind)).map(([, object]) => `${metaOf(object).name}@${metaOf(object).resourceVersion}`)
}

/** Whether all is followed, and all that is held is what is there. */
function areInStep(all: readonly Cluster[]): boolean {
  if (!all.every(({ informers }) => informers.health().every(({ state }) => state === 'watching'))) return false
  return all.every((cluster) =>
    types.every((type) => held(cluster, type).toSorted().join() === there(cluster, type).toSorted().join()),
  )
}

async function passUntil(schedule: Schedule, isOver: () => boolean, milliseconds: number): Promise<void> {
  const limit = schedule.time + milliseconds
  while (!isOver() && schedule.time < limit) {
    const until = schedule.time + 50
    while (schedule.time < until) await schedule.step()
  }
}

describe('10,000 objects on four clusters', () => {
  it('whose watches are all cut at once and answered 410 are listed two at a time, spread by chance, and in step again', async () => {
    const schedule = new Schedule(makeRandom(1))
    const filled = fill()
    const all = clusters.map((name) => makeCluster(schedule, name, filled.copy()))
    for (const { informers } of all) informers.start()
    await passUntil(schedule, () => areInStep(all), 10_000)
    expect(areInStep(all)).toBe(true)
    for (const cluster of all) {
      cluster.began.length = 0
      cluster.most = 0
    }

    const cutAt = schedule.time
    for (const { link, store } of all) {
      expect(link.cut(undefined, 'gone')).toBe(types.length)
      for (const type of types) {
        put(store, type, 'n-new', 'new')
        put(store, type, 'n7', 'new')
        store.commit(servedKind(type.kind), 'shop/n8', undefined, 'user')
      }
    }
    expect(areInStep(all)).toBe(false)
    await passUntil(schedule, () => areInStep(all), 10_000)
    expect(areInStep(all)).toBe(true)
    expect(all.map(({ most }) => most)).toEqual([2, 2, 2, 2])
    const began = all.flatMap((cluster) => cluster.began)
    // One list of each type, none at once, no two in the same moment.
    expect(all.map((cluster) => cluster.began.length)).toEqual([4, 4, 4, 4])
    expect(Math.min(...began)).toBeGreaterThanOrEqual(cutAt + 100)
    expect(new Set(began).size).toBe(began.length)

    for (const { store } of all) for (const type of types) put(store, type, 'n-last', 'new')
    await passUntil(schedule, () => areInStep(all), 1000)
    expect(areInStep(all)).toBe(true)
    expect(all.flatMap((cluster) => cluster.began)).toHaveLength(began.length)
    await Promise.all(all.map(({ informers }) => informers.stop()))
  }, 30_000)
})
