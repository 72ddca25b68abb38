import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { isRunning, startTimeOf, type Started } from './process.ts'
import type { Report } from './progress.ts'

/**
 * Runs `work` while no other process does so under the same lock file; waits for the other one, and says so once.
 * The lock of a process that is gone does not count.
 */
export async function withLock<T>(path: string, report: Report, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  const self: Started = { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '' }
  for (let waits = 0; !take(path, self); waits++) {
    const holder = holderOf(path)
    if (holder === undefined || !(await isRunning(holder))) {
      rmSync(path, { force: true })
      continue
    }
    if (waits === 0) report(`waiting for process ${holder.pid}, which holds ${path}`)
    await pause(200)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

/** Takes the lock in one step, content and all, so that nobody reads one that is half written. */
function take(path: string, self: Started): boolean {
  const own = `${path}.${self.pid}`
  writeFileSync(own, JSON.stringify(self))
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}

function holderOf(path: string): Started | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Started
  } catch {
    return undefined
  }
}
