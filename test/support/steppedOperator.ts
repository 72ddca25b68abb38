import process from 'node:process'
import type { KubeObject, Ref, ResourceType } from '../../operator/api/meta.ts'
import { keyOf, refOf } from '../../operator/api/meta.ts'
// Jest cannot let a CommonJS package (@dot-i's) require an ES module that is itself being linked: client-node must be there before.
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient, type PooledKubeClient } from '../../operator/kube/restClient.ts'
import { collectionPath } from '../../operator/kube/paths.ts'
import type { AppsteadOperator as Operator, AppsteadOperatorOptions } from '../../operator/operator.ts'
import { compareResourceVersions } from '../../operator/runtime/resourceVersion.ts'
import { systemClock } from '../../operator/runtime/clock.ts'
import { makeLog } from '../../operator/runtime/log.ts'
import { demand, type Admin } from './apiserver.ts'
import { failOnLeaks, leaksIn } from './canaries.ts'
import { leaksInCluster } from './clusterLeaks.ts'
import type { ProductCluster } from './productCluster.ts'

const { AppsteadOperator } = await import('../../operator/operator.ts')
const { controllers } = await import('../../operator/controllers/controllers.ts')
const { informers } = await import('../../operator/controllers/informers.ts')
const { typeIdOf } = await import('../../operator/runtime/informers.ts')
const { createDefaultEnvs } = await import('../../operator/controllers/appEnv/defaultEnvs.ts')

/** One write the operator sent, in the order in which they were sent. */
export interface Write {
  readonly verb: 'create' | 'apply' | 'patch' | 'patchStatus' | 'delete'
  readonly kind: string
  readonly ref: Ref
}

/** Decides what happens to a write: 'lost' never reaches the server, 'unanswered' does but we do not learn of it. */
export type Fault = (write: Write) => 'lost' | 'unanswered' | undefined

/** A line of the operator's log. */
export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly controller?: string
  readonly key?: string
  readonly thrown?: string
  readonly delayMilliseconds?: number
}

/** The operator as it is, on a real control plane, with a test that can wait for the end of what it does. */
export interface SteppedOperator {
  readonly operator: Operator
  /** Every write since the start, or since `forget`. */
  readonly writes: Write[]
  readonly log: LogLine[]
  /**
   * Resolves when the operator has done all it will do by itself: its caches hold what the server holds, nothing is
   * queued, running, on its way or about to be tried again; or as soon as `isOver`. Rejects, with what is missing, when
   * that does not happen.
   */
  settle(isOver?: () => boolean): Promise<void>
  /** Resolves when `check` is true; it is asked again whenever something happened. Rejects after `seconds`. */
  until(what: string, check: () => Promise<boolean>, seconds?: number): Promise<void>
  /** Stops as main does; then rejects if a secret is seen in its log, or in the cluster anywhere but in a Secret. */
  stop(): Promise<void>
  /** As a kill does: nothing more is written or read, from this moment. */
  crash(): Promise<void>
}

/** Longer delays than this are not waited for: the operator has tried several times in vain. */
const patienceMilliseconds = 400

/** What a test may give the operator in place of the usual. */
export type OperatorOptions = Partial<AppsteadOperatorOptions>

/** Starts the operator of the product on this cluster; resolves when its caches are full and it works. */
export async function startOperator(
  world: ProductCluster,
  fault: Fault = () => undefined,
  more: OperatorOptions = {},
): Promise<SteppedOperator> {
  const state = new Activity()
  // The base class of @dot-i looks for one, too.
  process.env['KUBECONFIG'] = world.operatorKubeconfig
  const log = makeLog('debug', { write: (line) => state.logged(line) })
  const operator = new AppsteadOperator({
    config: { workers: 4, reconcileDeadlineSeconds: 30, stopGraceSeconds: 5, instance: 'test' },
    log,
    client: makeKubeClient(loadKubeConfig(world.operatorKubeconfig)),
    clock: systemClock,
    // Twenty times as fast as in life: a test waits for each of them.
    statusIntervalMilliseconds: 50,
    informers,
    controllers,
    prepare: ({ client, cache }, signal) => createDefaultEnvs({ client, cache, log, signal }),
    ...more,
  })
  spy(operator.client, state, fault)
  try {
    await operator.start()
  } catch (error) {
    // Its watches would keep the test run from ending.
    await operator.drain()
    throw error
  }
  for (const { type } of informers) cacheOf(operator, type).onSeen(() => state.happened())
  return makeStepped(world, operator, state)
}

