import { Counter, Gauge, Registry } from 'prom-client'
import type { AnswerNote } from '../kube/transport.ts'
import type { ThrownClass } from './actions.ts'
import {
  makeOwnMetrics,
  makeQueueMetrics,
  makeReconcileMetrics,
  showDroppedLines,
  showFromTheStart,
  type ReconcileResult,
} from './metricFamilies.ts'
import type { Outcome } from './outcome.ts'
import type { QueueObserver } from './queue.ts'

/** What of a loop is read whenever the metrics are. */
export interface LoopState {
  readonly workers: number
  readonly queue: {
    /** Ready keys, by priority. */
    readonly depths: Readonly<Record<string, number>>
    readonly running: number
    readonly unfinishedSeconds: number
    readonly longestRunningSeconds: number
  }
  readonly breaker: { readonly openCount: number }
  /** Objects of which others and we change the same, back and forth. */
  contested(): number
}

/** One loop's way to report. */
export interface LoopMetrics {
  /** For its Queue. */
  readonly observer: QueueObserver
  /** Begins to show the loop's state; returns how to end it. */
  show(state: LoopState): () => void
  /** A reconcile ended with an outcome; `isTimed`: it asked to be run again after a time. */
  reconciled(outcome: Outcome['kind'], isTimed: boolean, seconds: number): void
  /** A reconcile ended with something thrown. */
  threw(thrown: ThrownClass, seconds: number): void
  /** The deadline of a reconcile passed. */
  timedOut(): void
  statusWritten(): void
  /** A status that differs was left to be written later, with all that will have changed by then. */
  statusCoalesced(): void
}

/** A watched type, as Informers.health() tells of it. */
export interface WatchState {
  readonly type: string
  readonly isSynced: boolean
}

/** The watches of one cluster. */
export interface ClusterMetrics {
  /** Begins to show the watches' state; returns how to end it. */
  show(health: () => readonly WatchState[]): () => void
  /** A list or a watch failed and is tried again; `reason` is a KubeErrorCode. */
  watchRestarted(type: string, reason: string): void
  /** Something a watch sent could not be read and was left out. */
  eventSkipped(type: string): void
}

/**
 * The metrics of a process, in a registry of their own. Where controller-runtime has one, its name, labels and meaning
 * are used, so that dashboards and alerts made for it fit; ours begin with appstead_. No label holds the name of anything
 * a tenant makes. A controller that works for several clusters is shown as one.
 */
export class Metrics {
  readonly registry = new Registry()
  readonly #controllers = new Set<string>()
  readonly #loops = new Map<LoopState, string>()
  readonly #clusters = new Map<() => readonly WatchState[], string>()
  readonly #leases = new Map<string, () => boolean>()
  readonly #reconciles = makeReconcileMetrics(this.registry)
  readonly #queues = makeQueueMetrics(this.registry)
  readonly #own = makeOwnMetrics(this.registry)
  readonly #requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to API servers by status, method and host; the code is <error> when no answer came.',
    labelNames: ['code', 'host', 'method'],
    registers: [this.registry],
  })
  readonly #leader = new Gauge({
    name: 'leader_election_master_status',
    help: '1 while this process holds the lease of that name, else 0.',
    labelNames: ['name'],
    registers: [this.registry],
  })

  /** All of them in Prometheus' text format. */
  text(): Promise<string> {
    this.#readLoops()
    this.#readClusters()
    for (const [name, isLeading] of this.#leases) this.#leader.set({ name }, isLeading() ? 1 : 0)
    return this.registry.metrics()
  }

  /** `controller` is the name under which it logs. */
  forLoop(controller: string): LoopMetrics {
    const labels = { controller, name: controller }
    const [reconciles, queues, own] = [this.#reconciles, this.#queues, this.#own]
    if (!this.#controllers.has(controller)) showFromTheStart(controller, { reconciles, queues, own })
    this.#controllers.add(controller)
    const ended = (result: ReconcileResult, seconds: number): void => {
      reconciles.total.inc({ controller, result })
      reconciles.seconds.observe({ controller }, seconds)
      if (result === 'error') reconciles.errors.inc({ controller })
    }
    return {
      observer: {
        added: () => queues.adds.inc(labels),
        started: (_key, waitedSeconds) => queues.waitedSeconds.observe(labels, waitedSeconds),
        finished: (_key, seconds) => queues.workedSeconds.observe(labels, seconds),
        retried: () => queues.retries.inc(labels),
      },
      show: (state) => {
        this.#loops.set(state, controller)
        return () => this.#loops.delete(state)
      },
      reconciled(outcome, isTimed, seconds) {
        // Given up for good: what a Go reconciler returns as a TerminalError.
        if (outcome === 'failed') reconciles.terminalErrors.inc({ controller })
        ended(outcome === 'failed' ? 'error' : isTimed ? 'requeue_after' : 'success', seconds)
      },
      threw(thrown, seconds) {
        if (thrown === 'bug') reconciles.panics.inc({ controller })
        ended('error', seconds)
      },
      timedOut: () => reconciles.timeouts.inc({ controller }),
      statusWritten: () => own.statusWrites.inc({ controller }),
      statusCoalesced: () => own.coalescedStatusWrites.inc({ controller }),
    }
  }

  /** `cluster` is its name in the pool. */
  forCluster(cluster: string): ClusterMetrics {
    return {
      show: (health) => {
        this.#clusters.set(health, cluster)
        return () => this.#clusters.delete(health)
      },
      watchRestarted: (type, reason) => this.#own.watchRestarts.inc({ cluster, type, reason }),
      eventSkipped: (type) => this.#own.skippedEvents.inc({ cluster, type }),
    }
  }

  /** A request to an API server was answered, or failed. */
  answered({ method, code, host }: AnswerNote): void {
    this.#requests.inc({ code, host, method })
  }

  /** Begins to show whether this process holds the lease of that name. */
  showLease(name: string, isLeading: () => boolean): void {
    this.#leases.set(name, isLeading)
  }

  /** Lines of the log that nobody took and that were left out. */
  showDroppedLines(read: () => number): void {
    showDroppedLines(this.registry, read)
  }

  #readLoops(): void {
    const { activeWorkers, workers } = this.#reconciles
    const { depth, unfinishedSeconds, longestRunningSeconds } = this.#queues
    const { throttledKeys, contested } = this.#own
    for (const gauge of [activeWorkers, workers, depth, unfinishedSeconds, throttledKeys, contested]) gauge.reset()
    const longest = new Map<string, number>()
    for (const [state, controller] of this.#loops) {
      const labels = { controller, name: controller }
      workers.inc({ controller }, state.workers)
      activeWorkers.inc({ controller }, state.queue.running)
      throttledKeys.inc({ controller }, state.breaker.openCount)
      contested.inc({ controller }, state.contested())
      unfinishedSeconds.inc(labels, state.queue.unfinishedSeconds)
      for (const [priority, count] of Object.entries(state.queue.depths)) depth.inc({ ...labels, priority }, count)
      longest.set(controller, Math.max(longest.get(controller) ?? 0, state.queue.longestRunningSeconds))
    }
    longestRunningSeconds.reset()
    for (const [name, seconds] of longest) longestRunningSeconds.set({ controller: name, name }, seconds)
  }

  #readClusters(): void {
    const { watchSynced } = this.#own
    watchSynced.reset()
    for (const [health, cluster] of this.#clusters) {
      for (const { type, isSynced } of health()) watchSynced.set({ cluster, type }, isSynced ? 1 : 0)
    }
  }
}
