import { Agent, request, type RequestOptions } from 'node:https'
import { loadKubeConfig } from '../../../operator/kube/access.ts'
import { parseLines } from '../../../operator/kube/lines.ts'
import type { Admin } from '../../support/apiserver.ts'
import type { Json } from '../double/json.ts'
import type { StreamEvent } from '../double/server.ts'

/** A real API server, as an administrator sends it requests byte for byte. */
export interface RealServer {
  readonly admin: Admin
  /** Tells of every event of a collection from now on; resolves when it listens. */
  watch(path: string, onEvent: (event: StreamEvent) => void): Promise<void>
  /** What a watch tells that `counts`, until there are as many events as expected and, in a moment more, no further ones. */
  collect(
    path: string,
    accept: string | undefined,
    counts: (event: StreamEvent) => boolean,
    expected: number,
  ): Promise<StreamEvent[]>
  /** Ends all watches and connections. */
  close(): void
}

const longestMilliseconds = 2000
const moreMilliseconds = 100

/** The server of a kubeconfig. */
export async function connect(kubeconfig: string): Promise<RealServer> {
  const config = loadKubeConfig(kubeconfig)
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const { server = '' } = config.getCurrentCluster() ?? {}
  const agent = new Agent({ ...(options as object), keepAlive: true, maxSockets: 64 })
  const abort = new AbortController()
  const admin: Admin = async ({ method = 'GET', path, body, contentType, accept = 'application/json' }) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const preset = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    // Node gives a DELETE no length by itself, and its body would be taken for the next request.
    const length = { 'content-type': contentType ?? preset, 'content-length': Buffer.byteLength(text) }
    const headers = { ...options.headers, accept, ...(text === '' ? {} : length) }
    const { status, chunks } = await send(new URL(path, server), { ...options, agent, method, headers }, text)
    const parts: Buffer[] = []
    for await (const chunk of chunks) parts.push(chunk)
    return { status, body: parsed(Buffer.concat(parts).toString()), warnings: [] }
  }
  return {
    admin,
    async watch(path, onEvent) {
      const { body } = await admin({ path: `${path}?limit=1` })
      const from = (body as { metadata: { resourceVersion: string } }).metadata.resourceVersion
      const url = new URL(`${path}?watch=1&resourceVersion=${from}`, server)
      const { chunks } = await send(url, { ...options, agent, signal: abort.signal }, '')
      void follow(path, chunks, onEvent, abort.signal)
    },
    async collect(path, accept, counts, expected) {
      const ending = new AbortController()
      const seen: StreamEvent[] = []
      let timer = setTimeout(() => ending.abort(), longestMilliseconds)
      const note = (event?: StreamEvent): void => {
        if (event !== undefined && counts(event)) seen.push(event)
        if (seen.length < expected) return
        clearTimeout(timer)
        timer = setTimeout(() => ending.abort(), moreMilliseconds)
      }
      const headers = { ...options.headers, ...(accept === undefined ? {} : { accept }) }
      const { chunks } = await send(new URL(path, server), { ...options, headers, agent, signal: ending.signal }, '')
      note()
      await follow(path, chunks, note, ending.signal)
      clearTimeout(timer)
      return seen
    },
    close() {
      abort.abort()
      agent.destroy()
    },
  }
}

async function follow(
  path: string,
  chunks: AsyncIterable<Buffer>,
  onEvent: (event: StreamEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const event of parseLines(`watch ${path}`, chunks, 1 << 24)) onEvent(event as StreamEvent)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function send(
  url: URL,
  options: RequestOptions,
  body: string,
): Promise<{ readonly status: number; readonly chunks: AsyncIterable<Buffer> }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (incoming) =>
      resolve({ status: incoming.statusCode ?? 0, chunks: incoming as AsyncIterable<Buffer> }),
    )
    outgoing.on('error', reject)
    outgoing.end(body === '' ? undefined : body)
  })
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}
