import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { keyOf, type ApiObject, type KubeObject, type Ref, type ResourceType } from '../api/meta.ts'
import type { KubeClient } from '../kube/client.ts'
import { actionOf, actionOfThrown, classOfThrown, type Action, type ThrownClass } from './actions.ts'
import type { Clock } from './clock.ts'
import { Consistency } from './consistency.ts'
import type { Controller, Ctx, Report, Watch } from './controller.ts'
import type { Events } from './events.ts'
import type { Informers } from './informers.ts'
import { Queue } from './queue.ts'
import { isSameJson } from './sameJson.ts'
import { makeWriter } from './writer.ts'

/** Any controller: the loop gives it only objects of its own kind. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyController = Controller<any, any>

/**
 * The finalizer protocol for one object: puts the finalizer on a live object that lacks it; while the object is being
 * deleted and holds it, runs `cleanup` and takes the finalizer off when that does not throw. Resolves to true when the
 * object needs nothing more now. Writes are given to `wrote`.
 */
export type Finalize = (request: {
  readonly type: ResourceType
  readonly object: KubeObject
  readonly finalizer: string
  readonly signal: AbortSignal
  readonly cleanup: () => Promise<void>
  readonly wrote: (object: KubeObject) => void
}) => Promise<boolean>

/** Replaces an object's status; returns the object as it is then. */
export type WriteStatus = (
  type: ResourceType,
  object: KubeObject,
  status: unknown,
  signal: AbortSignal,
) => Promise<KubeObject>

export interface LoopOptions {
  readonly controller: AnyController
  readonly informers: Informers
  readonly client: KubeClient
  readonly finalize: Finalize
  readonly writeStatus: WriteStatus
  readonly events: Events
  readonly clock: Clock
  readonly log: Logger
  readonly workers: number
  readonly deadlineSeconds: number
}

/** Thrown by a cleanup that has not settled, so that the finalizer stays; the report is acted on like any other. */
export class NotDone extends Error {
  override readonly name = 'NotDone'
  readonly report: Report<unknown>

  constructor(report: Report<unknown>) {
    super('cleanup is not done')
    this.report = report
  }
}

/** One controller at work: its watches fill the queue, its workers reconcile one key after the other. */
export class Loop {
  readonly #options: LoopOptions
  readonly #log: Logger
  readonly #queue: Queue
  readonly #consistency: Consistency
  /** Of the reconciles that run now. */
  readonly #running = new Set<AbortController>()
  #isCut = false
  /** What was last said of a key: the same again is worth a debug line only. */
  readonly #said = new Map<string, string>()
  readonly #counts = { reconciles: 0, transient: 0, forbidden: 0, refused: 0, bug: 0 } satisfies Record<
    ThrownClass | 'reconciles',
    number
  >

