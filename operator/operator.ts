import operatorModule, { ResourceEventType, type ResourceMeta } from '@dot-i/k8s-operator'
import type { Logger } from 'pino'
import { refOf, type KubeObject, type ResourceType } from './api/meta.ts'
import { changeOf, makeChangeEvent, makeResourceEvent, metaOf, type ChangeEvent } from './changeEvent.ts'
import { ClusterPool, type Newcomer } from './clusters/pool.ts'
import type { Config } from './config.ts'
import type { CallOptions } from './kube/client.ts'
import type { PooledKubeClient } from './kube/restClient.ts'
import { isKubeError } from './kube/errors.ts'
import type { TransportOptions } from './kube/transport.ts'
import type { Clock } from './runtime/clock.ts'
import { localCluster } from './runtime/cluster.ts'
import type { Reader } from './runtime/controller.ts'
import { Events } from './runtime/events.ts'
import { finalizerPatch } from './runtime/finalizerPatch.ts'
import { typeIdOf, type AnyInformer, type InformerHealth } from './runtime/informers.ts'
import type { Loop } from './runtime/loop.ts'
import type { Engine } from './runtime/manager.ts'
import { Metrics } from './runtime/metrics.ts'
import type { AnyController, Finalize, WriteStatus } from './runtime/reconciler.ts'

// The package is CommonJS with a default export: to Node's ESM the default import is its whole `exports`.
const Operator = operatorModule.default

export interface AppsteadOperatorOptions {
  readonly config: Pick<Config, 'workers' | 'reconcileDeadlineSeconds' | 'stopGraceSeconds' | 'instance'> &
    Partial<Pick<Config, 'namespace'>>
  readonly log: Logger
  /** Of the cluster with our kinds; closed by `drain`. */
  readonly client: PooledKubeClient
  readonly clock: Clock
  /** One per watched type. */
  readonly informers: readonly AnyInformer[]
  readonly controllers: readonly AnyController[]
  /** Run once when the caches are filled and we lead, before the controllers work. Must end with its signal, at the stop. */
  readonly prepare?: (operator: AppsteadOperator, signal: AbortSignal) => Promise<void>
  /** Resolves when this process may work; caches are filled before. Default: at once. */
  readonly elected?: () => Promise<void>
  /** The name of the cluster on which the things of an AppInstance run. Default: that of the operator. */
  readonly placement?: (instance: KubeObject) => string
  /** Of the clients of further clusters: the hub's has its own. */
  readonly wire?: TransportOptions
  /** Where what happens is counted. Default: nobody looks. */
  readonly metrics?: Metrics
  /** After a burst of two an object's status is written once in this time. Default: 1,000. */
  readonly statusIntervalMilliseconds?: number
}

/** What a write is about that the base class asks us for: it hands on only the meta it was given. */
interface Subject {
  readonly type: ResourceType
  /** As it was when the write was decided: it is done only to this very object. */
  readonly object: KubeObject
  readonly options: CallOptions
  /** Given the object as the write has made it. */
  readonly wrote: (object: KubeObject) => void
}

/** `reportingController` of our events. */
const reportingController = 'appstead.dev/operator'

/**
 * The process as an Operator of @dot-i/k8s-operator. Start, init, stop, the registration of handlers with watchResource,
 * ResourceEvent as what they get, and the finalizer protocol are the base class' own. Overridden is what loses events,
 * writes or the process under it: how it watches, how it writes status and finalizers. test/apiserver/engineDotI.test.ts
 * shows for each what the base class would lose.
 */
export class AppsteadOperator extends Operator {
  readonly client: PooledKubeClient
  readonly #pool: ClusterPool
  readonly #options: AppsteadOperatorOptions
  readonly #subjects = new WeakMap<ResourceMeta, Subject>()
  readonly #draining = new AbortController()

  constructor(options: AppsteadOperatorOptions) {
    super(loggerOf(options.log))
    this.client = options.client
    this.#options = options
    this.#pool = new ClusterPool(this.#makeEngine(), options.client, (loop) => this.#connect(loop), options.wire ?? {})
  }

