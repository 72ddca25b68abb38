import { describe, expect, it } from '@jest/globals'
import { Metrics, type LoopState } from '../../../operator/runtime/metrics.ts'
import { showProcess } from '../../../operator/runtime/processMetrics.ts'
import { Queue } from '../../../operator/runtime/queue.ts'
import { faultsOf, idOf, parseExposition, valueOf, type Family } from '../../support/exposition.ts'
import { makeFakeClock } from './fakeClock.ts'

async function read(metrics: Metrics): Promise<ReadonlyMap<string, Family>> {
  return parseExposition(await metrics.text())
}

function seriesOf(families: ReadonlyMap<string, Family>): readonly string[] {
  return [...families.values()].flatMap(({ samples }) => samples.map(idOf))
}

const idle: LoopState = {
  workers: 8,
  queue: {
    depths: { user: 0, event: 0, retry: 0, resync: 0 },
    running: 0,
    unfinishedSeconds: 0,
    longestRunningSeconds: 0,
  },
  breaker: { openCount: 0 },
  contested: () => 0,
}

/** Every metric of ours and of controller-runtime, and its labels, in the order of the alphabet. */
const families: Readonly<Record<string, string>> = {
  controller_runtime_reconcile_total: 'controller result',
  controller_runtime_reconcile_errors_total: 'controller',
  controller_runtime_terminal_reconcile_errors_total: 'controller',
  controller_runtime_reconcile_panics_total: 'controller',
  controller_runtime_reconcile_timeouts_total: 'controller',
  controller_runtime_reconcile_time_seconds: 'controller',
  controller_runtime_max_concurrent_reconciles: 'controller',
  controller_runtime_active_workers: 'controller',
  workqueue_depth: 'controller name priority',
  workqueue_adds_total: 'controller name',
  workqueue_queue_duration_seconds: 'controller name',
  workqueue_work_duration_seconds: 'controller name',
  workqueue_unfinished_work_seconds: 'controller name',
  workqueue_longest_running_processor_seconds: 'controller name',
  workqueue_retries_total: 'controller name',
  rest_client_requests_total: 'code host method',
  leader_election_master_status: 'name',
  appstead_watch_synced: 'cluster type',
  appstead_watch_restarts_total: 'cluster reason type',
  appstead_watch_skipped_events_total: 'cluster type',
  appstead_throttled_keys: 'controller',
  appstead_contested_objects: 'controller',
  appstead_status_writes_total: 'controller',
  appstead_status_writes_coalesced_total: 'controller',
  appstead_log_lines_dropped_total: '',
}

/** Metrics in which everything has happened once. */
function afterOneOfEach(): Metrics {
  const metrics = new Metrics()
  const loop = metrics.forLoop('appinstances')
  loop.show({ ...idle, queue: { ...idle.queue, depths: { user: 2 }, running: 1, unfinishedSeconds: 3 } })
  loop.observer.added?.('shop/a')
  loop.observer.started?.('shop/a', 0.002)
  loop.observer.finished?.('shop/a', 0.3)
  loop.observer.retried?.('shop/a')
  loop.reconciled('settled', false, 0.3)
  loop.timedOut()
  loop.statusWritten()
  loop.statusCoalesced()
  const cluster = metrics.forCluster('local')
  cluster.show(() => [{ type: 'pods.v1', isSynced: true }])
  cluster.watchRestarted('pods.v1', 'Gone')
  cluster.eventSkipped('pods.v1')
  metrics.answered({ method: 'PATCH', code: 200, host: '10.0.0.1:443' })
  metrics.answered({ method: 'GET', code: '<error>', host: '10.0.0.1:443' })
  metrics.showLease('appstead', () => true)
  metrics.showDroppedLines(() => 7)
  return metrics
}

