import { readdirSync, readFileSync } from 'node:fs'
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import process from 'node:process'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** How often the event loop is asked whether it is late, in milliseconds. */
const resolution = 100

/**
 * Shows the process in Prometheus' usual names: CPU, memory, file descriptors, event loop, garbage collections. Not with
 * prom-client's collectDefaultMetrics, which shows NaN when scraped twice at once and a label value per kind of handle.
 * Returns how to end it; what needs /proc is left out where there is none.
 */
export function showProcess(registry: Registry): () => void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  new Gauge({
    name: 'nodejs_version_info',
    help: 'The version of Node, as a label of 1.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: process.version }, 1)
  showUsage(registry, gauge)
  if (process.platform === 'linux') showDescriptors(gauge)
  const ends = [showEventLoop(gauge), showCollections(registry)]
  return () => ends.forEach((end) => end())
}

type MakeGauge = (name: string, help: string, read: () => number) => unknown

function showUsage(registry: Registry, gauge: MakeGauge): void {
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  counter('process_cpu_seconds_total', 'CPU time of user and system.', cpuSeconds)
  counter('process_cpu_user_seconds_total', 'CPU time of user.', () => process.cpuUsage().user / 1e6)
  counter('process_cpu_system_seconds_total', 'CPU time of system.', () => process.cpuUsage().system / 1e6)
  const startedAt = Date.now() / 1000 - process.uptime()
  gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.', () => startedAt)
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge('nodejs_heap_size_total_bytes', "V8's heap.", () => process.memoryUsage().heapTotal)
  gauge('nodejs_heap_size_used_bytes', "What is used of V8's heap.", () => process.memoryUsage().heapUsed)
  gauge('nodejs_external_memory_bytes', "Memory of objects outside of V8's heap.", () => process.memoryUsage().external)
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function showDescriptors(gauge: MakeGauge): void {
  const [, most = '0'] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  gauge('process_max_fds', 'How many file descriptors may be open.', () => Number(most))
  // Less the one that reads the folder.
  gauge('process_open_fds', 'Open file descriptors.', () => readdirSync('/proc/self/fd').length - 1)
}

/** By how much the event loop was late since the last scrape. */
function showEventLoop(gauge: MakeGauge): () => void {
  const delays = monitorEventLoopDelay({ resolution })
  delays.enable()
  let seen = { mean: 0, max: 0, p50: 0, p90: 0, p99: 0 }
  // What is measured is the time from one timer to the next: all beyond its interval is lateness.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolution / 1000)
  const read = (): void => {
    if (delays.count === 0) return
    const at = (percentile: number): number => late(delays.percentile(percentile))
    seen = { mean: late(delays.mean), max: late(delays.max), p50: at(50), p90: at(90), p99: at(99) }
    delays.reset()
  }
  gauge('nodejs_eventloop_lag_mean_seconds', 'Lateness of the event loop, mean since the last scrape.', () => {
    read()
    return seen.mean
  })
  for (const each of ['max', 'p50', 'p90', 'p99'] as const) {
    const what = each === 'max' ? 'greatest' : `${each.slice(1)}th percentile`
    gauge(`nodejs_eventloop_lag_${each}_seconds`, `Lateness of the event loop, ${what}.`, () => seen[each])
  }
  return () => delays.disable()
}

const collectionKinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

function showCollections(registry: Registry): () => void {
  const seconds = new Histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Garbage collections by kind.',
    labelNames: ['kind'],
    buckets: [0.001, 0.01, 0.1, 1, 2, 5],
    registers: [registry],
  })
  for (const kind of Object.values(collectionKinds)) seconds.zero({ kind })
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { readonly detail: { readonly kind: number } }).detail
      seconds.observe({ kind: collectionKinds[kind] ?? 'other' }, entry.duration / 1000)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}
