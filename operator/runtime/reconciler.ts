import type { Logger } from 'pino'
import type { ApiObject, KubeObject, ResourceType } from '../api/meta.ts'
import type { Clock } from './clock.ts'
import type { Cluster } from './cluster.ts'
import type { Consistency } from './consistency.ts'
import type { Controller, Ctx, EventRecord, Report } from './controller.ts'
import type { Events } from './events.ts'
import type { Outcome } from './outcome.ts'
import type { LoopMetrics } from './metrics.ts'
import { isSameJson } from './sameJson.ts'
import { StatusBudget } from './statusBudget.ts'
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

export interface ReconcilerOptions {
  readonly controller: AnyController
  /** Holds the objects of the controller's kind. */
  readonly hub: Cluster
  /** Where what belongs to them runs; the hub itself for a controller without `placedBy`. */
  readonly target: Cluster
  readonly finalize: Finalize
  readonly writeStatus: WriteStatus
  readonly events: Events
  readonly consistency: Consistency
  readonly metrics: LoopMetrics
  readonly clock: Clock
  readonly log: Logger
  /** The operator's own namespace, on the hub. */
  readonly home: string
  /** After a burst of two an object's status is written once in this time. */
  readonly statusIntervalMilliseconds: number
}

/** How a reconcile ended. */
export interface Reconciled {
  readonly outcome: Outcome
  /** Milliseconds after which the key is to be reconciled again because its status was not written yet; 0 when it was. */
  readonly owing: number
}

/** Thrown by a cleanup that has not settled, so that the finalizer stays; the report is acted on like any other. */
class NotDone extends Error {
  override readonly name = 'NotDone'
  readonly report: Report<unknown>

  constructor(report: Report<unknown>) {
    super('cleanup is not done')
    this.report = report
  }
}

const settled: Outcome = { kind: 'settled' }

/** One reconcile of one object: finalizer, controller, events, status. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #budget: StatusBudget
  /** By key, then by path: who is to be told when it is over. What a process does not know of, it tells nobody. */
  readonly #blamed = new Map<string, Map<string, KubeObject>>()
  /** When the first reconcile could run. */
  #workingSince = Number.POSITIVE_INFINITY

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#budget = new StatusBudget(options.clock, options.statusIntervalMilliseconds)
  }

  /** From now on reconciles may run. */
  begin(): void {
    this.#workingSince = this.#options.clock.now()
  }

  /** Reconciles an object of the cache. Throws what the controller or a write threw. */
  async run(key: string, object: ApiObject<unknown, unknown>, log: Logger, signal: AbortSignal): Promise<Reconciled> {
    const { controller } = this.#options
    const ctx = this.#makeCtx(key, log, signal)
    const finished = await this.#finalize(key, object, ctx)
    if (finished.isDone && finished.report === undefined) return { outcome: settled, owing: 0 }
    const report: Report<unknown> = finished.report ?? (await controller.reconcile(ctx, object))
    // Before the status, which a crash would leave saying that all was told; told twice, an event is one.
    this.#record(key, object, report)
    if (report.thrown) throw report.thrown
    return { outcome: report.outcome, owing: await this.#writeStatus(key, object, report, signal) }
  }

  /** The object is gone. */
  forget(key: string): void {
    this.#budget.forget(key)
    this.#blamed.delete(key)
  }

  #makeCtx(key: string, log: Logger, signal: AbortSignal): Ctx {
    const { hub, target, consistency, clock, home } = this.#options
    const here = { cache: hub.informers, kube: makeWriter(hub, consistency, key, signal) }
    const there = { cache: target.informers, kube: makeWriter(target, consistency, key, signal) }
    const workingSeconds = Math.max(0, (clock.now() - this.#workingSince) / 1000)
    return { ...here, target: target === hub ? here : there, home, now: clock.wall(), workingSeconds, signal, log }
  }

  /** Writes the status if it differs, and returns 0; or, when it was written often of late, how long that has to wait. */
  async #writeStatus(
    key: string,
    object: ApiObject<unknown, unknown>,
    { status, outcome }: Report<unknown>,
    signal: AbortSignal,
  ): Promise<number> {
    const { controller, hub, consistency, metrics, writeStatus } = this.#options
    if (status === undefined || isSameJson(status, object.status)) return 0
    const delay = this.#budget.delayOf(key, outcome)
    if (delay > 0) {
      metrics.statusCoalesced()
      return delay
    }
    hub.check()
    const written = await writeStatus(controller.kind, object, status, signal)
    // Not before: to wait for its turn is no success, so that what fails each time would never be tried more seldom.
    this.#budget.wrote(key, outcome)
    consistency.wrote(key, hub.informers, { type: controller.kind, object: written })
    metrics.statusWritten()
    return 0
  }

  /** Runs the finalizer protocol; the report of a cleanup that goes on, if there was one. */
  async #finalize(key: string, object: KubeObject, ctx: Ctx): Promise<{ isDone: boolean; report?: Report<unknown> }> {
    const { controller, hub, consistency, finalize } = this.#options
    const { kind, finalizer } = controller
    // Without a finalizer of ours there is nothing to hold the object for, and nothing to do for one that is going.
    if (finalizer === undefined) return { isDone: object.metadata.deletionTimestamp !== undefined }
    try {
      hub.check()
      const isDone = await finalize({
        type: kind,
        object,
        finalizer,
        signal: ctx.signal,
        cleanup: () => this.#cleanup(key, ctx, object),
        wrote: (written) => {
          // What goes with its last finalizer is answered as it was: no newer version of it ever comes.
          const how = isReleased(written) ? 'released' : 'wrote'
          consistency[how](key, hub.informers, { type: kind, object: written })
        },
      })
      return { isDone }
    } catch (error) {
      if (error instanceof NotDone) return { isDone: false, report: error.report }
      throw error
    }
  }

  async #cleanup(key: string, ctx: Ctx, object: KubeObject): Promise<void> {
    const report = await this.#options.controller.cleanup?.(ctx, object)
    if (report === undefined) return
    if (report.outcome.kind !== 'settled') throw new NotDone(report)
    this.#record(key, object, report)
  }

  #record(key: string, object: KubeObject, { events = [], blamed = [] }: Report<unknown>): void {
    for (const event of events) {
      this.#options.events.record(object, event)
      const ended = event.endsBlame ? [...(this.#blamed.get(key)?.values() ?? [])] : []
      for (const child of event.child ? [event.child, ...ended] : ended) this.#recordBeside(child, event)
      if (event.endsBlame) this.#blamed.delete(key)
    }
    if (blamed.length === 0) return
    const known = this.#blamed.get(key) ?? new Map<string, KubeObject>()
    for (const child of blamed) known.set(pathOf(child), child)
    this.#blamed.set(key, known)
  }

  #recordBeside(child: KubeObject, event: EventRecord): void {
    const { events, target } = this.#options
    target.check()
    events.record(child, event, target.client)
  }
}

/** Whether nothing holds an object any more that is on its way. */
function isReleased({ metadata: { deletionTimestamp, finalizers = [] } }: KubeObject): boolean {
  return deletionTimestamp !== undefined && finalizers.length === 0
}

/** One that was made anew is told as it is now. */
function pathOf({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): string {
  return [apiVersion, kind, namespace, name].join('/')
}