function makeStepped(world: ProductCluster, operator: Operator, state: Activity): SteppedOperator {
  return {
    operator,
    writes: state.writes,
    log: state.log,
    settle: (isOver) => settle(world.hands.admin, operator, state, isOver),
    async until(what, check, seconds = 20) {
      const deadline = Date.now() + seconds * 1000
      while (!(await check())) {
        if (Date.now() > deadline) throw new Error(`${what}: not so after ${seconds} s`)
        await state.next()
      }
    },
    async stop() {
      await operator.drain()
      // In this order: the first reads back what the second looks for.
      failOnLeaks([...(await leaksInCluster(world.hands.admin)), ...leaksIn("the operator's log", state.text)])
    },
    async crash() {
      state.isDead = true
      await operator.drain()
    },
  }
}

/**
 * Idle, then what the server holds at that moment has arrived, then idle again without a write in between. What others
 * change meanwhile is not waited for, or a busy cluster would never settle.
 */
async function settle(
  admin: Admin,
  operator: Operator,
  state: Activity,
  isOver: () => boolean = () => false,
): Promise<void> {
  const deadline = Date.now() + 30_000
  const wait = async (missing: () => string): Promise<void> => {
    for (let text = missing(); text !== '' && !isOver(); text = missing()) {
      if (Date.now() > deadline) throw new Error(`not settled after 30 s: ${text}`)
      await state.next()
    }
  }
  for (let sent = -1; sent !== state.sent && !isOver();) {
    await wait(() => state.busy(operator))
    sent = state.sent
    const held = await Promise.all(informers.map((informer) => listHeld(admin, informer)))
    await wait(() => held.map((each) => behind(operator, each)).find((text) => text !== '') ?? '')
    await wait(() => state.busy(operator))
  }
}

interface Held {
  readonly type: ResourceType
  readonly resourceVersion: string
  /** resourceVersions by key. */
  readonly objects: ReadonlyMap<string, string>
}

async function listHeld(
  admin: Admin,
  { type, labelSelector = '', fieldSelector = '' }: (typeof informers)[number],
): Promise<Held> {
  const query = `?${new URLSearchParams({ labelSelector, fieldSelector }).toString()}`
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
  const list = await demand<{ metadata: { resourceVersion: string }; items: KubeObject[] | null }>(admin, {
    path: collectionPath(type) + query,
    accept,
  })
  const objects = (list.items ?? []).map(
    (object) => [keyOf(refOf(object)), object.metadata.resourceVersion ?? ''] as const,
  )
  return { type, resourceVersion: list.metadata.resourceVersion, objects: new Map(objects) }
}

/** Names an object of which the cache has not seen what the server held; '' when there is none. */
function behind(operator: Operator, { type, resourceVersion, objects }: Held): string {
  const cached = new Map(
    operator.cache.list(type).map((object) => [keyOf(refOf(object)), object.metadata.resourceVersion]),
  )
  const seen = cacheOf(operator, type).seenResourceVersion
  for (const [key, version] of objects) {
    // Not there, but something later was seen: it has been deleted since.
    const reached = cached.get(key) ?? seen
    if (compareResourceVersions(reached, version) < 0) return `the cache is behind on ${type.kind} ${key}`
  }
  for (const [key, version] of cached) {
    if (!objects.has(key) && compareResourceVersions(version, resourceVersion) < 0)
      return `the cache still holds ${type.kind} ${key}`
  }
  return ''
}

/** What the operator does, as far as it can be seen from outside. */
class Activity {
  readonly writes: Write[] = []
  readonly log: LogLine[] = []
  isDead = false
  /** How many writes were sent since the start. */
  sent = 0
  readonly #texts: string[] = []
  readonly #retrying = new Set<string>()
  #inFlight = 0
  #waiters: (() => void)[] = []

