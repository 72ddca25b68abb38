import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { keyOf, refOf, type ApiObject, type KubeObject, type Ref } from '../api/meta.ts'
import { isKubeError, type KubeError } from '../kube/errors.ts'
import { actionOf, actionOfThrown, classOfThrown, type Action } from './actions.ts'
import { Breaker } from './breaker.ts'
import type { Cluster } from './cluster.ts'
import { Consistency } from './consistency.ts'
import type { Watch } from './controller.ts'
import { Queue } from './queue.ts'
import { Reconciler, type AnyController, type ReconcilerOptions } from './reconciler.ts'
import { isEdit, priorityAtStart, priorityOfChange } from './wake.ts'

export interface LoopOptions extends Omit<ReconcilerOptions, 'consistency'> {
  /** The name of the cluster on which an object, as `placedBy` found it, says that things run. */
  readonly placement: (object: KubeObject) => string
  readonly workers: number
  readonly deadlineSeconds: number
}

/** One controller at work for the objects of one cluster: its watches fill the queue, its workers reconcile one key after the other. */
export class Loop {
  readonly #options: LoopOptions
  readonly #log: Logger
  readonly #queue: Queue
  readonly #consistency: Consistency
  readonly #reconciler: Reconciler
  readonly #breaker: Breaker
  /** Keys whose status is written only after so many milliseconds. */
  readonly #owing = new Map<string, number>()
  #state: 'new' | 'working' | 'stopped' = 'new'
  /** Of the reconciles that run now. */
  readonly #running = new Set<AbortController>()
  #isCut = false
  /** What was last said of a key: the same again is worth a debug line only. */
  readonly #said = new Map<string, string>()
  /** Takes the loop out of the metrics. */
  #hide: (() => void) | undefined

