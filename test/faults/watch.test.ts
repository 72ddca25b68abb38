import { describe, expect, it } from '@jest/globals'
import type { KubeObject, ResourceType } from '../../operator/api/meta.ts'
import { configMapType, eventually, makeConfigMap, makeNamespace, useCluster } from '../apiserver/engineCluster.ts'
import { follow } from './follower.ts'
import { useFollowers } from './followers.ts'
import { on, watchesOf, type Action, type ProxyRequest } from './proxyRules.ts'

/** Faults C18 to C21 and B9, B13, B14, B16 of the catalogue (README.md): one list + watch on the real API server. */
const here = useCluster('test-faults-watch')
const my = useFollowers(here)
const expired: Action = { kind: 'status', code: 410 }

/** Holds what one likes, as large as etcd takes it; a ConfigMap ends at 1 MiB. */
const controllerRevisionType: ResourceType = {
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
}

describe('a stream', () => {
  it.each(['end', 'reset'] as const)(
    'that gets an %s is taken up where it was (C18)',
    async (how) => {
      const follower = await my.start(['a', 'b'])
      for (const watch of my.watches()) watch[how]()
      await my.create('c')
      await my.remove('a')
      await eventually(() => follower.names().join() === 'b,c')
      expect(follower.changes).toEqual(['+c', '-a'])
      expect(my.listCount()).toBe(1)
    },
    30_000,
  )

  it('that is half-open is given up after the silence, and its view catches up (C18, B9)', async () => {
    const follower = await my.start(['a', 'b'], { maxSilenceMilliseconds: 3000 })
    for (const watch of my.watches()) watch.freeze()
    await my.create('c')
    await my.remove('a')
    expect(follower.names()).toEqual(['a', 'b'])
    await eventually(() => follower.names().join() === 'b,c', 6)
    expect(follower.failures.map(({ code }) => code)).toEqual(['Timeout'])
    expect(follower.changes).toEqual(['+c', '-a'])
    expect(my.listCount()).toBe(1)
  }, 30_000)

  it('that got a bookmark goes on from there, not from the last event before it (C18)', async () => {
    const follower = await my.start(['a'])
    const [watch] = my.watches()
    // Nobody follows it: only a bookmark tells how far the server has got. Its own come each minute; this one is sent in
    // its stead, with a resourceVersion that it has come to.
    const { metadata } = await here.client.create(configMapType, makeConfigMap(my.namespace, 'of-others'))
    const resourceVersion = metadata.resourceVersion ?? ''
    watch?.send({ type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion } } })
    await eventually(() => follower.cache.seenResourceVersion === resourceVersion)
    watch?.reset()
    await eventually(() => my.watches().some((each) => each !== watch))
    expect(my.watches().map(({ url }) => url)).toEqual([expect.stringContaining(`resourceVersion=${resourceVersion}&`)])
    await my.create('b')
    await eventually(() => follower.names().join() === 'a,b')
    expect(follower.changes).toEqual(['+b'])
    expect(my.listCount()).toBe(1)
  }, 30_000)

  it('that is slow brings the same, later (B9)', async () => {
    const follower = await my.start(['a', 'b'])
    const [watch] = my.watches()
    watch?.freeze()
    await my.create('c')
    await my.remove('a', 'c')
    watch?.thaw()
    await eventually(() => follower.names().join() === 'b')
    expect(follower.changes).toEqual(['+c', '-a', '-c'])
    expect(my.listCount()).toBe(1)
  }, 30_000)

  it('whose headers never come is given up and asked for again (C18)', async () => {
    const follower = await my.start(['a'], { maxSilenceMilliseconds: 1500 })
    const hold = my.proxy.hold(my.isWatch)
    for (const watch of my.watches()) watch.end()
    await my.create('b')
    await eventually(() => hold.count >= 2, 10)
    hold.release()
    await eventually(() => follower.names().join() === 'a,b', 10)
    expect(follower.changes).toEqual(['+b'])
    expect(my.listCount()).toBe(1)
  }, 30_000)

  it('that is cut after each event, without bookmarks, gets on all the same (C20)', async () => {
    const follower = await my.start(['a'])
    my.proxy.onLine((request, { type }) => (my.isWatch(request) && type === 'BOOKMARK' ? 'swallow' : undefined))
    for (const name of ['b', 'c', 'd', 'e', 'f']) {
      const { metadata } = await my.create(name)
      await eventually(() => follower.names().includes(name))
      const [watch] = my.watches()
      watch?.end()
      await eventually(() => my.watches().some((each) => each !== watch))
      expect(my.watches()[0]?.url).toContain(`resourceVersion=${metadata.resourceVersion}&`)
    }
    expect(follower.changes).toEqual(['+b', '+c', '+d', '+e', '+f'])
    expect(my.listCount()).toBe(1)
  }, 30_000)
})

