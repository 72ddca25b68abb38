import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const results = ['success', 'error', 'requeue', 'requeue_after'] as const
/** Label `result` of controller_runtime_reconcile_total. */
export type ReconcileResult = (typeof results)[number]

const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
]
const queueBuckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000]

interface Families {
  readonly reconciles: ReturnType<typeof makeReconcileMetrics>
  readonly queues: ReturnType<typeof makeQueueMetrics>
  readonly own: ReturnType<typeof makeOwnMetrics>
}

/** Shows a controller's counters from the first moment on: a rate of a series that was not there is unknown, not zero. */
export function showFromTheStart(controller: string, { reconciles, queues, own }: Families): void {
  for (const result of results) reconciles.total.inc({ controller, result }, 0)
  const { errors, terminalErrors, panics, timeouts } = reconciles
  for (const counter of [errors, terminalErrors, panics, timeouts, own.statusWrites, own.coalescedStatusWrites]) {
    counter.inc({ controller }, 0)
  }
  const labels = { controller, name: controller }
  for (const counter of [queues.adds, queues.retries]) counter.inc(labels, 0)
  for (const histogram of [queues.waitedSeconds, queues.workedSeconds]) histogram.zero(labels)
  reconciles.seconds.zero({ controller })
}

/** How reconciles went: controller-runtime's. */
export function makeReconcileMetrics(registry: Registry) {
  const common = { labelNames: ['controller'] as const, registers: [registry] }
  const counter = (name: string, help: string) =>
    new Counter({ ...common, name: `controller_runtime_${name}_total`, help })
  return {
    total: new Counter({
      name: 'controller_runtime_reconcile_total',
      help: 'Reconciles by how they ended.',
      labelNames: ['controller', 'result'],
      registers: [registry],
    }),
    errors: counter('reconcile_errors', 'Reconciles that threw or gave up.'),
    terminalErrors: counter('terminal_reconcile_errors', 'Reconciles that gave up: no later try will do better.'),
    panics: counter('reconcile_panics', 'Reconciles that threw what is no answer of an API server: bugs.'),
    timeouts: counter('reconcile_timeouts', 'Reconciles cut off at their deadline.'),
    seconds: new Histogram({
      ...common,
      name: 'controller_runtime_reconcile_time_seconds',
      help: 'How long a reconcile took.',
      buckets: reconcileBuckets,
    }),
    workers: new Gauge({
      ...common,
      name: 'controller_runtime_max_concurrent_reconciles',
      help: 'How many reconciles may run at the same time.',
    }),
    activeWorkers: new Gauge({
      ...common,
      name: 'controller_runtime_active_workers',
      help: 'How many reconciles run.',
    }),
  }
}

/** What queues hold and how fast it moves: controller-runtime's. */
export function makeQueueMetrics(registry: Registry) {
  const common = { labelNames: ['name', 'controller'] as const, registers: [registry] }
  const gauge = (name: string, help: string) => new Gauge({ ...common, name: `workqueue_${name}_seconds`, help })
  const histogram = (name: string, help: string) =>
    new Histogram({ ...common, name: `workqueue_${name}_seconds`, help, buckets: queueBuckets })
  return {
    depth: new Gauge({
      name: 'workqueue_depth',
      help: 'Keys that are ready and wait for a worker, by priority.',
      labelNames: ['name', 'controller', 'priority'],
      registers: [registry],
    }),
    adds: new Counter({ ...common, name: 'workqueue_adds_total', help: 'Keys that became ready.' }),
    waitedSeconds: histogram('queue_duration', 'How long a ready key waited for a worker.'),
    workedSeconds: histogram('work_duration', 'How long a worker had a key.'),
    unfinishedSeconds: gauge('unfinished_work', 'How long the keys that workers have now were had, all together.'),
    longestRunningSeconds: gauge('longest_running_processor', 'How long the longest of them was had.'),
    retries: new Counter({ ...common, name: 'workqueue_retries_total', help: 'Keys to be tried again after a delay.' }),
  }
}

/** What controller-runtime has no name for. */
export function makeOwnMetrics(registry: Registry) {
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `appstead_${name}_total`, help, labelNames, registers: [registry] })
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name: `appstead_${name}`, help, labelNames, registers: [registry] })
  return {
    watchSynced: gauge('watch_synced', '1 once the first list of a type is complete.', 'cluster', 'type'),
    watchRestarts: counter('watch_restarts', 'Failed lists and watches, by why.', 'cluster', 'type', 'reason'),
    skippedEvents: counter('watch_skipped_events', 'Watch events that could not be read.', 'cluster', 'type'),
    throttledKeys: gauge('throttled_keys', 'Objects that change themselves and are held back.', 'controller'),
    contested: gauge('contested_objects', 'Objects that others and we change back and forth.', 'controller'),
    statusWrites: counter('status_writes', 'Statuses written.', 'controller'),
    coalescedStatusWrites: counter('status_writes_coalesced', 'Statuses left to a later write.', 'controller'),
  }
}

/** Lines of the log that were left out: a number that is read whenever the metrics are. */
export function showDroppedLines(registry: Registry, read: () => number): void {
  const counter = new Counter({
    name: 'appstead_log_lines_dropped_total',
    help: 'Log lines left out because nobody read the output.',
    registers: [registry],
    collect() {
      counter.reset()
      counter.inc(read())
    },
  })
}
