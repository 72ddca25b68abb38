import type { KubeObject, ResourceType } from '../api/meta.ts'
import type { KubeClient, WatchEvent } from './client.ts'
import { errorOfStatus, isKubeError, KubeError } from './errors.ts'

/** Time and chance, given from outside. */
export interface Timing {
  /** Milliseconds of a clock that never jumps. */
  now(): number
  /** 0 to 1. */
  random(): number
  /** Runs `run` once after a delay; the returned function cancels it. */
  after(milliseconds: number, run: () => void): () => void
}

/** Where the objects of a list + watch go. Called synchronously and in order; must not throw. */
export interface Sink {
  /** What is kept of an object as it arrives; called before everything else with it. */
  keep(object: KubeObject): KubeObject
  /** A complete list: whatever is not in `items` is gone. The first call means: synced. */
  replace(items: readonly KubeObject[], resourceVersion: string): void
  upsert(object: KubeObject): void
  remove(object: KubeObject): void
  /** Everything up to `resourceVersion` has been seen. */
  bookmark(resourceVersion: string): void
}

export interface ListWatchOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>
  readonly type: ResourceType
  readonly labelSelector?: string | undefined
  readonly metadataOnly?: boolean | undefined
  readonly sink: Sink
  readonly timing: Timing
  readonly pageSize?: number
  /** Told of each failure, with the delay before the next attempt. */
  onFailure?(error: KubeError, delayMilliseconds: number): void
}

/**
 * The states, and what leads from one to the other:
 *
 *     listing  --complete list--> watching       listing  --failure, 410 of a page--> waiting (then listing)
 *     watching --stream ended--> watching        watching --410--> waiting (then listing)
 *     watching --broken, silent--> waiting (then watching, from the last resourceVersion seen)
 */
export type ListWatchState =
  | { readonly kind: 'listing' }
  | { readonly kind: 'watching'; readonly resourceVersion: string }
  | { readonly kind: 'waiting'; readonly delayMilliseconds: number; readonly next: ListWatchState }
  | { readonly kind: 'stopped' }

const firstDelayMilliseconds = 200
const maxDelayMilliseconds = 30_000

/** The server sends a bookmark about every minute: a stream that is silent for longer than two is dead. */
const maxSilenceMilliseconds = 150_000

/** How long the server is asked to keep a stream open: drawn between one and two times this. */
const streamSeconds = 300

/** Longest time without a change of state or an event when all is well, or when the server is away: beyond it we hang. */
export const maxQuietMilliseconds = maxSilenceMilliseconds + maxDelayMilliseconds + 60_000

/** One type's list + watch. It ends only by its signal: every failure is met with a delay and another attempt. */
export class ListWatch {
  readonly #options: ListWatchOptions
  #state: ListWatchState = { kind: 'listing' }
  #failures = 0
  #progressAt: number
  #cancelSilence: (() => void) | undefined

  constructor(options: ListWatchOptions) {
    this.#options = options
    this.#progressAt = options.timing.now()
  }

  get state(): ListWatchState {
    return this.#state
  }

  /** When the state last changed or an event last came, in the timing's milliseconds. */
  get progressAt(): number {
    return this.#progressAt
  }

