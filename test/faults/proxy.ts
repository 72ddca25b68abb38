import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import {
  on,
  Rules,
  statusBody,
  type Action,
  type Decide,
  type EventAction,
  type Line,
  type Matches,
  type ProxyRequest,
  type Rule,
} from './proxyRules.ts'
import { carryWatch, type OpenWatch } from './proxyWatch.ts'

export type { OpenWatch } from './proxyWatch.ts'

/** Requests that wait for the test. */
export interface Hold {
  /** How many wait. */
  readonly count: number
  /** Lets them and all that follow pass. */
  release(): void
}

/** Plain HTTP in front of the real API server: what comes through it meets the faults a test asks for. */
export interface Proxy {
  /** A kubeconfig file that leads here; the rights are those of the kubeconfig the proxy was made with. */
  readonly kubeconfig: string
  /** Every request that came, in order. */
  readonly requests: readonly ProxyRequest[]
  /** What becomes of requests: of several rules the first that decides. */
  rule(decide: Decide): Rule
  /** Requests that match wait until they are released. */
  hold(matches: Matches): Hold
  /** What becomes of the lines of watches; undefined: not this rule's. */
  onLine(decide: (request: ProxyRequest, line: Line, nth: number) => EventAction | undefined): Rule
  /** The watches that run now. */
  watches(matches?: Matches): readonly OpenWatch[]
  /** Takes all rules away; what is held is released. */
  clear(): void
  close(): Promise<void>
}

interface Upstream {
  readonly server: string
  readonly options: RequestOptions
  readonly agent: Agent
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Starts a proxy in front of the cluster of a kubeconfig, on a free port of the loopback. */
export async function startProxy(kubeconfig: string): Promise<Proxy> {
  const upstream = await upstreamOf(kubeconfig)
  const rules = new Rules<[ProxyRequest], Action>()
  const lines = new Rules<[ProxyRequest, Line], EventAction>()
  const requests: ProxyRequest[] = []
  const open = new Map<OpenWatch, ProxyRequest>()
  const holds = new Set<Hold>()
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming
    const subject = { method, url, isWatch: /[?&]watch=(1|true)/.test(url), at: performance.now() }
    requests.push(subject)
    const action = rules.decide(subject) ?? { kind: 'pass' }
    const carry = subject.isWatch
      ? () => watch(upstream, incoming, outgoing, { subject, lines, open })
      : (body: Buffer) => call(upstream, incoming, body, outgoing, action)
    serve(incoming, outgoing, action, carry).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'fault-proxy-'))
  return {
    kubeconfig: writeKubeconfig(folder, (server.address() as AddressInfo).port),
    requests,
    rule: (decide) => rules.add(decide),
    hold: (matches) => makeHold(rules, holds, matches),
    onLine: (decide) => lines.add(decide),
    watches: (matches = () => true) => [...open].filter(([, subject]) => matches(subject)).map(([each]) => each),
    clear() {
      rules.clear()
      lines.clear()
      for (const hold of holds) hold.release()
      for (const each of open.keys()) each.thaw()
    },
    async close() {
      for (const hold of holds) hold.release()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      upstream.agent.destroy()
      rmSync(folder, { recursive: true })
    },
  }
}

async function upstreamOf(kubeconfig: string): Promise<Upstream> {
  const config = loadKubeConfig(kubeconfig)
  const server = config.getCurrentCluster()?.server
  if (server === undefined) throw new Error(`${kubeconfig} names no server`)
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  return { server, options, agent: new Agent({ ...(options as object), keepAlive: true }) }
}

function makeHold(rules: Rules<[ProxyRequest], Action>, holds: Set<Hold>, matches: Matches): Hold {
  const { promise, resolve } = Promise.withResolvers<void>()
  const rule = rules.add(on(matches, { kind: 'wait', until: promise }))
  const hold = {
    get count() {
      return rule.hits
    },
    release() {
      rule.remove()
      holds.delete(hold)
      resolve()
    },
  }
  holds.add(hold)
  return hold
}

/** What happens before a request is carried, and instead of it. */
async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  action: Action,
  carry: (body: Buffer) => Promise<void>,
): Promise<void> {
  const body = await bytesOf(incoming)
  if (action.kind === 'dropBefore') return void outgoing.destroy()
  if (action.kind === 'wait') await action.until
  if (action.kind === 'status') {
    const { code, retryAfterSeconds } = action
    const retryAfter = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
    outgoing.writeHead(code, { 'content-type': 'application/json', ...retryAfter })
    return void outgoing.end(JSON.stringify(statusBody(action)))
  }
  // Given up by its client while it waited.
  if (!outgoing.destroyed) await carry(body)
}

async function call(
  upstream: Upstream,
  incoming: IncomingMessage,
  body: Buffer,
  outgoing: ServerResponse,
  action: Action,
): Promise<void> {
  let answer = await send(upstream, incoming, body)
  if (action.kind === 'duplicate') {
    const second = await send(upstream, incoming, body)
    if (action.answer === 'second') answer = second
  }
  if (action.kind === 'dropAfter') return void outgoing.destroy()
  const content = action.kind === 'rewrite' ? Buffer.from(action.body(answer.body.toString())) : answer.body
  const { 'transfer-encoding': _chunked, ...headers } = answer.headers
  const isCut = action.kind === 'truncate'
  const sent = isCut ? content.subarray(0, action.bytes) : content
  const length = isCut && action.ending === 'reset' ? content.length : sent.length
  outgoing.writeHead(answer.status, { ...headers, 'content-length': length })
  if (length === sent.length) outgoing.end(sent)
  else outgoing.write(sent, () => outgoing.destroy())
}

async function watch(
  upstream: Upstream,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  state: {
    readonly subject: ProxyRequest
    readonly lines: Rules<[ProxyRequest, Line], EventAction>
    readonly open: Map<OpenWatch, ProxyRequest>
  },
): Promise<void> {
  const { subject, lines, open } = state
  const sent = dispatch(upstream, incoming, Buffer.alloc(0))
  outgoing.once('close', () => sent.request.destroy())
  const answer = await sent.answer
  const { 'transfer-encoding': _chunked, ...headers } = answer.headers
  outgoing.writeHead(answer.statusCode ?? 500, headers)
  outgoing.flushHeaders()
  if (answer.statusCode !== 200) return void answer.pipe(outgoing)
  const opened = carryWatch(subject.url, answer, outgoing, (line) => lines.decide(subject, line) ?? 'pass')
  open.set(opened, subject)
  outgoing.once('close', () => open.delete(opened))
}

async function send(upstream: Upstream, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const answer = await dispatch(upstream, incoming, body).answer
  return { status: answer.statusCode ?? 500, headers: answer.headers, body: await bytesOf(answer) }
}

function dispatch(
  { server, options, agent }: Upstream,
  { method, url = '/', headers }: IncomingMessage,
  body: Buffer,
): { request: ReturnType<typeof httpsRequest>; answer: Promise<IncomingMessage> } {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const all = { ...headers, ...(options.headers as IncomingHttpHeaders | undefined) }
  const sent = httpsRequest(new URL(url, server), { ...options, agent, method, headers: all }, resolve)
  sent.on('error', reject)
  sent.end(body)
  return { request: sent, answer: promise }
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function writeKubeconfig(folder: string, port: number): string {
  const config = {
    'current-context': 'proxy',
    clusters: [{ name: 'proxy', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'proxy', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
  }
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify(config))
  return kubeconfig
}
