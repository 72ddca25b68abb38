import { afterEach, describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../operator/api/meta.ts'
import type { Timing } from '../../operator/kube/timing.ts'
import { systemClock } from '../../operator/runtime/clock.ts'
import { follow as startToFollow, type Follower } from '../faults/follower.ts'
import { configMapType, eventually, killApiServer, makeConfigMap, makeNamespace, useCluster } from './engineCluster.ts'

const here = useCluster('test-engine-watch')
const stops: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** Follows the ConfigMaps with a label, as the operator does, in pages of two. */
function follow(labelSelector: string, timing: Timing = systemClock): Follower {
  const follower = startToFollow(here.cluster.kubeconfig, labelSelector, { timing, pageSize: 2 })
  stops.push(() => follower.stop())
  return follower
}

const create = (namespace: string, name: string, label: string): Promise<KubeObject> =>
  here.client.create(configMapType, makeConfigMap(namespace, name, { labels: { [label]: 'y' } }))

describe('list and watch', () => {
  it('lists in pages, then follows, without managedFields', async () => {
    const namespace = await makeNamespace(here.client)
    for (const name of ['a', 'b', 'c', 'd', 'e']) await create(namespace, name, 'follow')
    const follower = follow('follow')
    await eventually(() => follower.cache.isSynced)
    expect(follower.names()).toEqual(['a', 'b', 'c', 'd', 'e'])
    const f = await create(namespace, 'f', 'follow')
    await here.client.patch(configMapType, { namespace, name: 'a' }, [{ op: 'add', path: '/data', value: { x: 'y' } }])
    await here.client.delete(configMapType, { namespace, name: 'f' }, f.metadata.uid ?? '')
    await eventually(() => follower.changes.length === 8)
    expect(follower.changes.slice(5)).toEqual(['+f', '~a', '-f'])
    for (const object of follower.cache.list()) expect(object.metadata).not.toHaveProperty('managedFields')
    // Three pages.
    expect(follower.client.stats()).toMatchObject({ requests: 3, watches: 1 })
  }, 60_000)

  it('follows an object of a megabyte', async () => {
    const namespace = await makeNamespace(here.client)
    const follower = follow('large')
    await eventually(() => follower.cache.isSynced)
    const data = { text: 'ä'.repeat(500_000) }
    await here.client.create(configMapType, {
      ...makeConfigMap(namespace, 'large', { labels: { large: 'y' } }),
      data,
    } as KubeObject)
    await eventually(() => follower.cache.size === 1)
    expect(follower.cache.get({ namespace, name: 'large' })).toMatchObject({ data })
    expect(follower.failures).toEqual([])
  }, 60_000)

  it('takes an object that loses its label for gone', async () => {
    const namespace = await makeNamespace(here.client)
    await create(namespace, 'x', 'fleeting')
    const follower = follow('fleeting')
    await eventually(() => follower.cache.size === 1)
    await here.client.patch(configMapType, { namespace, name: 'x' }, [{ op: 'remove', path: '/metadata/labels' }])
    await eventually(() => follower.cache.size === 0)
    expect(follower.changes).toEqual(['+x', '-x'])
  }, 60_000)
})

describe('an API server that dies', () => {
  it('is followed again from where it was, with what was deleted meanwhile', async () => {
    const namespace = await makeNamespace(here.client)
    const made = await Promise.all(['a', 'b', 'c'].map((name) => create(namespace, name, 'crash')))
    const gate = makeGate()
    const follower = follow('crash', gate.timing)
    await eventually(() => follower.cache.isSynced)
    const before = follower.client.stats()

    const startAgain = await killApiServer(here.cluster)
    await eventually(() => follower.listWatch.state.kind === 'waiting')
    expect(follower.names()).toEqual(['a', 'b', 'c'])
    await startAgain()
    // While the follower waits: b goes, d comes, c is another one than before.
    await here.client.delete(configMapType, { namespace, name: 'b' }, made[1]?.metadata.uid ?? '')
    await here.client.delete(configMapType, { namespace, name: 'c' }, made[2]?.metadata.uid ?? '')
    const c = await create(namespace, 'c', 'crash')
    await create(namespace, 'd', 'crash')
    gate.open()

    await eventually(() => follower.names().join() === 'a,c,d')
    expect(follower.cache.get({ namespace, name: 'c' })?.metadata.uid).toBe(c.metadata.uid)
    expect(follower.changes).toContain('-b')
    console.log(
      follower.failures.map(({ code, message }) => `${code}: ${message}`).join('\n'),
      before,
      follower.client.stats(),
    )
    await create(namespace, 'e', 'crash')
    await eventually(() => follower.names().includes('e'))
  }, 120_000)

  it('takes a resourceVersion that the server no longer knows for a reason to list again', async () => {
    const namespace = await makeNamespace(here.client)
    await create(namespace, 'a', 'gone')
    const events = here.client.watch(configMapType, { resourceVersion: '1', signal: AbortSignal.timeout(20_000) })
    const first = await events[Symbol.asyncIterator]().next()
    // The API server was started anew above: what was before is not in its window.
    expect(first.value).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  }, 60_000)
})

/** Timers of a ListWatch's waits, held until the gate is opened; other time passes as it does. */
function makeGate(): { timing: Timing; open: () => void } {
  let isOpen = false
  const held: (() => void)[] = []
  const timing: Timing = {
    ...systemClock,
    after: (milliseconds, run) => {
      if (isOpen || milliseconds > 60_000) return systemClock.after(milliseconds, run)
      held.push(run)
      return () => undefined
    },
  }
  const open = (): void => {
    isOpen = true
    for (const run of held.splice(0)) run()
  }
  return { timing, open }
}