  /** Lists and watches until `signal` is aborted. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#state = await this.#step(this.#state, signal)
      this.#progressed()
    }
    this.#state = { kind: 'stopped' }
  }

  async #step(state: ListWatchState, signal: AbortSignal): Promise<ListWatchState> {
    switch (state.kind) {
      case 'listing':
        return this.#attempt(signal, state, () => this.#list(signal))
      case 'watching':
        return this.#attempt(signal, state, () => this.#watch(state.resourceVersion, signal))
      case 'waiting':
        await sleep(this.#options.timing, state.delayMilliseconds, signal)
        return state.next
      case 'stopped':
        break
    }
    return state
  }

  /** Runs one state's work; a failure leads to waiting, with a delay that doubles until an event or a list succeeds. */
  async #attempt(
    signal: AbortSignal,
    state: ListWatchState,
    work: () => Promise<ListWatchState>,
  ): Promise<ListWatchState> {
    try {
      return await work()
    } catch (thrown) {
      if (signal.aborted) return { kind: 'stopped' }
      const error = thrown instanceof KubeError ? thrown : new KubeError('Unknown', String(thrown), { cause: thrown })
      const delayMilliseconds = this.#nextDelay(error)
      this.#options.onFailure?.(error, delayMilliseconds)
      // The stream may have moved on since `state` was entered: #state holds the last resourceVersion seen.
      const next = mustList(error, state) ? ({ kind: 'listing' } as const) : this.#state
      return { kind: 'waiting', delayMilliseconds, next }
    }
  }

  async #list(signal: AbortSignal): Promise<ListWatchState> {
    const { client, type, labelSelector, metadataOnly, sink, pageSize = 500 } = this.#options
    const items: KubeObject[] = []
    let continueToken = ''
    let resourceVersion: string
    do {
      const page = await client.list(type, {
        limit: pageSize,
        continueToken,
        signal,
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(metadataOnly === undefined ? {} : { metadataOnly }),
      })
      for (const item of page.items) items.push(sink.keep(item))
      continueToken = page.continueToken
      resourceVersion = page.resourceVersion
      this.#progressed()
    } while (continueToken !== '')
    sink.replace(items, resourceVersion)
    this.#failures = 0
    return { kind: 'watching', resourceVersion }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<ListWatchState> {
    const { client, type, labelSelector, metadataOnly, timing } = this.#options
    const stream = new AbortController()
    this.#progressed()
    this.#watchSilence(stream, maxSilenceMilliseconds)
    const openedAt = timing.now()
    let events = 0
    try {
      const stoppable = AbortSignal.any([signal, stream.signal])
      const options = {
        resourceVersion,
        timeoutSeconds: Math.round(streamSeconds * (1 + timing.random())),
        signal: stoppable,
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(metadataOnly === undefined ? {} : { metadataOnly }),
      }
      for await (const event of client.watch(type, options)) {
        this.#take(event)
        events += 1
      }
    } catch (error) {
      if (stream.signal.aborted && !signal.aborted)
        throw new KubeError('Timeout', `watch ${type.plural}: silent`, { cause: error })
      throw error
    } finally {
      this.#cancelSilence?.()
    }
    // A server that ends each stream at once must not be asked again at once.
    if (events === 0 && timing.now() - openedAt < 1000 && !signal.aborted) {
      throw new KubeError('Unavailable', `watch ${type.plural}: the stream ended at once`)
    }
    return this.#state
  }

  #take(event: WatchEvent): void {
    const { sink, type } = this.#options
    if (event.type === 'ERROR') throw errorOfStatus(`watch ${type.plural}`, 0, event.object)
    const resourceVersion = event.object.metadata?.resourceVersion
    if (resourceVersion === undefined)
      throw new KubeError('Malformed', `watch ${type.plural}: an event has no resourceVersion`)
    if (event.type === 'BOOKMARK') sink.bookmark(resourceVersion)
    else if (event.type === 'DELETED') sink.remove(sink.keep(event.object))
    else if (event.type === 'ADDED' || event.type === 'MODIFIED') sink.upsert(sink.keep(event.object))
    // An event type we do not know still moves the resourceVersion on.
    this.#state = { kind: 'watching', resourceVersion }
    this.#failures = 0
    this.#progressed()
  }

  /** Aborts `stream` when nothing came for too long. One timer per window, not per event. */
  #watchSilence(stream: AbortController, milliseconds: number): void {
    const { timing } = this.#options
    this.#cancelSilence = timing.after(milliseconds, () => {
      const left = this.#progressAt + maxSilenceMilliseconds - timing.now()
      if (left <= 0) stream.abort()
      else this.#watchSilence(stream, left)
    })
  }

  #nextDelay(error: KubeError): number {
    const ceiling = Math.min(maxDelayMilliseconds, firstDelayMilliseconds * 2 ** this.#failures)
    this.#failures += 1
    const delay = ceiling * (0.5 + this.#options.timing.random() / 2)
    return Math.max(delay, Math.min((error.retryAfterSeconds ?? 0) * 1000, maxDelayMilliseconds))
  }

  #progressed(): void {
    this.#progressAt = this.#options.timing.now()
  }
}

/** Gone means that the server no longer knows our resourceVersion (or page): only a new list tells what was missed. */
function mustList(error: KubeError, state: ListWatchState): boolean {
  return state.kind === 'listing' || isKubeError(error, 'Gone', 'NotFound', 'BadRequest')
}

/** Resolves after the delay, or at once when the signal is aborted. */
function sleep(timing: Timing, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      signal.removeEventListener('abort', done)
      cancel()
      resolve()
    }
    const cancel = timing.after(milliseconds, done)
    signal.addEventListener('abort', done, { once: true })
  })
}
