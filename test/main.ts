import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { clusterNames, stopCluster } from './cluster/cluster.ts'
import { leaksInOutput, rememberingIn } from './support/canaries.ts'

/**
 * `make test`: every stage in order, each with what it does and how long it usually takes; stops at the first that fails.
 * The clusters that tests started are removed at the end, however it ends: also when it is asked to end (Ctrl-C).
 */

interface Stage {
  readonly name: string
  readonly what: string
  /** On 2 cores, with warm caches. */
  readonly usualSeconds: number
  readonly command: readonly string[]
}

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const reports = mkdtempSync(join(tmpdir(), 'appstead-test-'))

const stages: readonly Stage[] = [
  {
    name: 'check',
    what: 'format, lint, types, layers, unused code, generated files',
    usualSeconds: 18,
    command: ['npm', 'run', '--silent', 'check'],
  },
  jest('unit', 'pure code', 100, 2),
  jest('render', 'golden files', 2),
  jest('cluster', 'the local cluster: up, down, nothing left behind', 70),
  jest('apiserver', 'the operator, stepped, on a real control plane', 900, 2),
  jest('faults', 'crashes, lies, cuts: on an API double and before the real server', 620, 2),
  jest('fleet', '1,000 instances, and 300 of examples/shop, on a real control plane, nodes and pods by kwok', 580),
  jest('node', 'the operator on one or two real nodes: pods, traffic, roll-outs', 1220),
]

/** That it was asked to end, and the stage that runs: a process group of its own, which is told in its place. */
const now: { signal?: NodeJS.Signals; stage?: ChildProcess } = {}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    now.signal = signal
    if (now.stage?.pid !== undefined && now.stage.exitCode === null) process.kill(-now.stage.pid, 'SIGTERM')
  })
}

/** A level of the tests; with two workers where no file of it measures, or needs the machine for itself. */
function jest(name: string, what: string, usualSeconds: number, workers = 1): Stage {
  const options = ['--json', `--outputFile=${reportOf(name)}`, `--maxWorkers=${workers}`]
  const command = ['npm', 'run', '--silent', 'test', '--', '--selectProjects', name, ...options]
  return { name, what, usualSeconds, command }
}

function reportOf(name: string): string {
  return join(reports, `${name}.json`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** The output of a stage as it goes to the terminal, kept. */
function tee(from: Readable, to: NodeJS.WriteStream, kept: string[]): void {
  from.setEncoding('utf8').on('data', (text: string) => {
    kept.push(text)
    to.write(text)
  })
}

/** Runs a stage; its output goes to the terminal. Returns whether it succeeded, and showed no secret. */
async function run({ name, what, usualSeconds, command }: Stage): Promise<boolean> {
  say(`\n== ${name}: ${what} (usually ${usualSeconds} s)`)
  const startedAt = performance.now()
  const [program = '', ...args] = command
  const canaries = join(reports, `${name}.canaries`)
  const color = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...color, ...rememberingIn(canaries) },
  })
  now.stage = child
  const output = { out: [] as string[], err: [] as string[] }
  tee(child.stdout, process.stdout, output.out)
  tee(child.stderr, process.stderr, output.err)
  const [status] = (await once(child, 'close')) as [number | null]
  delete now.stage
  const leaks = Object.values(output).flatMap((kept) => leaksInOutput(name, kept.join(''), canaries))
  for (const leak of leaks) say(`== ${name}: the output shows a secret: ${leak.what}`)
  const isGood = status === 0 && leaks.length === 0
  say(`== ${name}: ${isGood ? 'passed' : 'FAILED'} after ${Math.round((performance.now() - startedAt) / 1000)} s`)
  return isGood
}

/** Runs the stages in order; returns the one that failed, and runs none after it. */
async function runAll(): Promise<Stage | undefined> {
  for (const stage of stages) if (now.signal !== undefined || !(await run(stage))) return stage
  return undefined
}

function countsOf(name: string): Counts {
  try {
    const report = JSON.parse(readFileSync(reportOf(name), 'utf8')) as Record<string, number>
    return {
      passed: report.numPassedTests ?? 0,
      failed: (report.numFailedTests ?? 0) + (report.numRuntimeErrorTestSuites ?? 0),
      skipped: report.numPendingTests ?? 0,
    }
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}

function sum(counts: readonly Counts[]): Counts {
  return counts.reduce((a, b) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  }))
}

const usual = stages.reduce((total, { usualSeconds }) => total + usualSeconds, 0)
say(
  `make test: ${stages.length} stages, usually ${Math.ceil(usual / 60)} minutes; the first time 20 more to build the cluster`,
)

const failed = await runAll()
say('\n== removing the clusters of the tests')
for (const name of clusterNames().filter((each) => each.startsWith('test-'))) {
  await stopCluster({ name })
  say(`removed: ${name}`)
}

const counts = sum(stages.map(({ name }) => countsOf(name)))
rmSync(reports, { recursive: true, force: true })
const how = now.signal === undefined ? 'FAILED' : `was ended by ${now.signal}`
say(failed ? `\nmake test ${how} in stage ${failed.name}` : '\nmake test passed')
say(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = failed ? 1 : 0
