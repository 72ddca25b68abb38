import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen, type ListeningServer, type ListenOptions } from './httpServer.ts'

export interface MetricsServerOptions extends ListenOptions {
  /** What is served: Metrics.text. */
  text(): Promise<string>
}

const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/** Scrapers are few, and none has anything long to say or to wait for. */
const limits = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 75_000 }
const maxConnections = 32

/**
 * Serves GET /metrics and nothing else, without asking who it is: nothing of a tenant is in it. Scrapes that come while
 * one is made get the same answer. Rejects when the port cannot be had.
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<ListeningServer> {
  let underWay: Promise<string> | undefined
  const read = (): Promise<string> => {
    underWay ??= options.text().finally(() => (underWay = undefined))
    return underWay
  }
  const server = createServer(limits, (request, response) => void serve(request, response, read))
  server.maxConnections = maxConnections
  return await listen(server, options)
}

async function serve(request: IncomingMessage, response: ServerResponse, read: () => Promise<string>): Promise<void> {
  const refusal = refusalOf(request)
  if (refusal !== undefined) {
    // Whatever is still to come is not read.
    response.writeHead(refusal, { connection: 'close', ...(refusal === 405 && { allow: 'GET' }) }).end()
    return
  }
  try {
    const body = await read()
    response.writeHead(200, { 'content-type': contentType }).end(body)
  } catch {
    response.writeHead(500, { connection: 'close' }).end()
  }
}

/** The status with which a request is refused; undefined when it is a scrape. */
function refusalOf({ method, url, headers }: IncomingMessage): number | undefined {
  if (url?.split('?')[0] !== '/metrics') return 404
  if (method !== 'GET') return 405
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
  return hasBody ? 413 : undefined
}
