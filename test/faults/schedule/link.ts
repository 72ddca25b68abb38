import { errorOfAnswer, KubeError } from '../../../operator/kube/errors.ts'
import type { Request, TransportStats, Wire } from '../../../operator/kube/wire.ts'
import { textOf } from '../double/json.ts'
import { routeOf } from '../double/routes.ts'
import type { Double, Question, StreamEvent, Watching } from '../double/server.ts'
import { gone, type Answer } from '../double/statuses.ts'
import type { Schedule } from './schedule.ts'
import { Stream } from './stream.ts'

/** What becomes of a request. Times are milliseconds. */
export interface Fate {
  /** Until it is at the server. */
  readonly there: number
  /** From the server's answer until it is back. */
  readonly back: number
  /** Answered by this, without being done. */
  readonly refused?: Answer
  /** Answered by a list as it was at this resourceVersion. */
  readonly listAt?: number
  /** The answer as it arrives. */
  readonly tampered?: (answer: Answer) => Answer
  /** The connection breaks: before the server has it, or after it was done. */
  readonly lost?: 'before' | 'after'
  /** The server gets it once more, as from a proxy that tries again; which of its two answers comes back. */
  readonly twice?: 'first' | 'second'
}

/** What becomes of a watch event. */
export interface EventFate {
  readonly delay: number
  readonly dropped?: boolean
  readonly twice?: boolean
}

/** The network between an operator and the server. */
export interface Network {
  fateOf(question: Question): Fate
  eventFateOf(plural: string, event: StreamEvent): EventFate
}

export interface LinkOptions {
  readonly schedule: Schedule
  readonly double: Double
  readonly network: Network
  /** Asked when a write is at the server's door; may kill the operator before or after it is done. */
  readonly onWrite: (question: Question) => 'before' | 'after' | undefined
  /** Told of every request for one object. */
  readonly onCall: () => void
}

const bookmarkMilliseconds = 60_000
/** As the Transport's. */
const callTimeoutMilliseconds = 30_000

/** One operator's connections to the double: a Wire of which each answer and event comes when the schedule says. */
export class Link implements Wire {
  readonly #options: LinkOptions
  readonly #streams = new Set<OpenStream>()
  /** Also ends what listens to signals: one that others depend on lives, with all that listens, until it is aborted. */
  readonly #death = new AbortController()
  /** Requests on their way or at work, watches not counted. */
  #underWay = 0
  stats: TransportStats = { requests: 0, watches: 0, callConnections: 1, watchConnections: 1 }

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get isDead(): boolean {
    return this.#death.signal.aborted
  }

  get underWay(): number {
    return this.#underWay
  }

