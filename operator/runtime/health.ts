import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { InformerHealth } from './informers.ts'

export interface HealthOptions {
  /** 0: any free port. */
  readonly port: number
  readonly host?: string
  /** How each type's list + watch is doing. */
  informers(): readonly InformerHealth[]
  /** True while reconciles may run. */
  isReady(): boolean
}

export interface HealthServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves /livez: 200 while each list + watch is connected or trying again, so that only a hung one restarts the process;
 * and /readyz: 200 once all caches are filled and the controllers work. A stalled event loop answers nothing at all,
 * which the probe's timeout takes for a failure. Rejects when the port cannot be had.
 */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    if (request.url === '/livez')
      answer(
        response,
        options.informers().filter((informer) => !informer.isAlive),
        true,
      )
    else if (request.url === '/readyz')
      answer(
        response,
        options.informers().filter((informer) => !informer.isSynced),
        options.isReady(),
      )
    else response.writeHead(404).end()
  })
  await listen(server, options)
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(response: ServerResponse, failing: readonly InformerHealth[], isReady: boolean): void {
  const lines = failing.map(({ type, state }) => `${type}: ${state}`)
  const isGood = lines.length === 0 && isReady
  response.writeHead(isGood ? 200 : 503, { 'content-type': 'text/plain' })
  response.end(isGood ? 'ok\n' : `${['not ok', ...lines].join('\n')}\n`)
}

function listen(server: Server, options: HealthOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
