import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { checkout } from '../cluster/layout.ts'

/** Promise T7: at rest and without instances the operator is at most so many times as large as its packages alone. */
export const promisedRatio = 1.25
/** Promise T7: what an instance may add, beside twice its spec and its current release. */
export const promisedKilobytesPerInstance = 4
/** Promise T7: what an object of the history may add. */
export const promisedKilobytesOfHistory = 0.5

const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>
}
const imports = Object.keys(dependencies).map((name) => `await import('${name}')`)

/**
 * Megabytes that a process has resident which imports the operator's packages, does nothing, and is so many seconds old;
 * `options` are Node's.
 */
export async function measurePackages(seconds: number, options: readonly string[] = []): Promise<number> {
  const code = `${imports.join(';')}; setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, [...options, '--input-type=module', '--eval', code], {
    cwd: checkout,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return await measure(child, seconds)
}

/** Megabytes that a process has resident after so many seconds; ends it. Throws when it ended by itself. */
export async function measure(child: ChildProcess, seconds: number): Promise<number> {
  const ended = once(child, 'exit')
  await Promise.race([ended, pause(seconds * 1000)])
  if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended before it was measured')
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  child.kill('SIGTERM')
  await ended
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024
}