describe('410', () => {
  it('at the start of a stream leads to one list, which tells only what differs (C19, B13)', async () => {
    const follower = await my.start(['a', 'b', 'c'])
    my.proxy.rule(on(my.isWatch, expired, 1))
    const hold = my.proxy.hold(my.isList)
    for (const watch of my.watches()) watch.end()
    await eventually(() => hold.count === 1)
    // Created and deleted in the gap: nobody ever learns of it, and nobody has to.
    await my.create('fleeting')
    await my.remove('fleeting', 'b')
    await my.create('d')
    hold.release()
    await eventually(() => follower.names().join() === 'a,c,d')
    expect(follower.changes).toEqual(['-b', '+d'])
    expect(my.listCount()).toBe(2)
  }, 30_000)

  it('in a stream leads to one list, which tells nothing when nothing differs (C19)', async () => {
    const follower = await my.start(['a', 'b', 'c'])
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }
    for (const watch of my.watches()) watch.send({ type: 'ERROR', object })
    await eventually(() => my.listCount() === 2)
    await my.create('d')
    await eventually(() => follower.names().includes('d'))
    expect(follower.changes).toEqual(['+d'])
    expect(follower.failures.map(({ code }) => code)).toEqual(['Gone'])
    expect(my.listCount()).toBe(2)
  }, 30_000)

  it('in the middle of a list begins it again: what is missing in a half list is not gone (B16)', async () => {
    const follower = await my.start(['a', 'b', 'c', 'd', 'e'], { pageSize: 2 })
    const secondPage = (request: ProxyRequest): boolean => my.isList(request) && request.url.includes('continue=')
    my.proxy.rule(on(secondPage, expired, 1))
    follower.listWatch.relist()
    await eventually(() => follower.listWatch.counts.lists === 2)
    // Three pages at first, one of the list that failed, three more.
    expect(my.listCount()).toBe(7)
    expect(follower.failures.map(({ code }) => code)).toEqual(['Gone'])
    expect(follower.changes).toEqual([])
  }, 30_000)
})

