import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { KubeError } from './errors.ts'

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Of an answer that is no success it may be only the beginning. */
  readonly body: string
}

export interface ExchangeOptions {
  /** For error messages. */
  readonly what: string
  readonly maxBodyBytes: number
  /** Ends the exchange, at whatever point it is. */
  readonly signal: AbortSignal
  /** Called in the very moment before the request is written to its connection; when it throws, nothing is. */
  readonly beforeSend: () => void
}

/** So much of an error's body is read: a metav1.Status with many causes fits. */
export const maxErrorBytes = 256 * 1024

/**
 * One request on its way through undici, from the queue to the last byte. undici connects, and waits a moment before it
 * writes to a connection it has used, so only its handler knows the moment in which a request really leaves.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Rejects with what undici reports, with a KubeError, with what `beforeSend` threw, or with the signal's reason. */
  readonly answer: Promise<Answer>
  /** Resolves when the connection is done with this request; after an abort that may be later than `answer`. */
  readonly ended: Promise<void>
  readonly #options: ExchangeOptions
  readonly #settle: { resolve: (answer: Answer) => void; reject: (error: unknown) => void; end: () => void }
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(options: ExchangeOptions) {
    this.#options = options
    const answer = Promise.withResolvers<Answer>()
    const ended = Promise.withResolvers<void>()
    this.answer = answer.promise
    this.ended = ended.promise
    this.#settle = { resolve: answer.resolve, reject: answer.reject, end: ended.resolve }
    options.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // What is thrown here ends in onResponseError, and undici writes nothing.
    this.#options.signal.throwIfAborted()
    if (this.#controller !== undefined) throw new Error('a request is sent only once')
    this.#options.beforeSend()
    this.#controller = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.#status = status
    this.#headers = headers
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#chunks.push(chunk)
    const { what, maxBodyBytes } = this.#options
    const isError = this.#status >= 300
    if (this.#bytes <= (isError ? maxErrorBytes : maxBodyBytes)) return
    if (isError) this.#settle.resolve(this.#take())
    // Aborting closes the connection: nothing more is read.
    controller.abort(new KubeError('TooLarge', `${what}: the answer is larger than ${maxBodyBytes} bytes`))
  }

  onResponseEnd(): void {
    this.#settle.resolve(this.#take())
    this.#end()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#settle.reject(error)
    this.#end()
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#options.signal as { reason: Error }
    this.#settle.reject(reason)
    this.#controller?.abort(reason)
  }

  #take(): Answer {
    const chunks = this.#chunks
    this.#chunks = []
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    return { status: this.#status, headers: this.#headers, body: bytes.toString('utf8') }
  }

  #end(): void {
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#chunks = []
    this.#settle.end()
  }
}

/** The beginning of a body, at most about `maxBytes`; what follows is not read. */
export async function readStart(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= maxBytes) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
