import type { KubeConfig } from '@kubernetes/client-node'
import type { Dispatcher } from 'undici'
import { closeConnections, makeConnections, retireConnections, type Connections } from './connections.ts'
import { credentialsOf, isSameIdentity, type Credentials, type Identity } from './credentials.ts'
import { startDeadline, within, type Deadline } from './deadline.ts'
import { errorOfAnswer, isKubeError, KubeError } from './errors.ts'
import { Exchange, maxErrorBytes, readStart, type Answer } from './exchange.ts'
import { isConnectionLost, parseJson, toKubeError } from './failures.ts'
import { blot } from './secret.ts'
import { Slots } from './slots.ts'
import type { Request, TransportStats, Wire } from './wire.ts'

export interface TransportOptions {
  /** Connections for calls; more calls than that wait for a free one. */
  readonly callConnections?: number
  /** Deadline of a call that has none of its own: from its start, waiting included, to the last byte of the answer. */
  readonly callTimeoutSeconds?: number
  /** Within this time a watch must be answered; how long it then lasts is its reader's matter. */
  readonly watchOpenSeconds?: number
  /** Largest answer of any call, in bytes. */
  readonly maxBodyBytes?: number
  /** Connections nobody uses for so long are closed. */
  readonly idleSeconds?: number
  /** However long a server asks us to wait, we ask again after so long. */
  readonly maxPauseSeconds?: number
  readonly userAgent?: string
  /**
   * Called in the very moment before a request that is no GET is written to its connection. What it throws is thrown
   * by the call, and nothing was sent.
   */
  readonly beforeWrite?: () => void
  /** Told of each request that was sent, or tried to be, once its answer has begun. */
  readonly onAnswer?: (answer: AnswerNote) => void
}

/** What a metric wants to know of one request. */
export interface AnswerNote {
  readonly method: Request['method']
  /** HTTP status; `<error>` when there was no answer. */
  readonly code: number | '<error>'
  /** `host:port` of the cluster. */
  readonly host: string
}

const defaults = {
  callConnections: 8,
  callTimeoutSeconds: 30,
  watchOpenSeconds: 30,
  maxBodyBytes: 64 * 1024 * 1024,
  // Proxies and load balancers cut idle connections after 60 s as a rule: close them first, or a call meets a closing one.
  idleSeconds: 45,
  maxPauseSeconds: 30,
  userAgent: 'appstead',
}

/** A request on its way. */
interface Sending {
  readonly request: Request
  readonly deadline: Deadline
  /** Under which the last attempt was made. */
  identity?: Identity
  /** What beforeWrite threw. */
  refusal?: { readonly error: unknown }
}

/**
 * HTTP/1.1 to one API server over kept connections, apart from those that watches occupy. Credentials are read again as
 * they expire; when the certificates have changed, new connections take the place of the old ones. While the server
 * asks us to wait, no new request leaves.
 */
export class Transport implements Wire {
  readonly #credentials: Credentials
  readonly #options: TransportOptions & typeof defaults
  readonly #slots: Slots
  readonly #opened = { calls: 0, watches: 0 }
  readonly #host: string
  #connections: Connections
  /** Under certificates that have been replaced; their last requests are still running. */
  readonly #retiring = new Set<Promise<void>>()
  #tlsDigest: string | undefined
  #requests = 0
  #watchRequests = 0
  #closing: Promise<void> | undefined
  readonly #cut = new AbortController()

  /** Throws an Error that names the kubeconfig's fault when there is no usable cluster in it. */
  constructor(access: KubeConfig | Credentials, options: TransportOptions = {}) {
    this.#options = { ...defaults, ...options }
    this.#credentials = 'identity' in access ? access : credentialsOf(access)
    this.#host = new URL(this.#credentials.origin).host
    this.#slots = new Slots(this.#options.callConnections)
    this.#connections = this.#connect()
  }

