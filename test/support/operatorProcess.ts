import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { waitUntil } from '../cluster/kubeApi.ts'
import { checkout } from '../cluster/layout.ts'

/** The operator as its container starts it. */
export interface OperatorProcess {
  readonly child: ChildProcess
  /** All it has written so far, where it was read. */
  output(): string
  /** The text of /metrics. */
  scrape(): Promise<string>
  /** Ends it as Kubernetes does; resolves to its exit code, or the signal that killed it, when it has not ended after 20 s. */
  stop(): Promise<number | NodeJS.Signals>
}

export interface OperatorProcessOptions {
  readonly kubeconfig: string
  /** What its standard output is; 'pipe', read, unless given. */
  readonly stdout?: number | 'pipe'
}

/** Starts the operator with a debug log and resolves when it is ready. */
export async function startOperatorProcess({
  kubeconfig,
  stdout = 'pipe',
}: OperatorProcessOptions): Promise<OperatorProcess> {
  const [healthPort, metricsPort] = [await freePort(), await freePort()]
  const child = spawn(process.execPath, [join(checkout, 'operator', 'main.ts')], {
    stdio: ['ignore', stdout, 'pipe'],
    cwd: checkout,
    env: {
      ...process.env,
      KUBECONFIG: kubeconfig,
      APPSTEAD_LOG_LEVEL: 'debug',
      APPSTEAD_HEALTH_PORT: String(healthPort),
      APPSTEAD_METRICS_PORT: String(metricsPort),
    },
  })
  const texts: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => texts.push(text))
  }
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  await waitUntil('the operator is ready', 60, async () => {
    if (child.exitCode !== null) throw new Error(`the operator ended: ${texts.join('')}`)
    return isReady(healthPort)
  })
  return {
    child,
    output: () => texts.join(''),
    async scrape() {
      const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`)
      return answer.text()
    },
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
      const [code, signal] = await ended
      clearTimeout(timer)
      return signal ?? code ?? -1
    },
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