  /** The process is gone: it neither hears nor says anything any more. */
  kill(): void {
    this.#death.abort()
    for (const stream of this.#streams) stream.watching?.close()
    this.#streams.clear()
  }

  call(request: Request): Promise<unknown> {
    const { schedule, network } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const { what, signal } = request
    const question = questionOf(request)
    const fate = network.fateOf(question)
    this.#underWay += 1
    let isOver = false
    const onAbort = (): void => end(() => reject(new KubeError('Aborted', `${what}: aborted`)))
    const end = (act: () => void): void => {
      if (isOver || this.isDead) return
      isOver = true
      cancelTimeout()
      signal?.removeEventListener('abort', onAbort)
      this.#underWay -= 1
      act()
    }
    const cancelTimeout = schedule.after(
      callTimeoutMilliseconds,
      () => end(() => reject(new KubeError('Timeout', `${what}: no answer in time`))),
      true,
    )
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const answered = (answer: Answer | undefined): void => {
      const back = (): void =>
        end(() => {
          if (answer === undefined) reject(new KubeError('Unavailable', `${what}: the connection broke`))
          else if (answer.status < 300) resolve(JSON.parse(textOf(answer.body)))
          else reject(errorOfAnswer(what, answer.status, answer.retryAfter?.toString(), textOf(answer.body)))
        })
      schedule.after(fate.back, back, true)
    }
    schedule.after(fate.there, () => this.#arrive(question, fate, answered))
    return promise
  }

  stream(request: Request & { readonly signal: AbortSignal }): AsyncIterable<Buffer> {
    const { schedule, network } = this.#options
    const { signal: death } = this.#death
    const question = questionOf(request)
    const stream = new Stream(request.what, request.signal, death)
    if (this.isDead) return stream
    const fate = network.fateOf(question)
    const plural = routeOf(request.path)?.served.type.plural ?? ''
    const open: OpenStream = { plural, stream, watching: undefined, lastAt: 0 }
    this.#streams.add(open)
    request.signal.addEventListener('abort', () => this.#close(open), { once: true, signal: death })
    schedule.after(fate.there + fate.back, () => this.#open(open, question, fate), true)
    return stream
  }

  close(): Promise<void> {
    for (const open of this.#streams) this.#close(open)
    return Promise.resolve()
  }

  /** Ends the watches of a type, or all: at once, as a connection that breaks, or by an ERROR event that says 410. How many there were. */
  cut(plural: string | undefined, how: 'end' | 'break' | 'gone'): number {
    let count = 0
    for (const open of this.#streams) {
      if (plural !== undefined && open.plural !== plural) continue
      count += 1
      this.#close(open)
      if (how === 'break') open.stream.fail(new KubeError('Unavailable', `watch ${open.plural}: the connection broke`))
      if (how === 'gone') open.stream.push(lineOf({ type: 'ERROR', object: gone().body }))
      open.stream.end()
    }
    return count
  }

  #arrive(question: Question, fate: Fate, answered: (answer: Answer | undefined) => void): void {
    const { double, onWrite, onCall } = this.#options
    if (this.isDead) return
    if (question.method !== 'GET' || routeOf(question.path)?.name !== '') onCall()
    if (fate.lost === 'before') return answered(undefined)
    if (fate.refused !== undefined) return answered(fate.refused)
    const crash = question.method === 'GET' ? undefined : onWrite(question)
    if (crash === 'before') return this.kill()
    const first = fate.listAt === undefined ? double.handle(question, 'operator') : double.listAt(question, fate.listAt)
    const second = fate.twice === undefined ? undefined : double.handle(question, 'operator')
    if (crash === 'after') return this.kill()
    const answer = fate.twice === 'second' ? second! : first
    answered(fate.lost === 'after' ? undefined : (fate.tampered?.(answer) ?? answer))
  }

  #open(open: OpenStream, question: Question, fate: Fate): void {
    const { double, schedule } = this.#options
    if (this.isDead || !this.#streams.has(open)) return
    const refused = fate.lost === undefined ? fate.refused : lostConnection
    const watching =
      refused ??
      double.watch(
        question,
        (event) => this.#deliver(open, event),
        () => this.#later(open, () => this.#end(open)),
      )
    if ('status' in watching) {
      this.#streams.delete(open)
      const { status, body, retryAfter } = watching
      open.stream.fail(errorOfAnswer(`watch ${open.plural}`, status, retryAfter?.toString(), textOf(body)))
      return
    }
    open.watching = watching
    const timeout = Number(routeOf(question.path)?.query.get('timeoutSeconds') ?? 300)
    schedule.after(timeout * 1000, () => this.#end(open), true)
    this.#bookmarkLater(open)
  }

  #deliver(open: OpenStream, event: StreamEvent): void {
    const { network } = this.#options
    const fate = network.eventFateOf(open.plural, event)
    if (fate.dropped === true) return
    const line = lineOf(event)
    this.#later(open, () => open.stream.push(line), fate.delay)
    if (fate.twice === true) this.#later(open, () => open.stream.push(line), fate.delay)
  }

  /** In the order of the stream. */
  #later(open: OpenStream, run: () => void, delay = 0): void {
    const { schedule } = this.#options
    open.lastAt = Math.max(open.lastAt, schedule.time + delay)
    const guarded = (): void => {
      if (!this.isDead && this.#streams.has(open)) run()
    }
    schedule.after(open.lastAt - schedule.time, guarded, true)
  }

  #bookmarkLater(open: OpenStream): void {
    this.#options.schedule.after(bookmarkMilliseconds, () => {
      if (this.isDead || !this.#streams.has(open) || open.watching === undefined) return
      const line = lineOf(open.watching.bookmark())
      this.#later(open, () => open.stream.push(line))
      this.#bookmarkLater(open)
    })
  }

  #end(open: OpenStream): void {
    if (this.isDead || !this.#streams.has(open)) return
    this.#close(open)
    open.stream.end()
  }

  #close(open: OpenStream): void {
    open.watching?.close()
    this.#streams.delete(open)
  }
}

interface OpenStream {
  readonly plural: string
  readonly stream: Stream
  watching: Watching | undefined
  /** When its last event is due. */
  lastAt: number
}

const lostConnection: Answer = { status: 503, body: { message: 'the connection broke' } }

function questionOf({ method, path, body, contentType, accept }: Request): Question {
  return {
    method,
    path,
    ...(body === undefined ? {} : { body: JSON.parse(body) as unknown }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(accept === undefined ? {} : { accept }),
  }
}

function lineOf({ type, object }: StreamEvent): Buffer {
  return Buffer.from(`{"type":"${type}","object":${textOf(object)}}\n`)
}
