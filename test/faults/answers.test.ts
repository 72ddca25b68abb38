import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { keyOf, refOf } from '../../operator/api/meta.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient } from '../../operator/kube/restClient.ts'
import type { TransportOptions } from '../../operator/kube/transport.ts'
import type { AppsteadOperator as Operator } from '../../operator/operator.ts'
import { systemClock } from '../../operator/runtime/clock.ts'
import type { Controller } from '../../operator/runtime/controller.ts'
import { makeLog } from '../../operator/runtime/log.ts'
import {
  boxKind,
  childrenIn,
  childrenOf,
  informers,
  installBox,
  makeBox,
  makeChild,
  makeController,
  settled,
  type Box,
} from '../apiserver/engineBox.ts'
import { configMapType, eventually, makeNamespace, pause, useCluster } from '../apiserver/engineCluster.ts'
import { auditMark, requestsOf, type Request } from '../support/auditLog.ts'
import { startProxy, type Proxy } from './proxy.ts'
import { chaos, on, request, watchesOf, withSeed, type Action } from './proxyRules.ts'

// Jest cannot let a CommonJS package (@dot-i's) require an ES module that is itself being linked: client-node must be there before.
const { AppsteadOperator } = await import('../../operator/operator.ts')

/**
 * Faults D25, D27 to D30, D33 to D35 and B10, B11 of the catalogue (README.md): a controller that keeps one child for
 * each of its boxes and says so in their status, on the real API server, through the proxy.
 */
const here = useCluster('test-faults-answers')
const ends: (() => Promise<void> | void)[] = []
const logged: string[] = []
let namespace: string
let proxy: Proxy
let mark: number

beforeAll(() => installBox(here.client), 60_000)
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
  logged.length = 0
})

/** What the controller does: everything it reads is in the cache, so what it decides from an old view shows. */
const keepOneChild: Controller<Box, unknown>['reconcile'] = async ({ cache, kube }, box) => {
  const children = childrenOf(cache, box)
  if (children.length === 0) await kube.create(configMapType, makeChild(box, `${box.metadata.name}-child`))
  return { status: { size: box.spec.size, children: childrenOf(cache, box).length }, outcome: settled.outcome }
}

async function startWorld(transport: TransportOptions = {}): Promise<Operator> {
  namespace = await makeNamespace(here.client)
  const made = await startProxy(here.cluster.kubeconfig)
  ends.push(() => made.close())
  proxy = made
  mark = auditMark(here.cluster)
  const operator = new AppsteadOperator({
    config: { workers: 4, reconcileDeadlineSeconds: 30, stopGraceSeconds: 5, instance: 'test' },
    log: makeLog('debug', { write: (line) => void logged.push(line) }),
    client: makeKubeClient(loadKubeConfig(proxy.kubeconfig), { userAgent, ...transport }),
    clock: systemClock,
    informers,
    controllers: [makeController(namespace, keepOneChild)],
    statusIntervalMilliseconds: 0,
  })
  ends.push(async () => {
    made.clear()
    await operator.drain()
  })
  await operator.start()
  return operator
}

async function make(count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `box-${index}`)
  await Promise.all(names.map((name) => here.client.create(boxKind, makeBox(namespace, name, { size: 1 }))))
}

async function boxes(): Promise<readonly Box[]> {
  const { items } = await here.client.list(boxKind)
  return items.filter(({ metadata }) => metadata.namespace === namespace) as unknown as readonly Box[]
}

/** Resolves when each box has its child and says so with this size. */
async function converged(size = 1, seconds = 30): Promise<void> {
  await eventually(async () => {
    const all = await boxes()
    return all.every(({ status }) => status?.['size'] === size && status['children'] === 1)
  }, seconds)
  const children = (await childrenIn(here.client, namespace)).map((child) => keyOf(refOf(child)))
  const expected = (await boxes()).map((box) => `${keyOf(refOf(box))}-child`)
  expect(children.toSorted()).toEqual(expected.toSorted())
}

/** The operator's, so that it is told from the test's own hands. */
const userAgent = 'appstead-answers'

interface Audited extends Request {
  readonly userAgent?: string
}

/** What the API server answered to the operator for the objects of this test with a write. */
function writes(): readonly Request[] {
  const all: readonly Audited[] = requestsOf(here.cluster, 'admin', mark)
  const mine = all.filter((each) => each.userAgent === userAgent && each.objectRef?.namespace === namespace)
  return mine.filter(({ verb }) => ['create', 'patch', 'delete'].includes(verb))
}

const createdChildren = (): number =>
  writes().filter(
    ({ objectRef, responseStatus }) => objectRef?.resource === 'configmaps' && responseStatus.code === 201,
  ).length

const childPosts = request('POST', '/configmaps')
const statusPatches = request('PATCH', '/status')

async function resize(size: number): Promise<void> {
  const change = [{ op: 'replace', path: '/spec/size', value: size }]
  for (const box of await boxes()) await here.client.patch(boxKind, refOf(box), change)
}

/** As often as its log says so. */
const said = (text: string): number => logged.filter((line) => line.includes(text)).length

const brokenAnswers: readonly Action[] = [
  { kind: 'status', code: 500 },
  { kind: 'status', code: 503 },
  { kind: 'status', code: 504 },
  { kind: 'dropBefore' },
  { kind: 'dropAfter' },
  { kind: 'truncate', bytes: 30, ending: 'reset' },
]

