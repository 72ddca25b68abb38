import type { Logger } from 'pino'
import type { KubeObject } from '../api/meta.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Clock } from './clock.ts'
import { makeCluster, type Cluster } from './cluster.ts'
import type { Events } from './events.ts'
import { Informers, type AnyInformer } from './informers.ts'
import { Loop } from './loop.ts'
import type { Metrics } from './metrics.ts'
import type { AnyController, Finalize, WriteStatus } from './reconciler.ts'

/** What the controllers of every cluster share. */
export interface Engine {
  readonly informers: readonly AnyInformer[]
  readonly controllers: readonly AnyController[]
  /** The name of the cluster on which an object, as `placedBy` found it, says that things run. */
  readonly placement: (object: KubeObject) => string
  readonly finalize: Finalize
  readonly writeStatus: WriteStatus
  readonly events: Events
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Logger
  /** Reconciles at the same time, per controller and cluster. */
  readonly workers: number
  readonly deadlineSeconds: number
  /** The operator's own namespace, on the hub. */
  readonly home: string
  readonly statusIntervalMilliseconds: number
}

/** Which cluster a Manager is for. */
export interface Member {
  readonly name: string
  readonly client: KubeClient
  /** The uid its kube-system must have; any when undefined. */
  readonly identity?: string
}

/**
 * The caches and controllers of one cluster: started caches first, stopped controllers first. The hub's Manager runs
 * every controller, that of another cluster those whose objects say where their things run.
 */
export class Manager {
  readonly cluster: Cluster
  readonly loops: readonly Loop[]
  readonly #log: Logger
  /** Takes the cluster out of the metrics. */
  readonly #hide: () => void
  #isWorking = false
  #stopping: Promise<void> | undefined

  /** `hub` is undefined for the hub's own. Throws a TypeError when a controller watches a type that has no Informer. */
  constructor(engine: Engine, member: Member, hub?: Cluster) {
    const { clock, log } = engine
    const metrics = engine.metrics.forCluster(member.name)
    const { name, client } = member
    this.#log = hub === undefined ? log : log.child({ cluster: name })
    const watched = engine.informers.filter(({ place = 'hub' }) => hub === undefined || place !== 'hub')
    const informers = new Informers({ client, informers: watched, clock, log: this.#log, metrics })
    this.cluster = makeCluster(name, client, informers, member.identity)
    const controllers = engine.controllers.filter((each) => hub === undefined || 'placedBy' in each)
    this.loops = controllers.map((controller) => {
      const reporting = engine.metrics.forLoop(controller.kind.plural)
      const loop = new Loop({
        ...engine,
        metrics: reporting,
        controller,
        hub: hub ?? this.cluster,
        target: this.cluster,
      })
      for (const watch of controller.watches) loop.placeOf(watch).informers.list(watch.type)
      return loop
    })
    this.#hide = metrics.show(() => this.cluster.informers.health())
  }

  /** True once the first lists are in. */
  get isSynced(): boolean {
    return this.cluster.informers.isSynced
  }

  /** True from the first call of stop on. */
  get isStopping(): boolean {
    return this.#stopping !== undefined
  }

  /** True from the first moment a reconcile may run until the stop. */
  get isWorking(): boolean {
    return this.#isWorking && !this.isStopping
  }

  /** Begins to fill the caches; resolves when they are full, or when stopped. */
  async fill(): Promise<void> {
    this.#log.info({ types: this.cluster.informers.typeIds }, 'Starting caches')
    this.cluster.informers.start()
    await this.cluster.informers.whenSynced()
  }

  /** Lets the controllers work on full caches, unless this is not the cluster it should be: then it says so and does nothing. */
  work(): void {
    if (this.isStopping) return
    try {
      // From here on it must stay the cluster it is now.
      this.cluster.check()
    } catch (error) {
      this.#log.error({ err: error }, 'Refusing to work')
      return
    }
    for (const loop of this.loops) loop.start()
    this.#isWorking = true
    this.#log.info({ controllers: this.loops.map(({ controller }) => controller.kind.plural) }, 'Started controllers')
  }

  /** Ends the controllers, then `flushed` (what they recorded), then the watches. The second call waits for the first. */
  stop(graceSeconds: number, flushed: () => Promise<void>): Promise<void> {
    this.#stopping ??= this.#stop(graceSeconds, flushed)
    return this.#stopping
  }

  async #stop(graceSeconds: number, flushed: () => Promise<void>): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop(graceSeconds)))
    await flushed()
    await this.cluster.informers.stop()
    this.#hide()
    this.#log.info('Stopped')
  }
}