describe('metrics', () => {
  it("have controller-runtime's names and labels, in a text without faults", async () => {
    const found = await read(afterOneOfEach())
    expect(faultsOf(found)).toEqual([])
    const shown = [...found.values()].map(({ name, samples }) => {
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)))
      labels.delete('le')
      return [name, [...labels].toSorted().join(' ')]
    })
    expect(Object.fromEntries(shown)).toEqual(families)
  })

  it('show a controller from the start, with zeros', async () => {
    const metrics = new Metrics()
    metrics.forLoop('apps').show(idle)
    const found = await read(metrics)
    for (const result of ['success', 'error', 'requeue', 'requeue_after']) {
      expect(valueOf(found, `controller_runtime_reconcile_total{controller="apps",result="${result}"}`)).toBe(0)
    }
    expect(valueOf(found, 'controller_runtime_reconcile_panics_total{controller="apps"}')).toBe(0)
    expect(valueOf(found, 'controller_runtime_reconcile_time_seconds_count{controller="apps"}')).toBe(0)
    expect(valueOf(found, 'controller_runtime_max_concurrent_reconciles{controller="apps"}')).toBe(8)
    expect(valueOf(found, 'workqueue_depth{controller="apps",name="apps",priority="resync"}')).toBe(0)
  })

  it('count a reconcile by how it ended', async () => {
    const metrics = new Metrics()
    const loop = metrics.forLoop('apps')
    for (const outcome of ['settled', 'blocked', 'invalid', 'progressing'] as const)
      loop.reconciled(outcome, false, 0.2)
    loop.reconciled('progressing', true, 0.2)
    loop.reconciled('failed', false, 0.2)
    for (const thrown of ['transient', 'refused', 'bug'] as const) loop.threw(thrown, 0.2)
    const found = await read(metrics)
    const count = (name: string): number | undefined => valueOf(found, `controller_runtime_${name}`)
    expect(count('reconcile_total{controller="apps",result="success"}')).toBe(4)
    expect(count('reconcile_total{controller="apps",result="requeue_after"}')).toBe(1)
    expect(count('reconcile_total{controller="apps",result="error"}')).toBe(4)
    expect(count('reconcile_errors_total{controller="apps"}')).toBe(4)
    expect(count('terminal_reconcile_errors_total{controller="apps"}')).toBe(1)
    expect(count('reconcile_panics_total{controller="apps"}')).toBe(1)
    expect(count('reconcile_time_seconds_count{controller="apps"}')).toBe(9)
    expect(count('reconcile_time_seconds_bucket{controller="apps",le="0.15"}')).toBe(0)
    expect(count('reconcile_time_seconds_bucket{controller="apps",le="0.2"}')).toBe(9)
  })

  it('show what a queue does, and what it holds', async () => {
    const clock = makeFakeClock()
    const metrics = new Metrics()
    const loop = metrics.forLoop('apps')
    const finishes: (() => void)[] = []
    const queue = new Queue({
      clock,
      workers: 1,
      work: () => new Promise((resolve) => finishes.push(resolve)),
      observer: loop.observer,
    })
    loop.show({ workers: 1, queue, breaker: { openCount: 2 }, contested: () => 4 })
    queue.add('shop/a', 'user')
    queue.add('shop/b', 'event')
    await clock.pass(4000)
    queue.start()
    await clock.pass(2000)
    const labels = 'controller="apps",name="apps"'
    const during = await read(metrics)
    expect(valueOf(during, `workqueue_adds_total{${labels}}`)).toBe(2)
    expect(valueOf(during, `workqueue_depth{${labels},priority="user"}`)).toBe(0)
    expect(valueOf(during, `workqueue_depth{${labels},priority="event"}`)).toBe(1)
    expect(valueOf(during, `workqueue_queue_duration_seconds_sum{${labels}}`)).toBe(4)
    expect(valueOf(during, `workqueue_unfinished_work_seconds{${labels}}`)).toBe(2)
    expect(valueOf(during, `workqueue_longest_running_processor_seconds{${labels}}`)).toBe(2)
    expect(valueOf(during, 'controller_runtime_active_workers{controller="apps"}')).toBe(1)
    expect(valueOf(during, 'appstead_throttled_keys{controller="apps"}')).toBe(2)
    expect(valueOf(during, 'appstead_contested_objects{controller="apps"}')).toBe(4)
    queue.addWithBackoff('shop/c')
    finishes[0]?.()
    await queue.stop()
    const after = await read(metrics)
    expect(valueOf(after, `workqueue_work_duration_seconds_sum{${labels}}`)).toBe(2)
    expect(valueOf(after, `workqueue_retries_total{${labels}}`)).toBe(1)
    expect(valueOf(after, `workqueue_unfinished_work_seconds{${labels}}`)).toBe(0)
  })

  it('add up the loops of one controller, and let go of one that ended', async () => {
    const metrics = new Metrics()
    metrics.forLoop('appinstances').show({ ...idle, queue: { ...idle.queue, running: 3, longestRunningSeconds: 9 } })
    const second = metrics.forLoop('appinstances')
    const end = second.show({ ...idle, queue: { ...idle.queue, running: 2, longestRunningSeconds: 1 } })
    second.reconciled('settled', false, 0.1)
    const labels = 'controller="appinstances"'
    const both = await read(metrics)
    expect(valueOf(both, `controller_runtime_active_workers{${labels}}`)).toBe(5)
    expect(valueOf(both, `controller_runtime_max_concurrent_reconciles{${labels}}`)).toBe(16)
    expect(valueOf(both, `workqueue_longest_running_processor_seconds{${labels},name="appinstances"}`)).toBe(9)
    end()
    metrics.forLoop('appinstances')
    const one = await read(metrics)
    expect(valueOf(one, `controller_runtime_active_workers{${labels}}`)).toBe(3)
    expect(valueOf(one, `controller_runtime_reconcile_time_seconds_count{${labels}}`)).toBe(1)
  })

  it('show the watches of each cluster until it is gone', async () => {
    const metrics = new Metrics()
    let isSynced = false
    metrics.forCluster('local').show(() => [{ type: 'pods.v1', isSynced }])
    const end = metrics.forCluster('east').show(() => [{ type: 'pods.v1', isSynced: true }])
    const before = await read(metrics)
    expect(valueOf(before, 'appstead_watch_synced{cluster="local",type="pods.v1"}')).toBe(0)
    expect(valueOf(before, 'appstead_watch_synced{cluster="east",type="pods.v1"}')).toBe(1)
    isSynced = true
    end()
    const after = await read(metrics)
    expect(after.get('appstead_watch_synced')?.samples.map(idOf)).toEqual([
      'appstead_watch_synced{cluster="local",type="pods.v1"}',
    ])
    expect(valueOf(after, 'appstead_watch_synced{cluster="local",type="pods.v1"}')).toBe(1)
  })

  it('show the process, without a NaN and with the same series, scraped twice at once', async () => {
    const metrics = new Metrics()
    const end = showProcess(metrics.registry)
    try {
      const [first, second] = [await read(metrics), await read(metrics)]
      expect(faultsOf(second)).toEqual([])
      expect(seriesOf(second)).toEqual(seriesOf(first))
      for (const [name, least, most] of [
        ['process_cpu_seconds_total', 0.01, 10_000],
        ['process_resident_memory_bytes', 20e6, 8e9],
        ['process_start_time_seconds', Date.now() / 1000 - 86_400, Date.now() / 1000],
        ['nodejs_heap_size_used_bytes', 5e6, 8e9],
        ['nodejs_eventloop_lag_p99_seconds', 0, 10],
      ] as const) {
        const value = valueOf(second, `${name}{}`)
        expect({ name, isSane: value !== undefined && value >= least && value <= most, value }).toMatchObject({
          isSane: true,
        })
      }
    } finally {
      end()
    }
  })
})