  /** True when the caches of the hub are filled: a standby is as ready as can be. */
  get isSynced(): boolean {
    return this.#pool.hub.isSynced
  }

  /** True while reconciles may run. */
  get isWorking(): boolean {
    return this.#pool.hub.isWorking
  }

  /** True when no reconcile is queued or running; those that wait for time or for the cache do not count. */
  get isIdle(): boolean {
    return this.#pool.managers.every(({ loops }) => loops.every((loop) => loop.isIdle))
  }

  /** What the caches of the hub hold. */
  get cache(): Reader {
    return this.#pool.hub.cluster.informers
  }

  /** How each watched type of the hub is doing, for /livez and /readyz: another cluster that is away is no reason to restart. */
  health(): readonly InformerHealth[] {
    return this.#pool.hub.cluster.informers.health()
  }

  /** Takes in another cluster for instances to run on; returns at once. Throws as ClusterPool.add does. */
  addCluster(newcomer: Newcomer): void {
    this.#pool.add(newcomer)
  }

  /** Lets a cluster go; what runs there lives on. */
  async removeCluster(name: string): Promise<void> {
    await this.#pool.remove(name)
  }

  /** Begins to stop, as the base class promises: at once and without waiting. */
  override stop(): void {
    super.stop()
    void this.drain()
  }

  /** Stops, and resolves when running reconciles have ended and all connections are closed. */
  async drain(): Promise<void> {
    this.#draining.abort()
    await this.#pool.stop(this.#options.config.stopGraceSeconds)
    await this.client.close()
  }

