import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EventAction, Line } from './proxyRules.ts'

/** A watch that runs through the proxy. */
export interface OpenWatch {
  readonly url: string
  /** As the API server ends a watch after some minutes. */
  end(): void
  /** As a connection that breaks. */
  reset(): void
  /** No byte comes any more, the connection stays. */
  freeze(): void
  /** What was held back comes, and all else. */
  thaw(): void
  /** Sends a line that the server did not send, at once. */
  send(line: object | string): void
}

/** Carries the answer of a watch, line by line; `decide` says what becomes of each. */
export function carryWatch(
  url: string,
  upstream: IncomingMessage,
  downstream: ServerResponse,
  decide: (line: Line) => EventAction,
): OpenWatch {
  let frozen: PromiseWithResolvers<void> | undefined
  let chain = Promise.resolve()
  let pending = ''
  const carry = async (before: Promise<void>, line: string): Promise<void> => {
    await before
    const action = decide(JSON.parse(line) as Line)
    if (typeof action !== 'string') await action
    await frozen?.promise
    await write(downstream, line, typeof action === 'string' ? action : 'pass')
  }
  upstream.setEncoding('utf8')
  upstream.on('data', (chunk: string) => {
    const lines = (pending + chunk).split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) chain = carry(chain, line)
    chain.catch(() => downstream.destroy())
  })
  upstream.on('end', () => void chain.finally(() => downstream.end()).catch(() => undefined))
  upstream.on('error', () => downstream.destroy())
  return {
    url,
    end: () => downstream.end(),
    reset: () => downstream.destroy(),
    freeze: () => void (frozen ??= Promise.withResolvers<void>()),
    thaw() {
      frozen?.resolve()
      frozen = undefined
    },
    send: (line) => put(downstream, `${typeof line === 'string' ? line : JSON.stringify(line)}\n`),
  }
}

async function write(downstream: ServerResponse, line: string, action: string): Promise<void> {
  if (action === 'swallow') return
  if (action === 'garble') return put(downstream, `${line.slice(0, line.length / 2)}\n`)
  if (action === 'split') {
    const third = Math.ceil(line.length / 3)
    for (let start = 0; start < line.length; start += third) {
      put(downstream, line.slice(start, start + third))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return put(downstream, '\n')
  }
  put(downstream, `${line}\n`)
  if (action === 'duplicate') put(downstream, `${line}\n`)
}

function put(downstream: ServerResponse, text: string): void {
  if (!downstream.writableEnded && !downstream.destroyed) downstream.write(text)
}
