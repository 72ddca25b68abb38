import type { KubeConfig } from '@kubernetes/client-node'
import { buildConnector, errors as undiciErrors, Pool } from 'undici'
import { credentialsOf, type Credentials } from './credentials.ts'
import { errorOfAnswer, KubeError } from './errors.ts'

/** Numbers of one cluster's transport since the start. */
export interface TransportStats {
  readonly requests: number
  readonly watches: number
  /** Opened for calls. */
  readonly callConnections: number
  /** Opened for watches. */
  readonly watchConnections: number
}

export interface TransportOptions {
  /** Connections for calls; more calls than that wait for a free one. */
  readonly callConnections?: number
  /** Deadline of a call, from its start to the last byte of the answer. */
  readonly callTimeoutSeconds?: number
  /** Largest answer of a call, in bytes. */
  readonly maxBodyBytes?: number
  readonly userAgent?: string
}

/** One request. `path` carries the query. */
export interface Request {
  /** For error messages: `apply deployments a/b`. */
  readonly what: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly accept?: string
  readonly contentType?: string
  readonly body?: string
  readonly signal?: AbortSignal | undefined
}

/** What carries the requests of a KubeClient. */
export interface Wire {
  readonly stats: TransportStats
  /** Sends a call and returns the parsed JSON of its answer; throws a KubeError. */
  call(request: Request): Promise<unknown>
  /** Opens a stream and returns its body's chunks; throws a KubeError, also while it is read. */
  stream(request: Request & { readonly signal: AbortSignal }): AsyncIterable<Buffer>
  /** Lets running calls end, cuts the streams, closes all connections. */
  close(): Promise<void>
}

type Answer = Awaited<ReturnType<Pool['request']>>

const defaults = { callConnections: 4, callTimeoutSeconds: 30, maxBodyBytes: 64 * 1024 * 1024, userAgent: 'appstead' }

/** A watch holds a connection for as long as it lasts, so this bounds the watched types of one cluster. */
const maxWatchConnections = 256

/** Milliseconds. The API server closes idle connections after 90 s: close them first, or a call meets a closing one. */
const keepAliveTimeout = 75_000

/**
 * HTTP/1.1 to one API server through two long-lived pools: one for calls, one for watches, so that neither starves the
 * other. Credentials are read again as they expire; certificates whenever a connection is opened.
 */
export class Transport implements Wire {
  readonly #credentials: Credentials
  readonly #calls: Pool
  readonly #watches: Pool
  readonly #options: typeof defaults
  readonly #opened = { calls: 0, watches: 0 }
  #requests = 0
  #watchRequests = 0
  #closing: Promise<void> | undefined

  /** Throws an Error that names the kubeconfig's fault when there is no usable cluster in it. */
  constructor(kubeConfig: KubeConfig, options: TransportOptions = {}) {
    this.#options = { ...defaults, ...options }
    this.#credentials = credentialsOf(kubeConfig)
    const connectFor =
      (kind: 'calls' | 'watches'): buildConnector.connector =>
      (target, callback) =>
        void this.#connect(kind, target, callback)
    const common = { allowH2: false, pipelining: 1, keepAliveTimeout, keepAliveMaxTimeout: keepAliveTimeout }
    this.#calls = new Pool(this.#credentials.origin, {
      ...common,
      connect: connectFor('calls'),
      connections: this.#options.callConnections,
    })
    this.#watches = new Pool(this.#credentials.origin, {
      ...common,
      connect: connectFor('watches'),
      connections: maxWatchConnections,
      bodyTimeout: 0,
    })
  }

  get stats(): TransportStats {
    const { calls: callConnections, watches: watchConnections } = this.#opened
    return { requests: this.#requests, watches: this.#watchRequests, callConnections, watchConnections }
  }

  async call(request: Request): Promise<unknown> {
    this.#requests += 1
    // One controller and one timer per call, both let go at its end: AbortSignal.timeout would live on for its 30 s.
    const abort = new AbortController()
    const onAbort = (): void => abort.abort()
    const timer = setTimeout(onAbort, this.#options.callTimeoutSeconds * 1000)
    if (request.signal?.aborted === true) abort.abort()
    request.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const answer = await this.#send(this.#calls, request, abort.signal)
      return parseJson(request.what, await readBody(request.what, answer, this.#options.maxBodyBytes))
    } catch (error) {
      throw toKubeError(request, error, abort.signal)
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', onAbort)
    }
  }

  async *stream(request: Request & { readonly signal: AbortSignal }): AsyncGenerator<Buffer, void, undefined> {
    this.#watchRequests += 1
    try {
      const answer = await this.#send(this.#watches, request, request.signal)
      yield* answer.body as AsyncIterable<Buffer>
    } catch (error) {
      throw toKubeError(request, error)
    }
  }

  /** The second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= Promise.all([this.#calls.close(), this.#watches.destroy()]).then(() => undefined)
    return this.#closing
  }

  async #send(pool: Pool, request: Request, signal: AbortSignal): Promise<Answer> {
    const answer = await pool.request({
      path: this.#credentials.basePath + request.path,
      method: request.method,
      headers: {
        accept: request.accept ?? 'application/json',
        'accept-encoding': 'identity',
        'user-agent': this.#options.userAgent,
        ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
        ...(await this.#credentials.headers()),
      },
      body: request.body ?? null,
      signal,
    })
    if (answer.statusCode < 300) return answer
    if (answer.statusCode === 401) this.#credentials.expire()
    const body = await readBody(request.what, answer, this.#options.maxBodyBytes)
    const retryAfter = answer.headers['retry-after']
    throw errorOfAnswer(request.what, answer.statusCode, Array.isArray(retryAfter) ? retryAfter[0] : retryAfter, body)
  }

  async #connect(
    kind: 'calls' | 'watches',
    target: buildConnector.Options,
    callback: buildConnector.Callback,
  ): Promise<void> {
    this.#opened[kind] += 1
    let connect: buildConnector.connector
    try {
      const tls = await this.#credentials.tls()
      connect = buildConnector({
        ...tls,
        allowH2: false,
        timeout: 10_000,
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
      })
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null)
      return
    }
    connect(target, callback)
  }
}

async function readBody(what: string, answer: Answer, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // Leaving the loop destroys the body, and with it the connection: nothing more is read.
    if (bytes > maxBytes) throw new KubeError('TooLarge', `${what}: the answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]!.toString('utf8') : Buffer.concat(chunks, bytes).toString('utf8')
}

function parseJson(what: string, body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (error) {
    throw new KubeError('Malformed', `${what}: the answer is no JSON`, { cause: error })
  }
}

/** Everything that undici throws, in our words. `deadline` is aborted when the call's time is up. */
function toKubeError({ what, signal }: Request, error: unknown, deadline?: AbortSignal): KubeError {
  if (error instanceof KubeError) return error
  if (signal?.aborted === true) return new KubeError('Aborted', `${what}: aborted`, { cause: error })
  if (deadline?.aborted === true || isTimeout(error)) {
    return new KubeError('Timeout', `${what}: no answer in time`, { cause: error })
  }
  const message = error instanceof Error ? error.message : String(error)
  return new KubeError('Unavailable', `${what}: ${message}`, { cause: error })
}

function isTimeout(error: unknown): boolean {
  return (
    error instanceof undiciErrors.HeadersTimeoutError ||
    error instanceof undiciErrors.BodyTimeoutError ||
    error instanceof undiciErrors.ConnectTimeoutError
  )
}
