import { execFile, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'

/** A process by its id and the moment it started: an id that was given to another process since then is not it. */
export interface Started {
  pid: number
  startTime: string
}

/** Where programs are looked for; those of root are not on every user's PATH. */
export const searchPath = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']

/** Set in the environment of every process of a cluster, so that none is lost when its record is. */
export const marker = 'APPSTEAD_CLUSTER'

/** The parts of /proc/PID/stat after the name (which may hold spaces and brackets): state, parent, … */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

let bootId: string | undefined

function currentBoot(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)
  return bootId
}

async function startTimeByPs(pid: number): Promise<string | undefined> {
  const { status, stdout } = await tryRun('ps', ['-o', 'lstart=,stat=', '-p', String(pid)])
  const text = stdout.trim()
  return status !== 0 || text === '' || / Z\S*$/.test(text) ? undefined : text.replace(/ \S+$/, '')
}

/** When the process of this id started, or undefined when there is none (a zombie is none). */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return startTimeByPs(pid)
  const stat = statOf(pid)
  return stat === undefined || stat[0] === 'Z' ? undefined : `${currentBoot()}:${stat[19]}`
}

/** Whether that very process still runs. */
export async function isRunning(started: Started): Promise<boolean> {
  return (await startTimeOf(started.pid)) === started.startTime
}

/** How to start one long-lived process of a cluster. */
export interface Launch {
  /** Names its log and its record. */
  name: string
  command: string
  args: string[]
  /** The cluster's folder. */
  folder: string
  env?: Record<string, string>
}

const logOf = (folder: string, name: string): string => join(folder, 'logs', `${name}.log`)
const recordOf = (folder: string, name: string): string => join(folder, 'pids', `${name}.json`)

/** Starts a process that outlives this one; its output goes to a log, its id and start time to a record. */
export async function launch({ name, command, args, folder, env = {} }: Launch): Promise<Started> {
  const log = logOf(folder, name)
  mkdirSync(dirname(log), { recursive: true })
  const output = openSync(log, 'a', 0o600)
  const child = spawn(command, args, {
    cwd: folder,
    detached: true,
    stdio: ['ignore', output, output],
    env: { PATH: searchPath.join(delimiter), HOME: process.env['HOME'], ...env, [marker]: folder },
  })
  closeSync(output)
  const failure = new Promise<never>((_resolve, reject) => child.once('error', reject))
  failure.catch(() => undefined)
  if (child.pid === undefined) return failure
  child.unref()
  const started = { pid: child.pid, startTime: (await startTimeOf(child.pid)) ?? 'ended' }
  record(folder, name, started)
  return started
}

/** Keeps a process' id and start time, for whoever stops the cluster. */
export function record(folder: string, name: string, started: Started): void {
  const path = recordOf(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, JSON.stringify(started))
}

/** Forgets a process that has ended. */
export function forget(folder: string, name: string): void {
  rmSync(recordOf(folder, name), { force: true })
}

/** The recorded processes of a cluster, by name. A record that was cut off by a crash is passed over. */
export function recorded(folder: string): Map<string, Started> {
  const found = new Map<string, Started>()
  for (const file of filesIn(join(folder, 'pids'))) {
    if (!file.endsWith('.json')) continue
    try {
      const { pid, startTime } = JSON.parse(readFileSync(join(folder, 'pids', file), 'utf8')) as Started
      if (Number.isInteger(pid) && pid > 1) found.set(file.slice(0, -'.json'.length), { pid, startTime })
    } catch {
      continue
    }
  }
  return found
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The last lines of a process' log, for an error message. */
export function tailOf(folder: string, name: string, lines = 12): string {
  try {
    return readFileSync(logOf(folder, name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return '(no log)'
  }
}

/**
 * Processes that carry the marker of this cluster folder, whatever became of their records.
 * Only Linux tells; elsewhere the records must do.
 */
export async function marked(folder: string): Promise<Started[]> {
  if (process.platform !== 'linux') return []
  const found: Started[] = []
  for (const entry of filesIn('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    if (environmentOf(pid)[marker] !== folder) continue
    const startTime = await startTimeOf(pid)
    if (startTime !== undefined) found.push({ pid, startTime })
  }
  return found
}

function environmentOf(pid: number): Record<string, string> {
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    return Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    )
  } catch {
    return {}
  }
}

/** The folders named by the markers of all running processes. */
export function markedFolders(): Set<string> {
  const folders = filesIn('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .map((pid) => environmentOf(pid)[marker])
    .filter((folder) => folder !== undefined)
  return new Set(folders)
}

/** The one child of a process (Linux), or undefined when it has none yet. */
export async function childOf(parent: number): Promise<Started | undefined> {
  for (const entry of filesIn('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || statOf(pid)?.[1] !== String(parent)) continue
    const startTime = await startTimeOf(pid)
    if (startTime !== undefined) return { pid, startTime }
  }
  return undefined
}

/**
 * Kills these processes (SIGKILL, in the order given) and waits until they are gone.
 * None of them has anything to save, and an API server without its etcd would take minutes to stop by itself.
 * Throws when one is still there after ten seconds.
 */
export async function killAll(processes: Iterable<Started>): Promise<void> {
  const running: Started[] = []
  for (const started of processes) {
    if (!(await isRunning(started))) continue
    running.push(started)
    try {
      process.kill(started.pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  const deadline = Date.now() + 10_000
  for (const started of running) {
    while (await isRunning(started)) {
      if (Date.now() > deadline) throw new Error(`process ${started.pid} does not end, though it was killed`)
      await pause(20)
    }
  }
}

/** What a command that ran to its end said. */
export interface Finished {
  status: number
  stdout: string
  stderr: string
}

/** Options of a short command. */
export interface RunOptions {
  cwd?: string
  env?: Record<string, string | undefined>
  timeoutMilliseconds?: number
}

/** Runs a short command and returns how it ended; a command that is not there ends with status 127. */
export async function tryRun(command: string, args: string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const settings = {
      cwd: options.cwd,
      env: { ...process.env, PATH: searchPath.join(delimiter), ...options.env },
      timeout: options.timeoutMilliseconds ?? 0,
      maxBuffer: 64 * 1024 * 1024,
    }
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      const code = error?.code
      const status = typeof code === 'number' ? code : error === null ? 0 : String(code) === 'ENOENT' ? 127 : 1
      resolve({ status, stdout, stderr: stderr || (error === null ? '' : error.message) })
    })
    // Or a program that has a question, as kubectl about a user without a name, would wait for ever.
    child.stdin?.end()
  })
}

/** Runs a short command and returns its output. Throws with its error output when it fails. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await tryRun(command, args, options)
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr.trim() || stdout.trim()}`)
  return stdout
}
