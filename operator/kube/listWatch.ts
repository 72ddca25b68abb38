import type { KubeObject, ResourceType } from '../api/meta.ts'
import { Backoff, Doubts, maxWaitMilliseconds, type Doubt } from './backoff.ts'
import type { KubeClient, WatchEvent } from './client.ts'
import { isKubeError, KubeError } from './errors.ts'
import { Intake, type Sink, type Skipped } from './sink.ts'
import { Slots } from './slots.ts'
import { sleep, type Timing } from './timing.ts'
import { readStream } from './watchStream.ts'

export interface ListWatchOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>
  readonly type: ResourceType
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Only the metadata of the objects (PartialObjectMetadata). */
  readonly metadataOnly?: boolean | undefined
  readonly sink: Sink
  readonly timing: Timing
  /** Objects of a page. Default: 500. */
  readonly pageSize?: number
  /** Who may read a page: shared by all types of a cluster, so that they do not list all at once. Default: no others. */
  readonly slots?: Slots
  /** After this long without an event a stream is dead. Default: 150,000, two bookmarks and a half. */
  readonly maxSilenceMilliseconds?: number
  /** `relist` lists at most once in this time. Default: 30,000. */
  readonly minRelistMilliseconds?: number
  /** Told of each failure, with the delay before the next attempt. */
  onFailure?(error: KubeError, delayMilliseconds: number): void
  /** Told of a list that is read again before it is believed. */
  onDoubt?(doubts: readonly Doubt[], delayMilliseconds: number): void
  /** Told of what was passed over. */
  onSkipped?(why: Skipped, error?: unknown): void
}

/** The states of a list + watch, as docs/engine.md draws them. */
export type ListWatchState =
  /** Reads all pages. A complete list that is believed leads to watching; a failure, an expired page, doubt to waiting. */
  | { readonly kind: 'listing' }
  /**
   * Reads a stream. Its end leads to watching from where it was; relist() to listing; a stream that is broken, silent or
   * too old (410) to waiting.
   */
  | { readonly kind: 'watching'; readonly resourceVersion: string }
  /** Until it is time for `next`: listing after a list, after 410 and after streams with nothing but trouble; else watching. */
  | { readonly kind: 'waiting'; readonly delayMilliseconds: number; readonly next: ListWatchState }
  | { readonly kind: 'stopped' }

/** Counts since the start. */
export interface ListWatchCounts {
  readonly lists: number
  readonly streams: number
  readonly events: number
  readonly skipped: number
  readonly failures: number
  /** Lists that were not believed and read again. */
  readonly doubts: number
}

/** The server sends a bookmark about every minute: a stream that is silent for two and a half is dead. */
const maxSilenceMilliseconds = 150_000

/** How long the server is asked to keep a stream open: drawn between one and two times this. */
const streamSeconds = 300

const minRelistMilliseconds = 30_000

/** A stream that lasted this long was a good one: what ends it then does not count as another failure in a row. */
const goodStreamMilliseconds = 10_000

/** So many streams in a row that brought nothing but trouble: only a list leads past what is in the way. */
const maxTroubledStreams = 3

/** Longest time without a change of state or an event when all is well, or when the server is away: beyond it we hang. */
export const maxQuietMilliseconds = Math.max(maxSilenceMilliseconds, maxWaitMilliseconds) + 60_000

/** One type's list + watch. It ends only by its signal: every failure is met with a delay and another attempt. */
export class ListWatch {
  readonly #options: ListWatchOptions
  readonly #slots: Slots
  /** Of lists and of streams apart: a list that works says nothing about the stream after it. */
  readonly #listBackoff: Backoff
  readonly #streamBackoff: Backoff
  readonly #doubts: Doubts
  readonly #intake: Intake
  readonly #counts = { lists: 0, streams: 0, events: 0, skipped: 0, failures: 0, doubts: 0 }
  #state: ListWatchState = { kind: 'listing' }
  #progressAt: number
  #listedAt = Number.NEGATIVE_INFINITY
  #lastError: KubeError | undefined
  /** Streams in a row that brought nothing new before a broken line or silence. */
  #troubledStreams = 0
  #mustList = false
  #isInLine = false
  #cancelRelist: (() => void) | undefined
  /** Ends the stream that is read. */
  #cut: (() => void) | undefined