describe('an answer', () => {
  it('of 409 to a status leads to another look and another decision (D25)', async () => {
    await startWorld()
    await make(1)
    await converged()
    const hold = proxy.hold(statusPatches)
    await resize(2)
    await eventually(() => hold.count === 1)
    // The spec moves on while the status of the one before is on its way, and that is refused.
    await resize(3)
    proxy.rule(on(statusPatches, { kind: 'status', code: 409 }, 1))
    hold.release()
    await converged(3)
    expect(createdChildren()).toBe(1)
  }, 60_000)

  it('of 429 is obeyed: nothing is sent before the time is over (D27)', async () => {
    await startWorld()
    const refused = proxy.rule(on(childPosts, { kind: 'status', code: 429, retryAfterSeconds: 2 }, 1))
    await make(5)
    await eventually(() => refused.hits === 1)
    const since = proxy.requests.filter(({ method }) => method === 'POST').at(-1)?.at ?? 0
    await converged()
    const soon = proxy.requests.filter(({ at, isWatch }) => !isWatch && at > since + 200 && at < since + 2000)
    expect(soon).toEqual([])
    expect(createdChildren()).toBe(5)
  }, 60_000)

  it.each([
    [403, 'Forbidden', 'forbidden', 'D30'],
    [422, 'Invalid', 'refused', 'D29'],
  ])(
    'of %d %s is said in its words (%s), tried ever more slowly, and recovered from (%s)',
    async (code, reason, thrown) => {
      await startWorld()
      const message = `configmaps may not be made (${reason})`
      const refused = proxy.rule(on(childPosts, { kind: 'status', code, reason, message }))
      await make(1)
      await eventually(() => refused.hits >= 4)
      await pause(1000)
      expect(refused.hits).toBeLessThan(9)
      expect(said(message)).toBeGreaterThan(0)
      expect(said(`"thrown":"${thrown}"`)).toBeGreaterThan(0)
      refused.remove()
      await converged()
      expect(createdChildren()).toBe(1)
    },
    60_000,
  )

  it('of 500 to each write, as from an etcd without space, holds up the writes, not the views (D35)', async () => {
    const operator = await startWorld()
    const message = 'etcdserver: mvcc: database space exceeded'
    const full = proxy.rule(on(request('POST|PATCH|DELETE|PUT', ''), { kind: 'status', code: 500, message }))
    await make(3)
    await eventually(
      () => operator.cache.list(boxKind).filter((box) => box.metadata.namespace === namespace).length === 3,
    )
    await pause(3000)
    // 50, 100, 200 ms and so on: about six tries of each key.
    expect(full.hits).toBeLessThan(3 * 9)
    full.remove()
    await converged()
    expect(createdChildren()).toBe(3)
  }, 60_000)

  it.each<[string, Action]>([
    ['lost after the commit', { kind: 'dropAfter' }],
    ['cut off', { kind: 'truncate', bytes: 20, ending: 'reset' }],
    ['cut off without notice', { kind: 'truncate', bytes: 20, ending: 'clean' }],
    ['of a request that a middlebox sent twice, the first', { kind: 'duplicate', answer: 'first' }],
    ['of a request that a middlebox sent twice, the second', { kind: 'duplicate', answer: 'second' }],
    ['to a request that never arrived', { kind: 'dropBefore' }],
  ])(
    '%s makes no second child and loses no status (D34)',
    async (_what, action) => {
      await startWorld()
      proxy.rule(on(childPosts, action, 2))
      proxy.rule(on(statusPatches, action, 2))
      await make(3)
      await converged()
      await resize(2)
      await converged(2)
      expect(createdChildren()).toBe(3)
      expect(writes().filter(({ verb }) => verb === 'delete')).toEqual([])
    },
    60_000,
  )

  it('that takes longer than the deadline is given up, tried again, and no queue explodes (D33)', async () => {
    await startWorld({ callTimeoutSeconds: 0.5 })
    const slow = proxy.rule((each, nth) =>
      each.isWatch || nth > 60 ? undefined : { kind: 'wait', until: pause(nth > 30 ? 100 : 1500) },
    )
    await make(10)
    await converged(1, 40)
    expect(createdChildren()).toBe(10)
    // A child and a status of each, each tried some times.
    expect(slow.hits).toBeLessThan(200)
  }, 60_000)

  it.each([1, 2, 3])(
    'of 5xx or none to a third of all calls is got over, each child made once (D28, seed %d)',
    (seed) =>
      withSeed(seed, async () => {
        await startWorld()
        const burst = proxy.rule(chaos(seed, 0.33, ({ isWatch }) => !isWatch, brokenAnswers))
        const cuts = proxy.rule(chaos(seed, 0.33, ({ isWatch }) => isWatch, [{ kind: 'status', code: 503 }]))
        await make(8)
        for (let size = 2; size <= 4; size += 1) {
          for (const watch of proxy.watches()) watch.reset()
          await resize(size)
          await pause(100)
        }
        await converged(4)
        expect(burst.hits + cuts.hits).toBeGreaterThan(5)
        expect(createdChildren()).toBe(8)
        expect(writes().filter(({ verb }) => verb === 'delete')).toEqual([])
      }),
    60_000,
  )
})

describe('events of another kind', () => {
  it.each(['configmaps', 'boxes'])(
    'that come much later, and twice, change nothing in the end: %s (B10, B11)',
    async (late) => {
      await startWorld()
      proxy.onLine(({ url }) =>
        watchesOf(late)({ method: 'GET', url, isWatch: true, at: 0 }) ? pause(400) : 'duplicate',
      )
      await make(5)
      await resize(2)
      await converged(2)
      expect(createdChildren()).toBe(5)
      const before = writes().length
      await pause(1500)
      expect(writes().length).toBe(before)
    },
    60_000,
  )
})
