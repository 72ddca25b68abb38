import type { Logger } from 'pino'
import type { KubeClient } from '../kube/client.ts'
import type { Clock } from './clock.ts'
import { Events } from './events.ts'
import { Informers, type AnyInformer } from './informers.ts'
import { Loop, type AnyController, type Finalize, type WriteStatus } from './loop.ts'

export interface ManagerOptions {
  readonly client: KubeClient
  readonly informers: readonly AnyInformer[]
  readonly controllers: readonly AnyController[]
  readonly finalize: Finalize
  readonly writeStatus: WriteStatus
  readonly clock: Clock
  readonly log: Logger
  /** `reportingController` and `reportingInstance` of our events. */
  readonly identity: { readonly controller: string; readonly instance: string }
  readonly workers: number
  readonly deadlineSeconds: number
}

/** The caches and controllers of one cluster: started caches first, stopped controllers first. */
export class Manager {
  readonly informers: Informers
  readonly loops: readonly Loop[]
  readonly #events: Events
  readonly #log: Logger
  #isReady = false
  #stopping: Promise<void> | undefined

  /** Throws a TypeError when a controller watches a type that has no Informer. */
  constructor(options: ManagerOptions) {
    const { client, clock, log } = options
    this.#log = log
    this.informers = new Informers({ client, informers: options.informers, clock, log })
    this.#events = new Events({ client, ...options.identity, clock, log })
    this.loops = options.controllers.map((controller) => {
      for (const { type } of [{ type: controller.kind }, ...controller.watches]) this.informers.list(type)
      const { finalize, writeStatus, workers, deadlineSeconds } = options
      const engine = { informers: this.informers, client, events: this.#events, clock, log }
      return new Loop({ ...engine, controller, finalize, writeStatus, workers, deadlineSeconds })
    })
  }

  /** True from the first moment a reconcile may run until the stop. */
  get isReady(): boolean {
    return this.#isReady && this.#stopping === undefined
  }

  /** Fills the caches, runs `prepare` on them, then lets the controllers work; resolves when they do. */
  async start(prepare: () => Promise<void>): Promise<void> {
    this.#log.info({ types: this.informers.typeIds }, 'Starting caches')
    this.informers.start()
    await this.informers.whenSynced()
    if (this.#stopping !== undefined) return
    await prepare()
    for (const loop of this.loops) loop.start()
    this.#isReady = true
    this.#log.info({ controllers: this.loops.map(({ controller }) => controller.kind.plural) }, 'Started controllers')
  }

  /** Ends the controllers, the events they recorded, the watches, in that order. The second call waits for the first. */
  stop(graceSeconds = 10): Promise<void> {
    this.#stopping ??= this.#stop(graceSeconds)
    return this.#stopping
  }

  async #stop(graceSeconds: number): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop(graceSeconds)))
    await this.#events.flush()
    await this.informers.stop()
    this.#log.info('Stopped')
  }
}