  get stats(): TransportStats {
    const { calls: callConnections, watches: watchConnections } = this.#opened
    return { requests: this.#requests, watches: this.#watchRequests, callConnections, watchConnections }
  }

  async call(request: Request): Promise<unknown> {
    this.#requests += 1
    const deadline = startDeadline(request.timeoutSeconds ?? this.#options.callTimeoutSeconds, request.signal)
    const sending: Sending = { request, deadline }
    try {
      const { body } = await this.#twiceAtMost(sending, () => this.#exchange(sending))
      return parseJson(request.what, body)
    } catch (error) {
      // What beforeWrite threw is its owner's error, not ours.
      throw sending.refusal === undefined ? toKubeError(request, error, deadline.signal) : sending.refusal.error
    } finally {
      deadline.end()
    }
  }

  async *stream(request: Request & { readonly signal: AbortSignal }): AsyncGenerator<Buffer, void, undefined> {
    this.#watchRequests += 1
    const either = AbortSignal.any([request.signal, this.#cut.signal])
    const deadline = startDeadline(request.timeoutSeconds ?? this.#options.watchOpenSeconds, either)
    const sending: Sending = { request, deadline }
    try {
      const body = await this.#twiceAtMost(sending, () => this.#open(sending))
      deadline.disarm()
      yield* body
    } catch (error) {
      if (this.#cut.signal.aborted && !request.signal.aborted) throw closed()
      throw toKubeError(request, error, deadline.signal)
    } finally {
      deadline.end()
    }
  }

  /** The second call waits for the first. */
  close(): Promise<void> {
    this.#slots.close(closed())
    // By their signal, for undici waits for the streams of a pool that is closing already.
    this.#cut.abort()
    this.#closing ??= Promise.all([closeConnections(this.#connections), ...this.#retiring]).then(() => undefined)
    return this.#closing
  }

  /**
   * Once more where that can do no harm: with fresh credentials after a refusal, if there are any, for the server has
   * not looked at the request; and a read whose connection was closed under it before an answer came.
   */
  async #twiceAtMost<T>(sending: Sending, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt()
    } catch (error) {
      if (!(await this.#mayTryAgain(sending, error))) throw error
      return await attempt()
    }
  }

  async #mayTryAgain({ request, deadline, identity }: Sending, error: unknown): Promise<boolean> {
    if (!isKubeError(error, 'Unauthorized')) return request.method === 'GET' && isConnectionLost(error)
    // Somebody else's refusal may have brought fresh ones already.
    if (identity !== undefined && isSameIdentity(identity, await this.#identity(deadline))) this.#credentials.expire()
    return identity === undefined || !isSameIdentity(identity, await this.#identity(deadline))
  }

  #identity({ signal }: Deadline): Promise<Identity> {
    return within(this.#credentials.identity(), signal)
  }

  /** One attempt of a call. */
  async #exchange(sending: Sending): Promise<Answer> {
    const { request, deadline } = sending
    const giveBack = await this.#wait(sending, () => this.#slots.take(deadline.signal))
    let options: Dispatcher.DispatchOptions
    try {
      options = await this.#prepare(sending)
    } catch (error) {
      giveBack()
      throw error
    }
    const exchange = new Exchange({
      what: request.what,
      maxBodyBytes: Math.min(request.maxBodyBytes ?? Infinity, this.#options.maxBodyBytes),
      signal: deadline.signal,
      beforeSend: () => this.#mayWrite(sending),
    })
    this.#connections.calls.dispatch(options, exchange)
    try {
      const answer = await this.#noted(sending, exchange.answer)
      if (answer.status >= 300) throw this.#errorOf(sending, answer)
      return answer
    } finally {
      // After the answer was looked at, for it may ask the next call to wait; and not before the connection is done
      // with this one, which after an abort may be later.
      void exchange.ended.then(giveBack)
    }
  }

  /** One attempt of a stream: resolves with its body when the server has accepted it. */
  async #open(sending: Sending): Promise<AsyncIterable<Buffer>> {
    const { signal } = sending.deadline
    await this.#wait(sending, () => this.#slots.pass(signal))
    const options = await this.#prepare(sending)
    const opening = this.#connections.watches.request({ ...options, signal })
    const { status, headers, body } = await this.#noted(
      sending,
      within(opening, signal).then(({ statusCode, ...rest }) => ({ status: statusCode, ...rest })),
    )
    if (status < 300) return body as AsyncIterable<Buffer>
    throw this.#errorOf(sending, { status, headers, body: await readStart(body, maxErrorBytes) })
  }

  /** What undici is to send; also puts new connections in place when the certificates have changed. */
  async #prepare(sending: Sending): Promise<Dispatcher.RequestOptions> {
    const { request, deadline } = sending
    const identity = await this.#identity(deadline)
    sending.identity = identity
    if (this.#tlsDigest !== identity.tlsDigest) {
      if (this.#tlsDigest !== undefined && this.#closing === undefined) this.#renewConnections()
      this.#tlsDigest = identity.tlsDigest
    }
    return {
      path: this.#credentials.basePath + request.path,
      method: request.method,
      headers: {
        accept: request.accept ?? 'application/json',
        'accept-encoding': 'identity',
        'user-agent': this.#options.userAgent,
        ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
        ...identity.headers.reveal(),
      },
      body: request.body ?? null,
    }
  }

  #renewConnections(): void {
    const old = this.#connections
    this.#connections = this.#connect()
    const retired = retireConnections(old).finally(() => this.#retiring.delete(retired))
    this.#retiring.add(retired)
  }

  /** Called in the moment of sending. */
  #mayWrite(sending: Sending): void {
    if (sending.request.method === 'GET') return
    try {
      this.#options.beforeWrite?.()
    } catch (error) {
      sending.refusal = { error }
      throw error
    }
  }

  /** A call that has no time to wait for the end of a pause fails now, and tells its caller when to come again. */
  async #wait<T>({ request, deadline }: Sending, turn: () => Promise<T>): Promise<T> {
    try {
      deadline.signal.throwIfAborted()
      if (this.#slots.pauseSeconds < deadline.left()) return await turn()
    } catch (error) {
      if (request.signal?.aborted === true || !deadline.signal.aborted) throw error
    }
    const seconds = this.#slots.pauseSeconds
    if (seconds === 0) throw new KubeError('Timeout', `${request.what}: not sent, no connection became free in time`)
    const wait = `the API server asked to wait, ${seconds.toFixed(1)} s more`
    throw new KubeError('TooManyRequests', `${request.what}: not sent, ${wait}`, { retryAfterSeconds: seconds })
  }

  async #noted<T extends { readonly status: number }>(sending: Sending, answer: Promise<T>): Promise<T> {
    const note = (code: AnswerNote['code']): void =>
      this.#options.onAnswer?.({ method: sending.request.method, code, host: this.#host })
    let value: T
    try {
      value = await answer
    } catch (error) {
      if (sending.refusal === undefined) note('<error>')
      throw error
    }
    note(value.status)
    return value
  }

  #errorOf({ request, identity }: Sending, { status, headers, body }: Answer): KubeError {
    const retryAfter = headers['retry-after']
    // A server may repeat what we sent.
    const secret = identity?.headers.reveal()['authorization']?.replace(/^\w+ /, '') ?? ''
    const error = errorOfAnswer(request.what, status, retryAfter, blot(body, secret))
    if (status === 429 || (status === 503 && error.retryAfterSeconds !== undefined)) {
      const seconds = Math.min(error.retryAfterSeconds ?? 1, this.#options.maxPauseSeconds)
      // Not all clients that were told the same at once are to come back at once.
      this.#slots.pause(seconds * (1 + Math.random() * 0.2))
    }
    return error
  }

  #connect(): Connections {
    const { callConnections, idleSeconds } = this.#options
    return makeConnections({ credentials: this.#credentials, callConnections, idleSeconds, opened: this.#opened })
  }
}

function closed(): KubeError {
  return new KubeError('Unavailable', 'the client is closed')
}