  constructor(options: LoopOptions) {
    this.#options = options
    const { controller, hub, target, clock, workers } = options
    const cluster = target === hub ? {} : { cluster: target.name }
    this.#log = options.log.child({ controller: controller.kind.plural, ...cluster })
    this.#queue = new Queue({
      clock,
      workers,
      work: (key) => this.#work(key),
      flowOf: (key) => this.#flowOf(key),
      observer: options.metrics.observer,
    })
    this.#breaker = new Breaker({
      clock,
      onOpen: (key) => this.#throttled(key),
      onClose: (key) => this.#log.info({ key }, 'No longer throttling an object'),
    })
    this.#consistency = new Consistency({
      informers: [hub.informers, target.informers],
      clock,
      wake: (key) => this.#queue.add(key, 'event'),
    })
    this.#reconciler = new Reconciler({ ...options, consistency: this.#consistency })
  }

  get controller(): AnyController {
    return this.#options.controller
  }

  /** The cluster on which a type is watched for this loop. */
  placeOf({ place }: Watch): Cluster {
    return place === 'target' ? this.#options.target : this.#options.hub
  }

  /** True when nothing is queued, worked on or to be written; keys that wait to be tried again or for the cache do not count. */
  get isIdle(): boolean {
    return this.#queue.depth === 0 && this.#queue.running === 0 && this.#owing.size === 0
  }

  /** Whether this is one of the hub's own loops. */
  get isOfHub(): boolean {
    return this.#options.target === this.#options.hub
  }

  /**
   * A watched object changed: wakes the keys that `watch` names for the old and for the new state of it, each once.
   * Before the start it need not be told: then everything is looked at.
   */
  changed(watch: Watch, before: KubeObject | undefined, after: KubeObject | undefined): void {
    if (this.#state !== 'working') return
    const isChange = before !== undefined && after !== undefined
    if (watch.ignoresStatus === true && isChange && !isEdit(before, after)) return
    const isOwn = watch.type === this.#options.controller.kind
    const priority = isOwn ? priorityOfChange(before, after) : 'event'
    const keys = this.#keysOf(watch, before, after)
    // Whatever else its change means: what is kept of one that is gone is to be forgotten.
    if (isOwn && before !== undefined && after === undefined) keys.add(keyOf(refOf(before)))
    for (const key of keys) {
      if (!this.#isOurs(key)) continue
      if (isChange && priority === 'user') this.#breaker.changed(key)
      this.#queue.add(key, priority)
    }
  }

  /** Said once: somebody, or something, changes the object without end. */
  #throttled(key: string): void {
    const { controller, hub, events } = this.#options
    this.#log.warn({ key }, 'Throttling an object that changes all the time')
    const object = hub.informers.get<KubeObject>(controller.kind, refOfKey(key))
    if (object === undefined) return
    events.record(object, {
      type: 'Warning',
      reason: 'ReconcileThrottled',
      action: 'Reconciling',
      message: `This ${object.kind} was changed more than 30 times in a short time; until it is left alone for a minute it is looked at once in 10 seconds. See who changes it: kubectl get ${controller.kind.plural} ${object.metadata.name}${inNamespaceOf(object)} -o yaml --show-managed-fields`,
    })
  }

  /** Whether the key's object belongs to the cluster this loop is for. */
  #isOurs(key: string): boolean {
    const { controller, hub, target, placement } = this.#options
    if (controller.placedBy === undefined) return true
    const object = hub.informers.get<KubeObject>(controller.kind, refOfKey(key))
    // One that is gone is to be forgotten.
    if (object === undefined) return true
    const placed: KubeObject | undefined = controller.placedBy(object, hub.informers)
    return placed !== undefined && placement(placed) === target.name
  }

  #flowOf(key: string): readonly string[] {
    const { controller, hub } = this.#options
    const object = hub.informers.get<KubeObject>(controller.kind, refOfKey(key))
    return (object && controller.flowOf?.(object)) ?? [refOfKey(key).namespace]
  }

  #keysOf(watch: Watch, ...states: readonly (KubeObject | undefined)[]): Set<string> {
    return new Set(states.flatMap((object) => (object === undefined ? [] : this.#keysOfOne(watch, object))))
  }

  #keysOfOne(watch: Watch, object: KubeObject): readonly string[] {
    try {
      return watch.keys(object, this.#options.hub.informers).map(keyOf)
    } catch (error) {
      const { name } = object.metadata
      this.#log.error({ err: error, type: watch.type.plural, name }, 'Failed to find the keys of a change')
      return []
    }
  }

  /** Begins to work, with every object there is: the hub's caches may have been full before anybody listened. */
  start(): void {
    const { controller, hub, target, metrics, workers } = this.#options
    const own = controller.watches.filter(({ type }) => type === controller.kind)
    for (const object of hub.informers.list<ApiObject<unknown, unknown>>(controller.kind)) {
      const keys = own.flatMap((watch) => [...this.#keysOf(watch, object)]).filter((key) => this.#isOurs(key))
      for (const key of keys) this.#queue.add(key, priorityAtStart(object))
    }
    this.#state = 'working'
    this.#reconciler.begin()
    const contested = (): number => controller.contested?.(target.informers) ?? 0
    this.#hide = metrics.show({ workers, queue: this.#queue, breaker: this.#breaker, contested })
    this.#queue.start()
  }

  /** Takes no more keys; running reconciles may end by themselves for `graceSeconds`, then their calls are aborted. */
  async stop(graceSeconds: number): Promise<void> {
    this.#state = 'stopped'
    const cancel = this.#options.clock.after(graceSeconds * 1000, () => {
      this.#isCut = true
      for (const abort of this.#running) abort.abort()
    })
    await this.#queue.stop()
    this.#consistency.stop()
    this.#breaker.stop()
    this.#hide?.()
    cancel()
  }

  /** Reconciles a key, unless it has to wait. Never throws. */
  async #work(key: string): Promise<void> {
    const { controller, hub, clock, metrics, deadlineSeconds } = this.#options
    const object = hub.informers.get<ApiObject<unknown, unknown>>(controller.kind, refOfKey(key))
    // Or it was made anew, to run on another cluster, since the key began to wait.
    if (object === undefined || !this.#isOurs(key)) return this.#forget(key)
    if (!this.#consistency.isFresh(key)) return
    const delay = this.#breaker.delayFor(key)
    if (delay > 0) return this.#queue.addAfter(key, delay)
    this.#owing.delete(key)
    const abort = new AbortController()
    const cancel = clock.after(deadlineSeconds * 1000, () => {
      metrics.timedOut()
      abort.abort()
    })
    this.#running.add(abort)
    await this.#reconcile(key, object, abort.signal)
    cancel()
    this.#running.delete(abort)
  }

  /** One reconcile, and what follows from how it ended. Never throws. */
  async #reconcile(key: string, object: ApiObject<unknown, unknown>, signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#options
    const log = this.#log.child({ key, generation: object.metadata.generation, reconcileID: randomUUID() })
    const startedAt = clock.now()
    const passed = (): number => clock.now() - startedAt
    try {
      await this.#consistency.lookAtDoubtful(key, signal)
      if (!this.#consistency.isFresh(key)) return
      const { outcome, owing } = await this.#reconciler.run(key, object, log, signal)
      if (owing > 0) this.#owing.set(key, owing)
      const action = actionOf(outcome)
      metrics.reconciled(outcome.kind, action.queue === 'after', passed() / 1000)
      this.#act(key, action, log, { outcome, milliseconds: Math.round(passed()) })
    } catch (error) {
      const thrown = classOfThrown(error)
      metrics.threw(thrown, passed() / 1000)
      if (isKubeError(error, 'Forbidden', 'Invalid')) this.#refused(object, error)
      this.#act(key, actionOfThrown(error), log, { thrown, err: error, milliseconds: Math.round(passed()) })
    }
  }

  #act(key: string, action: Action, log: Logger, fields: Record<string, unknown>): void {
    // A reconcile that shutdown cut off has not failed.
    if (this.#isCut) return
    if (action.queue === 'backoff') {
      const delay = this.#queue.addWithBackoff(key, action.seconds * 1000)
      log[action.level]({ ...fields, delayMilliseconds: Math.round(delay) }, 'Reconciling again after a failure')
      return
    }
    this.#queue.forget(key)
    if (action.queue === 'after') this.#queue.addAfter(key, action.seconds * 1000)
    const owing = this.#owing.get(key)
    if (owing !== undefined) this.#queue.addAfter(key, owing)
    // Without the seconds that are left: they are another number each time.
    const outcome = JSON.stringify(fields['outcome'], (name, value: unknown) =>
      name === 'retryAfterSeconds' ? undefined : value,
    )
    const isNews = this.#said.get(key) !== outcome
    this.#said.set(key, outcome)
    log[isNews ? action.level : 'debug'](fields, 'Reconciled')
  }

  /** What is refused to a controller it says in the status, if it can: of the rest nobody else can tell, as of the status itself. */
  #refused(object: KubeObject, { code, message }: KubeError): void {
    const reason = code === 'Forbidden' ? 'Forbidden' : 'RefusedByServer'
    this.#options.events.record(object, { type: 'Warning', reason, action: 'Reconciling', message })
  }

  /** The object is gone, or no longer for this loop. */
  #forget(key: string): void {
    this.#queue.forget(key)
    this.#said.delete(key)
    this.#owing.delete(key)
    this.#reconciler.forget(key)
    this.#breaker.forget(key)
    this.#consistency.forget(key)
  }
}

function inNamespaceOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`
}

function refOfKey(key: string): Ref {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
