import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { waitUntil } from '../cluster/kubeApi.ts'
import { checkout } from '../cluster/layout.ts'
import { findFreePorts } from '../cluster/ports.ts'
import { failOnLeaks, leaksIn } from './canaries.ts'
import type { OperatorStart } from './shippedOperator.ts'

/** The operator as a process of its own. */
export interface OperatorProcess {
  readonly child: ChildProcess
  /** What it says on /readyz; throws with what it wrote when it has ended. */
  readiness(): Promise<Readiness>
  /** All it has written so far, where it was read. */
  output(): string
  /** Of that the lines of its log at level warn and above, and what is no line of its log. */
  complaints(): readonly string[]
  /** What it has used so far; only while it runs. */
  usage(): Usage
  /** Where on loopback it shows /metrics. */
  readonly metricsPort: number
  /** The text of /metrics. */
  scrape(): Promise<string>
  /**
   * Ends it as Kubernetes does; resolves to its exit code, or the signal that killed it, when it has not ended after 20 s.
   * Rejects if a secret is seen in what was read of its output.
   */
  stop(): Promise<number | NodeJS.Signals>
}

/** What a process has used so far. */
export interface Usage {
  readonly cpuSeconds: number
  /** Resident now, and at most so far. */
  readonly megabytes: number
  readonly peakMegabytes: number
}

export interface OperatorProcessOptions {
  readonly kubeconfig: string
  /** 'debug' unless given. */
  readonly logLevel?: 'debug' | 'warn'
  /** What its standard output is; 'pipe', read, unless given. */
  readonly stdout?: number | 'pipe'
  /** The source of this checkout unless given. */
  readonly start?: OperatorStart
}

interface Spawned {
  readonly child: ChildProcess
  /** What it has written so far. */
  readonly texts: readonly string[]
  readonly healthPort: number
  readonly metricsPort: number
}

async function spawnOperator({
  kubeconfig,
  logLevel = 'debug',
  stdout = 'pipe',
  start = { folder: checkout, arguments: ['operator/main.ts'], environment: {} },
}: OperatorProcessOptions): Promise<Spawned> {
  const [healthPort = 0, metricsPort = 0] = await findFreePorts(crypto.randomUUID(), 2)
  const child = spawn(process.execPath, start.arguments, {
    stdio: ['ignore', stdout, 'pipe'],
    cwd: start.folder,
    env: {
      ...process.env,
      ...start.environment,
      KUBECONFIG: kubeconfig,
      APPSTEAD_LOG_LEVEL: logLevel,
      APPSTEAD_HEALTH_PORT: String(healthPort),
      APPSTEAD_METRICS_PORT: String(metricsPort),
    },
  })
  const texts: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => texts.push(text))
  }
  return { child, texts, healthPort, metricsPort }
}

/** Throws with what it wrote when it has ended. */
function mustRun({ child, texts }: Spawned): void {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the operator ended: ${texts.join('')}`)
}

/**
 * Starts the operator and kills it with SIGKILL, as the kernel does when memory runs out, once some of its caches are
 * full and others are not. Resolves to what /readyz said then when it has ended; rejects when it was ready before.
 */
export async function killInStart(options: OperatorProcessOptions): Promise<readonly string[]> {
  const spawned = await spawnOperator(options)
  const ended = once(spawned.child, 'exit')
  let most = 0
  try {
    for (;;) {
      mustRun(spawned)
      const { isReady, lines } = await askReadiness(spawned.healthPort)
      if (isReady) throw new Error('the operator was ready before it was killed')
      if (lines.length < most) return lines
      most = lines.length
      // Each cache is full within milliseconds.
      await pause(2)
    }
  } finally {
    spawned.child.kill('SIGKILL')
    await ended
  }
}

/** Starts the operator and resolves when it is ready. */
export async function startOperatorProcess(options: OperatorProcessOptions): Promise<OperatorProcess> {
  const begun = await beginOperatorProcess(options)
  await waitUntil('the operator is ready', 60, async () => (await begun.readiness()).isReady)
  return begun
}

/** Starts the operator and resolves at once, whatever may keep it from being ready. */
export async function beginOperatorProcess(options: OperatorProcessOptions): Promise<OperatorProcess> {
  const spawned = await spawnOperator(options)
  const { child, texts, healthPort, metricsPort } = spawned
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  return {
    child,
    async readiness() {
      mustRun(spawned)
      return askReadiness(healthPort)
    },
    output: () => texts.join(''),
    complaints: () => texts.join('').split('\n').filter(isComplaint),
    usage: () => usageOf(child.pid ?? 0),
    metricsPort,
    async scrape() {
      const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`)
      return answer.text()
    },
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
      const [code, signal] = await ended
      clearTimeout(timer)
      failOnLeaks(leaksIn("the operator's output", texts.join('')))
      return signal ?? code ?? -1
    },
  }
}

function isComplaint(line: string): boolean {
  return line !== '' && !/^\{"level":"(debug|info)"/.test(line)
}

/** Linux counts CPU time in hundredths of a second. */
const ticksPerSecond = 100

function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const megabytesOf = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    megabytes: megabytesOf('VmRSS'),
    peakMegabytes: megabytesOf('VmHWM'),
  }
}

/** Whether it is ready, and what it says; nothing while it does not answer. */
interface Readiness {
  readonly isReady: boolean
  readonly lines: readonly string[]
}

async function askReadiness(port: number): Promise<Readiness> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`)
    return { isReady: answer.ok, lines: (await answer.text()).trim().split('\n') }
  } catch {
    return { isReady: false, lines: [] }
  }
}