describe('a line', () => {
  it.each([
    ['garble', ['Malformed']],
    ['split', []],
    ['duplicate', []],
  ] as const)(
    'that is sent with a %s costs no event (C21, B10)',
    async (fault, failures) => {
      const follower = await my.start(['a'])
      my.proxy.onLine((request, _line, nth) => (my.isWatch(request) && nth === 1 ? fault : undefined))
      await my.create('b')
      await my.remove('a')
      await eventually(() => follower.names().join() === 'b')
      expect(follower.changes).toEqual(['+b', '-a'])
      expect(follower.failures.map(({ code }) => code)).toEqual(failures)
      expect(my.listCount()).toBe(1)
    },
    30_000,
  )

  it('that is broken each time it is sent is got past by one list, without haste (C21)', async () => {
    const follower = await my.start(['a'])
    my.proxy.onLine((request, { object }) =>
      my.isWatch(request) && object.metadata?.name === 'poison' ? 'garble' : undefined,
    )
    await my.create('poison')
    await my.create('b')
    await eventually(() => follower.names().join() === 'a,b,poison')
    expect(follower.failures.map(({ code }) => code)).toEqual(['Malformed', 'Malformed', 'Malformed'])
    expect(my.listCount()).toBe(2)
  }, 30_000)

  it('of an unknown type is passed over and counted (C21)', async () => {
    const follower = await my.start(['a'])
    const { metadata } = await here.client.get(configMapType, { namespace: my.namespace, name: 'a' })
    for (const watch of my.watches()) {
      watch.send({ type: 'RENAMED', object: { metadata: { ...metadata, managedFields: [] } } })
      watch.send({ type: 'ADDED', object: { metadata: { resourceVersion: metadata.resourceVersion } } })
    }
    await my.create('b')
    await eventually(() => follower.names().join() === 'a,b')
    expect(follower.skipped).toEqual(['unknownType', 'noName'])
    expect(follower.failures).toEqual([])
    expect(my.listCount()).toBe(1)
  }, 30_000)

  it('of 1.5 MB that comes in pieces is one event (C21)', async () => {
    const namespace = await makeNamespace(here.client)
    const follower = follow(my.proxy.kubeconfig, 'size=huge', { type: controllerRevisionType })
    try {
      const isWatch = watchesOf('controllerrevisions')
      await eventually(() => my.proxy.watches(isWatch).length === 1)
      const bytes: number[] = []
      my.proxy.onLine((request, line) => {
        if (!isWatch(request) || line.type === 'BOOKMARK') return undefined
        bytes.push(Buffer.byteLength(JSON.stringify(line)))
        return 'split'
      })
      const data = { text: 'ä'.repeat(750_000) }
      const metadata = { namespace, name: 'huge', labels: { size: 'huge' } }
      await here.client.create(controllerRevisionType, {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata,
        revision: 1,
        data,
      } as KubeObject)
      await eventually(() => follower.changes.length === 1)
      expect(bytes).toEqual([expect.any(Number)])
      expect(bytes[0]).toBeGreaterThan(1_500_000)
      expect(follower.cache.get({ namespace, name: 'huge' })).toMatchObject({ data })
      expect([follower.failures, follower.listWatch.counts.lists]).toEqual([[], 1])
    } finally {
      await follower.stop()
    }
  }, 30_000)

  it('that is lost is found by a list that somebody asks for (B13)', async () => {
    const follower = await my.start(['a', 'b'])
    my.proxy.onLine((request, { type, object }) =>
      my.isWatch(request) && ['ADDED lost', 'DELETED a'].includes(`${type} ${object.metadata?.name}`)
        ? 'swallow'
        : undefined,
    )
    await my.create('lost')
    await my.remove('a')
    await my.create('seen')
    await eventually(() => follower.names().includes('seen'))
    expect(follower.names()).toEqual(['a', 'b', 'seen'])
    follower.listWatch.relist()
    await eventually(() => follower.names().join() === 'b,lost,seen')
    expect(my.listCount()).toBe(2)
  }, 30_000)
})

describe('a name that is taken again in a gap', () => {
  it('is another object, and the deletion of the first one does not touch it (B14)', async () => {
    const follower = await my.start(['a', 'b'])
    const hold = my.proxy.hold(my.isWatch)
    for (const watch of my.watches()) watch.end()
    await eventually(() => hold.count === 1)
    await my.remove('b')
    const { metadata } = await my.create('b')
    my.proxy.onLine((request) => (my.isWatch(request) ? 'duplicate' : undefined))
    hold.release()
    await eventually(() => follower.cache.get({ namespace: my.namespace, name: 'b' })?.metadata.uid === metadata.uid)
    await my.create('c')
    await eventually(() => follower.names().join() === 'a,b,c')
    expect(follower.changes).toEqual(['-b', '+b', '+c'])
    expect(my.listCount()).toBe(1)
  }, 30_000)
})