  constructor(options: ListWatchOptions) {
    this.#options = options
    this.#slots = options.slots ?? new Slots(1)
    this.#listBackoff = new Backoff(options.timing)
    this.#streamBackoff = new Backoff(options.timing)
    this.#doubts = new Doubts(options.timing)
    this.#intake = new Intake(options.sink, (why, error) => {
      this.#counts.skipped += 1
      options.onSkipped?.(why, error)
    })
    this.#progressAt = options.timing.now()
  }

  /** Where it is; while watching, with the last resourceVersion seen. */
  get state(): ListWatchState {
    return this.#state
  }

  get counts(): ListWatchCounts {
    return this.#counts
  }

  /** When the state last changed or an event last came, in the timing's milliseconds. */
  get progressAt(): number {
    return this.#progressAt
  }

  /** True while other types list first: one that waits does not hang. */
  get isInLine(): boolean {
    return this.#isInLine
  }

  /** What went wrong last; undefined once a list or an event has come since. */
  get lastError(): KubeError | undefined {
    return this.#lastError
  }

  /** Asks for a new list: soon, but at most once in `minRelistMilliseconds`. Objects and watchers stay; what differs is told. */
  relist(): void {
    const { timing, minRelistMilliseconds: pause = minRelistMilliseconds } = this.#options
    if (this.#cancelRelist !== undefined || this.#state.kind === 'stopped') return
    this.#cancelRelist = timing.after(Math.max(0, this.#listedAt + pause - timing.now()), () => {
      this.#cancelRelist = undefined
      this.#mustList = true
      this.#cut?.()
    })
  }

  /** Lists and watches until `signal` is aborted. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#state = await this.#next(this.#state, signal)
      this.#progressed()
    }
    this.#state = { kind: 'stopped' }
    this.#cancelRelist?.()
  }

  /** Does what there is to do in a state; resolves to the one that this leads to. */
  async #next(state: ListWatchState, signal: AbortSignal): Promise<ListWatchState> {
    try {
      switch (state.kind) {
        case 'listing':
          return await this.#list(signal)
        case 'watching':
          return this.#mustList ? { kind: 'listing' } : await this.#watch(state.resourceVersion, signal)
        case 'waiting':
          await sleep(this.#options.timing, state.delayMilliseconds, signal)
          return state.next
        case 'stopped':
          return state
      }
    } catch (thrown) {
      if (signal.aborted) return { kind: 'stopped' }
      return this.#waitAfter(asKubeError(thrown))
    }
  }

  async #list(signal: AbortSignal): Promise<ListWatchState> {
    const { sink, timing } = this.#options
    this.#mustList = false
    this.#troubledStreams = 0
    this.#listedAt = timing.now()
    const { items, resourceVersion } = await this.#readPages(signal)
    this.#counts.lists += 1
    const doubts = sink.doubtsOf(items, resourceVersion)
    const delayMilliseconds = this.#doubts.delayOf(doubts)
    if (delayMilliseconds !== undefined) {
      this.#counts.doubts += 1
      this.#options.onDoubt?.(doubts, delayMilliseconds)
      return { kind: 'waiting', delayMilliseconds, next: { kind: 'listing' } }
    }
    sink.replace(items, resourceVersion)
    this.#listBackoff.reset()
    this.#lastError = undefined
    return { kind: 'watching', resourceVersion }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<ListWatchState> {
    const { timing, sink } = this.#options
    const relisting = new AbortController()
    this.#cut = () => relisting.abort()
    this.#counts.streams += 1
    const openedAt = timing.now()
    const lasted = (): number => timing.now() - openedAt
    try {
      await this.#readStream(resourceVersion, [signal, relisting.signal])
    } catch (error) {
      if (lasted() >= goodStreamMilliseconds) this.#streamBackoff.reset()
      if (relisting.signal.aborted && !signal.aborted) return { kind: 'listing' }
      throw error
    } finally {
      this.#cut = undefined
    }
    // A server that ends each stream at once must not be asked again at once.
    if (sink.seenResourceVersion === resourceVersion && lasted() < 1000 && !signal.aborted) {
      throw new KubeError('Unavailable', `watch ${this.#options.type.plural}: the stream ended at once`)
    }
    return this.#state
  }

  /** The delay doubles with each failure in a row. */
  #waitAfter(error: KubeError): ListWatchState {
    const isListing = this.#state.kind === 'listing'
    const backoff = isListing ? this.#listBackoff : this.#streamBackoff
    const delayMilliseconds = backoff.nextDelay(error.retryAfterSeconds)
    this.#lastError = error
    this.#counts.failures += 1
    this.#options.onFailure?.(error, delayMilliseconds)
    // The stream may have moved on since it was opened: #state holds the last resourceVersion seen.
    const next = isListing || this.#leadsToList(error) ? ({ kind: 'listing' } as const) : this.#state
    return { kind: 'waiting', delayMilliseconds, next }
  }

  /** Gone means that the server no longer knows our resourceVersion: only a new list tells what was missed. */
  #leadsToList(error: KubeError): boolean {
    if (isKubeError(error, 'Malformed', 'TooLarge')) this.#troubledStreams += 1
    return this.#troubledStreams >= maxTroubledStreams || isKubeError(error, 'Gone', 'NotFound', 'BadRequest')
  }

  async #readPages(signal: AbortSignal): Promise<{ items: KubeObject[]; resourceVersion: string }> {
    const { client, type, labelSelector, fieldSelector, metadataOnly, pageSize: limit = 500 } = this.#options
    const items: KubeObject[] = []
    let continueToken = ''
    let resourceVersion: string | undefined
    do {
      const options = { labelSelector, fieldSelector, metadataOnly, limit, continueToken, signal }
      const page = await this.#inTurn(signal, () => client.list(type, options))
      for (const item of this.#intake.keep(page.items)) items.push(item)
      continueToken = page.continueToken
      // All pages are of the moment of the first. Should a server not keep to that, its events since then are told anew.
      resourceVersion ??= page.resourceVersion
      this.#progressed()
    } while (continueToken !== '')
    return { items, resourceVersion }
  }

  async #inTurn<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    this.#isInLine = true
    const giveBack = await this.#slots.take(signal).finally(() => (this.#isInLine = false))
    this.#progressed()
    try {
      return await work()
    } finally {
      giveBack()
    }
  }

  /** Rejects with Timeout for a stream that went silent, and as readStream does. */
  async #readStream(resourceVersion: string, signals: readonly AbortSignal[]): Promise<void> {
    const { labelSelector, fieldSelector, metadataOnly, ...options } = this.#options
    const timeoutSeconds = Math.round(streamSeconds * (1 + options.timing.random()))
    const watch = { labelSelector, fieldSelector, metadataOnly, resourceVersion, timeoutSeconds }
    const end = await readStream({ maxSilenceMilliseconds, ...options, watch, signals }, (event) => this.#take(event))
    if (end === 'ended') return
    this.#troubledStreams += 1
    throw new KubeError('Timeout', `watch ${options.type.plural}: silent`)
  }

  #take(event: WatchEvent): void {
    const isNews = this.#intake.take(`watch ${this.#options.type.plural}`, event)
    this.#state = { kind: 'watching', resourceVersion: this.#options.sink.seenResourceVersion }
    this.#counts.events += 1
    this.#progressed()
    // What was seen before, sent again, is no sign that the stream works.
    if (!isNews) return
    this.#streamBackoff.reset()
    this.#troubledStreams = 0
    this.#lastError = undefined
  }

  #progressed(): void {
    this.#progressAt = this.#options.timing.now()
  }
}

function asKubeError(thrown: unknown): KubeError {
  return thrown instanceof KubeError ? thrown : new KubeError('Unknown', String(thrown), { cause: thrown })
}
