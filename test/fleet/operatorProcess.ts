import { spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { checkout } from '../cluster/layout.ts'
import { waitUntil } from '../cluster/kubeApi.ts'

/** The operator as a process of its own, started as its container starts it. */
export interface OperatorProcess {
  readonly usage: () => Usage
  /** Lines of its log at level warn and above. */
  readonly complaints: () => readonly string[]
  /** Ends it as Kubernetes does. Rejects when it does not end well. */
  readonly stop: () => Promise<void>
}

/** What a process has used so far. */
export interface Usage {
  readonly cpuSeconds: number
  /** Resident now, and at most so far. */
  readonly megabytes: number
  readonly peakMegabytes: number
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

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok
  } catch {
    return false
  }
}

/** Starts the operator on the cluster of a kubeconfig; resolves when it is ready. `nodeOptions` such as `--cpu-prof`. */
export async function startOperatorProcess(
  kubeconfig: string,
  nodeOptions: readonly string[] = [],
): Promise<OperatorProcess> {
  const port = await freePort()
  const child = spawn(process.execPath, [...nodeOptions, join(checkout, 'operator', 'main.ts')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: checkout,
    env: {
      ...process.env,
      KUBECONFIG: kubeconfig,
      APPSTEAD_HEALTH_PORT: String(port),
      APPSTEAD_METRICS_PORT: '0',
      APPSTEAD_LOG_LEVEL: 'warn',
    },
  })
  const complaints: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => complaints.push(...text.split('\n').filter(Boolean)))
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code))
  })
  await waitUntil('the operator is ready', 60, async () => {
    if (child.exitCode !== null) throw new Error(`the operator ended with ${child.exitCode}: ${complaints.join('\n')}`)
    return isReady(port)
  })
  return {
    usage: () => usageOf(child.pid ?? 0),
    complaints: () => complaints,
    async stop() {
      child.kill('SIGTERM')
      const how = await ended
      if (how !== 0) throw new Error(`the operator ended with ${how}: ${complaints.slice(-5).join('\n')}`)
    },
  }
}