  #makeEngine(): Engine {
    const { config, log, client, clock, ...options } = this.#options
    return {
      informers: options.informers,
      controllers: options.controllers,
      placement: options.placement ?? (() => localCluster),
      finalize: (request) => this.#finalize(request),
      writeStatus: (...write) => this.#writeStatus(...write),
      events: new Events({ client, controller: reportingController, instance: config.instance, clock, log }),
      metrics: options.metrics ?? new Metrics(),
      clock,
      log,
      workers: config.workers,
      deadlineSeconds: config.reconcileDeadlineSeconds,
      home: config.namespace ?? 'appstead-system',
      statusIntervalMilliseconds: options.statusIntervalMilliseconds ?? 1000,
    }
  }

  /** Registers every watch of every controller, fills the caches, and lets the controllers work once we lead. */
  protected override async init(): Promise<void> {
    const { elected, prepare } = this.#options
    await this.#pool.fill()
    await elected?.()
    // A standby that is stopped was never elected.
    if (this.#pool.hub.isStopping) return
    await prepare?.(this, this.#draining.signal)
    this.#pool.begin()
  }

  /** The hub's own loops are woken through the base class; those of another cluster come and go. */
  async #connect(loop: Loop): Promise<() => void> {
    const disconnects: (() => void)[] = []
    for (const watch of loop.controller.watches) {
      const { group, version, plural, view } = watch.type
      // The base class knows no part of a type.
      if (loop.isOfHub && view === undefined) {
        await this.watchResource(group, version, plural, async (event) => loop.changed(watch, ...changeOf(event)))
      } else {
        const cache = loop.placeOf(watch).informers.cacheOf(typeIdOf(watch.type))
        if (cache !== undefined) disconnects.push(cache.onChange((...change) => loop.changed(watch, ...change)))
      }
    }
    return () => {
      for (const disconnect of disconnects) disconnect()
    }
  }

  /**
   * The base class opens a watch per call, without a resourceVersion, and ends the process when it breaks. Here all
   * handlers of a type share one list + watch that goes on where it was. Rejects for a type without an Informer, and
   * for a namespace: an Informer is for the whole cluster.
   */
  protected override async watchResource(
    group: string,
    version: string,
    plural: string,
    onEvent: (event: ChangeEvent) => Promise<void>,
    namespace?: string,
  ): Promise<void> {
    const cache = this.#pool.hub.cluster.informers.cacheOf(typeIdOf({ group, version, plural }))
    if (cache === undefined || namespace !== undefined) {
      throw new TypeError(`watchResource: no Informer for ${typeIdOf({ group, version, plural })} ${namespace ?? ''}`)
    }
    cache.onChange((before, after) => {
      const event = makeChangeEvent(plural, before, after)
      // Not queued one after the other as in the base class: our handlers only name keys, the queue is theirs.
      if (event !== undefined) {
        onEvent(event).catch((error: unknown) => this.logger.error(`handler of ${event.meta.id}: ${String(error)}`))
      }
    })
  }

  /** The base class logs a failed write and goes on as if it had succeeded; here it rejects with the KubeError. */
  protected override async setResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    const { type, object, options, wrote } = this.#subjectOf(meta)
    const written = await this.client.patchStatus(type, refOf(object), object.metadata.uid ?? '', status, options)
    wrote(written)
    return metaOf(type.plural, written)
  }

  /** The base class merges, so that what a status no longer says stays; here the status is replaced. */
  protected override patchResourceStatus(meta: ResourceMeta, status: unknown): Promise<ResourceMeta> {
    return this.setResourceStatus(meta, status)
  }

  /**
   * The base class writes the whole list it remembers and so takes off the finalizers others added meanwhile; here only
   * what differs from the list we saw is added or removed, and only if it still stands where we saw it.
   */
  protected override async setResourceFinalizers(meta: ResourceMeta, finalizers: string[]): Promise<void> {
    const { type, object, options, wrote } = this.#subjectOf(meta)
    try {
      wrote(await this.client.patch(type, refOf(object), finalizerPatch(object, finalizers), options))
    } catch (error) {
      // Gone meanwhile: there is nothing left to hold or to let go.
      if (!isKubeError(error, 'NotFound')) throw error
    }
  }

  /** The engine's way to the base class' setResourceStatus. */
  async #writeStatus(...[type, object, status, signal]: Parameters<WriteStatus>): Promise<KubeObject> {
    const meta = metaOf(type.plural, object)
    let after = object
    this.#subjects.set(meta, { type, object, options: { signal }, wrote: (written) => (after = written) })
    await this.setResourceStatus(meta, status)
    return after
  }

  /** The engine's way to the base class' finalizer protocol. */
  async #finalize({ type, object, finalizer, signal, cleanup, wrote }: Parameters<Finalize>[0]): Promise<boolean> {
    // The protocol changes the list of finalizers it is given: ours is frozen and belongs to the cache.
    const copy = { ...object, metadata: { ...object.metadata, finalizers: [...(object.metadata.finalizers ?? [])] } }
    const event = makeResourceEvent(type.plural, ResourceEventType.Modified, copy)
    this.#subjects.set(event.meta, { type, object, options: { signal }, wrote })
    return this.handleResourceFinalizer(event, finalizer, cleanup)
  }

  /** Of a meta that came with an event: the object as the cache holds it now. */
  #subjectOf(meta: ResourceMeta): Subject {
    const known = this.#subjects.get(meta)
    if (known !== undefined) return known
    const { informers } = this.#pool.hub.cluster
    const type = informers.typeOf(meta.id)
    if (type === undefined) throw new TypeError(`no Informer for ${meta.id}`)
    const object = informers.get(type, refOf({ metadata: meta }))
    if (object === undefined) throw new TypeError(`${meta.id} ${meta.name} is not in the cache`)
    return { type, object, options: {}, wrote: () => undefined }
  }
}

function loggerOf(log: Logger): { debug: Log; info: Log; warn: Log; error: Log } {
  return {
    debug: (text) => log.debug({ text }, 'The base class says'),
    info: (text) => log.info({ text }, 'The base class says'),
    warn: (text) => log.warn({ text }, 'The base class says'),
    error: (text) => log.error({ text }, 'The base class says'),
  }
}

type Log = (message: string) => void
