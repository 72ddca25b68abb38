import { afterAll, afterEach, beforeAll, expect } from '@jest/globals'
import type { KubeObject } from '../../operator/api/meta.ts'
import {
  configMapType,
  eventually,
  makeConfigMap,
  makeNamespace,
  requestsOf,
  type TestCluster,
} from '../apiserver/engineCluster.ts'
import { follow, type Follower, type FollowOptions } from './follower.ts'
import { startProxy, type OpenWatch, type Proxy } from './proxy.ts'
import { listsOf, watchesOf, type Matches } from './proxyRules.ts'

/** One test's ConfigMaps: they carry its label, and only they are followed, through the proxy. */
export interface Followers {
  readonly proxy: Proxy
  readonly namespace: string
  /** The lists and watches of this test's followers. */
  readonly isList: Matches
  readonly isWatch: Matches
  /** Makes the objects and follows them; resolves when the watch is open. */
  start(names: readonly string[], options?: FollowOptions): Promise<Follower>
  /** Another one, of what is there already. */
  another(options?: FollowOptions): Follower
  create(name: string): Promise<KubeObject>
  remove(...names: readonly string[]): Promise<void>
  watches(): readonly OpenWatch[]
  /** How many lists, each page one, the API server was asked for by this test's followers. */
  listCount(): number
}

/** A proxy for this file, and what each test needs; to be called once, beside `useCluster`. */
export function useFollowers(here: TestCluster): Followers {
  const stops: (() => Promise<void>)[] = []
  const state = { label: '', namespace: '', count: 0 }
  const held: { proxy?: Proxy } = {}
  beforeAll(async () => {
    held.proxy = await startProxy(here.cluster.kubeconfig)
  }, 60_000)
  afterAll(() => held.proxy?.close())
  afterEach(async () => {
    held.proxy?.clear()
    for (const stop of stops.splice(0)) await stop()
  })
  const proxy = (): Proxy => held.proxy as Proxy
  const isMine = (url: string): boolean => url.includes(`labelSelector=${state.label}&`)
  const isWatch: Matches = (request) => watchesOf('configmaps')(request) && isMine(request.url)
  const another = (options: FollowOptions = {}): Follower => {
    const follower = follow(proxy().kubeconfig, state.label, options)
    stops.push(() => follower.stop())
    return follower
  }
  const create = (name: string): Promise<KubeObject> =>
    here.client.create(configMapType, makeConfigMap(state.namespace, name, { labels: { [state.label]: 'y' } }))
  return {
    get proxy() {
      return proxy()
    },
    get namespace() {
      return state.namespace
    },
    isList: (request) => listsOf('configmaps')(request) && isMine(request.url),
    isWatch,
    another,
    create,
    async start(names, options) {
      state.count += 1
      state.label = `followed-${state.count}`
      state.namespace = await makeNamespace(here.client)
      for (const name of names) await create(name)
      const follower = another(options)
      await eventually(() => follower.listWatch.state.kind === 'watching' && proxy().watches(isWatch).length === 1)
      expect(follower.names()).toEqual([...names].toSorted())
      follower.changes.length = 0
      return follower
    },
    async remove(...names) {
      const { namespace } = state
      for (const name of names) {
        const { metadata } = await here.client.get(configMapType, { namespace, name })
        await here.client.delete(configMapType, { namespace, name }, metadata.uid ?? '')
      }
    },
    watches: () => proxy().watches(isWatch),
    listCount: () =>
      requestsOf(here.cluster).filter(({ verb, requestURI }) => verb === 'list' && isMine(requestURI)).length,
  }
}