  /** The log as it was written. */
  get text(): string {
    return this.#texts.join('')
  }

  happened(): void {
    for (const wake of this.#waiters.splice(0)) wake()
  }

  logged(text: string): void {
    const line = JSON.parse(text) as LogLine
    this.log.push(line)
    this.#texts.push(text)
    const id = `${line.controller} ${line.key}`
    if (line.delayMilliseconds !== undefined && line.key !== undefined && line.delayMilliseconds < patienceMilliseconds)
      this.#retrying.add(id)
    else this.#retrying.delete(id)
    this.happened()
  }

  async call<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#inFlight += 1
    try {
      return await run()
    } finally {
      this.#inFlight -= 1
      this.happened()
    }
  }

  /** What is under way; '' when nothing is. */
  busy(operator: Operator): string {
    if (!operator.isIdle) return 'reconciles are queued or running'
    if (this.#inFlight > 0) return `${this.#inFlight} calls are under way`
    for (const id of this.#retrying) if (!isThere(operator, id)) this.#retrying.delete(id)
    const [retrying] = this.#retrying
    return retrying === undefined
      ? ''
      : `${retrying} is about to be tried again: ${JSON.stringify(this.log.findLast(({ delayMilliseconds }) => delayMilliseconds !== undefined))}`
  }

  /** Resolves at the next thing that happens; also without one, since idleness itself is no event. */
  async next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiters.push(resolve)
    const timer = setTimeout(resolve, 25)
    await promise
    clearTimeout(timer)
  }
}

/** A key whose object is gone is not tried again. */
function isThere(operator: Operator, id: string): boolean {
  const [plural = '', key = ''] = id.split(' ')
  const kind = controllers.map((controller) => controller.kind).find((each) => each.plural === plural)
  const [namespace = '', name = ''] = key.split('/')
  return kind !== undefined && operator.cache.get(kind, { namespace, name }) !== undefined
}

function refuse(): never {
  throw new Error('the operator was killed')
}

/** Puts the test between the operator and its real client: every call is seen, and may fail on the way. */
function spy(client: PooledKubeClient, state: Activity, fault: Fault): void {
  const real = { ...client }
  const write = <Result>(what: Write, send: () => Promise<Result>): Promise<Result> =>
    state.call(async () => {
      if (state.isDead) refuse()
      state.writes.push(what)
      state.sent += 1
      const fate = fault(what)
      if (fate !== undefined) state.isDead = true
      if (fate === 'lost') refuse()
      const result = await send()
      return fate === 'unanswered' ? refuse() : result
    })
  const replaced: Pick<PooledKubeClient, Write['verb'] | 'get'> = {
    get: (...call) => state.call(() => (state.isDead ? refuse() : real.get(...call))),
    create: (type, object, options) =>
      write({ verb: 'create', kind: type.kind, ref: refOf(object) }, () => real.create(type, object, options)),
    apply: (type, object, options) =>
      write({ verb: 'apply', kind: type.kind, ref: refOf(object) }, () => real.apply(type, object, options)),
    patchStatus: (type, ref, uid, status, options) =>
      write({ verb: 'patchStatus', kind: type.kind, ref }, () => real.patchStatus(type, ref, uid, status, options)),
    patch: (type, ref, operations, options) =>
      write({ verb: 'patch', kind: type.kind, ref }, () => real.patch(type, ref, operations, options)),
    delete: (type, ref, uid, options) =>
      write({ verb: 'delete', kind: type.kind, ref }, () => real.delete(type, ref, uid, options)),
  }
  Object.assign(client, replaced)
}

interface SeenCache {
  readonly seenResourceVersion: string
  onSeen(handler: () => void): void
}

/** A type and a view of it have a cache each. */
function cacheOf(operator: Operator, type: ResourceType): SeenCache {
  const held = operator.cache as unknown as { cacheOf(typeId: string): SeenCache }
  return held.cacheOf(typeIdOf(type))
}
