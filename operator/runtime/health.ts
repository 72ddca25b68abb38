import { createServer, type ServerResponse } from 'node:http'
import type { Timing } from '../kube/timing.ts'
import { systemClock } from './clock.ts'
import { EventLoop } from './eventLoop.ts'
import { listen, type ListeningServer, type ListenOptions } from './httpServer.ts'
import type { InformerHealth } from './informers.ts'

export interface HealthOptions extends ListenOptions {
  /** How each type's list + watch is doing. */
  informers(): readonly InformerHealth[]
  /** True while reconciles may run, or could at once if we led. */
  isReady(): boolean
  /** What keeps it from starting; undefined where nothing does. */
  readonly objection?: () => string | undefined
  /** What the event loop is measured by. Default: the machine's clock. */
  readonly timing?: Timing
}

/**
 * Serves /livez: 503 only for what a restart mends, a list + watch that hangs (one that is connected, or tries again, is
 * alive) and an event loop that stalls again and again (eventLoop.ts); one that stalls for good answers nothing at all,
 * which the probe's timeout takes for a failure. And /readyz: 200 once all caches are filled and `isReady`. What is wrong
 * is said line by line. Rejects when the port cannot be had.
 */
export async function startHealthServer(options: HealthOptions): Promise<ListeningServer> {
  const loop = new EventLoop(options.timing ?? systemClock)
  const server = createServer((request, response) => {
    if (request.url === '/livez') answer(response, notAlive(options, loop))
    else if (request.url === '/readyz') answer(response, notReady(options))
    else response.writeHead(404).end()
  })
  const listening = await listen(server, options)
  return {
    ...listening,
    close() {
      loop.stop()
      return listening.close()
    },
  }
}

function notAlive(options: HealthOptions, loop: EventLoop): readonly string[] {
  const hung = options.informers().filter(({ isAlive }) => !isAlive)
  const stalled = (loop.stalledMilliseconds / 1000).toFixed(1)
  return [...hung.map(describe), ...(loop.isWell ? [] : [`event loop: stalled for ${stalled} s of the last minute`])]
}

function notReady(options: HealthOptions): readonly string[] {
  const objection = options.objection?.()
  if (objection !== undefined) return [objection]
  const unsynced = options.informers().filter(({ isSynced }) => !isSynced)
  return unsynced.length > 0 || options.isReady() ? unsynced.map(describe) : ['not started']
}

function describe({ type, state, error }: InformerHealth): string {
  return `${type}: ${state}${error === undefined ? '' : ` after ${error}`}`
}

function answer(response: ServerResponse, wrong: readonly string[]): void {
  response.writeHead(wrong.length === 0 ? 200 : 503, { 'content-type': 'text/plain' })
  response.end(wrong.length === 0 ? 'ok\n' : `${['not ok', ...wrong].join('\n')}\n`)
}