  constructor(options: LoopOptions) {
    this.#options = options
    this.#log = options.log.child({ controller: options.controller.kind.plural })
    this.#queue = new Queue({ clock: options.clock, workers: options.workers, work: (key) => this.#work(key) })
    this.#consistency = new Consistency({
      informers: options.informers,
      clock: options.clock,
      wake: (key) => this.#queue.add(key),
    })
  }

  get controller(): AnyController {
    return this.#options.controller
  }

  /** Reconciles since the start, and how many of them threw, by class. */
  get counts(): Readonly<Record<ThrownClass | 'reconciles', number>> {
    return this.#counts
  }

  /** True when nothing is queued or worked on; keys that wait for time or for the cache do not count. */
  get isIdle(): boolean {
    return this.#queue.depth === 0 && this.#queue.running === 0
  }

  /** A watched object changed: wakes the keys that `watch` names for the old and for the new state of it, each once. */
  changed(watch: Watch, before: KubeObject | undefined, after: KubeObject | undefined): void {
    const keys = new Set<string>()
    for (const object of [before, after]) {
      if (object !== undefined) for (const key of this.#keysOf(watch, object)) keys.add(key)
    }
    for (const key of keys) this.#queue.add(key)
  }

  #keysOf(watch: Watch, object: KubeObject): readonly string[] {
    try {
      return watch.keys(object, this.#options.informers).map(keyOf)
    } catch (error) {
      this.#counts.bug += 1
      const { name } = object.metadata
      this.#log.error({ err: error, type: watch.type.plural, name }, 'Failed to find the keys of a change')
      return []
    }
  }

  start(): void {
    this.#queue.start()
  }

  /** Takes no more keys; running reconciles may end by themselves for `graceSeconds`, then their calls are aborted. */
  async stop(graceSeconds: number): Promise<void> {
    const cancel = this.#options.clock.after(graceSeconds * 1000, () => {
      this.#isCut = true
      for (const abort of this.#running) abort.abort()
    })
    await this.#queue.stop()
    cancel()
  }

  /** Reconciles a key and acts on how it ended. Never throws. */
  async #work(key: string): Promise<void> {
    if (!this.#consistency.isFresh(key)) return
    const { controller, informers, clock } = this.#options
    const object = informers.get<ApiObject<unknown, unknown>>(controller.kind, refOfKey(key))
    if (object === undefined) return this.#forget(key)
    const abort = new AbortController()
    const cancel = clock.after(this.#options.deadlineSeconds * 1000, () => abort.abort())
    this.#running.add(abort)
    const log = this.#log.child({ key, generation: object.metadata.generation, reconcileID: randomUUID() })
    const startedAt = clock.now()
    this.#counts.reconciles += 1
    try {
      const report = await this.#reconcile(key, object, log, abort.signal)
      this.#act(key, report === undefined ? doneAction : actionOf(report.outcome), log, {
        outcome: report?.outcome ?? { kind: 'settled' },
        milliseconds: Math.round(clock.now() - startedAt),
      })
    } catch (error) {
      const thrown = classOfThrown(error)
      this.#counts[thrown] += 1
      this.#act(key, actionOfThrown(error), log, {
        thrown,
        err: error,
        milliseconds: Math.round(clock.now() - startedAt),
      })
    } finally {
      cancel()
      this.#running.delete(abort)
    }
  }

  /** The report of a reconcile, its status written and its events recorded; undefined when there was nothing to reconcile. */
  async #reconcile(
    key: string,
    object: ApiObject<unknown, unknown>,
    log: Logger,
    signal: AbortSignal,
  ): Promise<Report<unknown> | undefined> {
    const { controller, informers, client, clock } = this.#options
    const kube = makeWriter(client, this.#consistency, key, signal)
    const ctx: Ctx = { cache: informers, kube, now: clock.wall(), signal, log }
    const finished = await this.#finalize(key, object, ctx)
    if (finished.isDone && finished.report === undefined) return undefined
    const report = finished.report ?? (await controller.reconcile(ctx, object))
    // Before the status, which a crash would leave saying that all was told; told twice, an event is one.
    this.#record(object, report)
    if (report.status !== undefined && !isSameJson(report.status, object.status)) {
      this.#consistency.wrote(
        key,
        controller.kind,
        await this.#options.writeStatus(controller.kind, object, report.status, signal),
      )
    }
    return report
  }

  /** Runs the finalizer protocol; the report of a cleanup that goes on, if there was one. */
  async #finalize(key: string, object: KubeObject, ctx: Ctx): Promise<{ isDone: boolean; report?: Report<unknown> }> {
    const { controller, finalize } = this.#options
    const { kind, finalizer } = controller
    // Without a finalizer of ours there is nothing to hold the object for, and nothing to do for one that is going.
    if (finalizer === undefined) return { isDone: object.metadata.deletionTimestamp !== undefined }
    try {
      const isDone = await finalize({
        type: kind,
        object,
        finalizer,
        signal: ctx.signal,
        cleanup: () => this.#cleanup(ctx, object),
        wrote: (written) => this.#consistency.wrote(key, kind, written),
      })
      return { isDone }
    } catch (error) {
      if (error instanceof NotDone) return { isDone: false, report: error.report }
      throw error
    }
  }

  async #cleanup(ctx: Ctx, object: KubeObject): Promise<void> {
    const { controller } = this.#options
    const report = await controller.cleanup?.(ctx, object)
    if (report === undefined) return
    if (report.outcome.kind !== 'settled') throw new NotDone(report)
    this.#record(object, report)
  }

  #record(object: KubeObject, report: Report<unknown>): void {
    for (const event of report.events ?? []) this.#options.events.record(object, event)
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
    const outcome = JSON.stringify(fields['outcome'])
    const isNews = this.#said.get(key) !== outcome
    this.#said.set(key, outcome)
    log[isNews ? action.level : 'debug'](fields, 'Reconciled')
  }

  /** The object is gone. */
  #forget(key: string): void {
    this.#queue.forget(key)
    this.#said.delete(key)
  }
}

const doneAction: Action = { queue: 'forget', seconds: 0, level: 'debug' }

function refOfKey(key: string): Ref {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
