import type { KubeObject, ResourceType } from '../api/meta.ts'
import { Backoff, Doubts, maxWaitMilliseconds, type Doubt } from './backoff.ts'
import type { KubeClient, WatchEvent } from './client.ts'
import { isKubeError, KubeError } from './errors.ts'
import { Intake, type Sink, type Skipped } from './sink.ts'
import { Slots } from './slots.ts'
import { sleep, type Timing } from './timing.ts'

export interface ListWatchOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>
  readonly type: ResourceType
  readonly labelSelector?: string | undefined
  readonly metadataOnly?: boolean | undefined
  readonly sink: Sink
  readonly timing: Timing
  readonly pageSize?: number
  /** Who may read a page: shared by all types of a cluster, so that they do not list all at once. */
  readonly slots?: Slots
  /** After this long without a byte a stream is dead. Default: two bookmarks and a half. */
  readonly maxSilenceMilliseconds?: number
  /** `relist` lists at most once in this time. */
  readonly minRelistMilliseconds?: number
  /** Told of each failure, with the delay before the next attempt. */
  onFailure?(error: KubeError, delayMilliseconds: number): void
  /** Told of a list that is read again before it is believed. */
  onDoubt?(doubts: readonly Doubt[], delayMilliseconds: number): void
  /** Told of what was passed over. */
  onSkipped?(why: Skipped, error?: unknown): void
}

/**
 * The states, and what leads from one to the other:
 *
 *     listing  --complete list--> watching       listing  --failure, 410 of a page, doubt--> waiting (then listing)
 *     watching --stream ended--> watching        watching --410, nothing but broken lines or silence--> waiting (then listing)
 *     watching --relist()--> listing             watching --broken, silent--> waiting (then watching, from where it was)
 */
export type ListWatchState =
  | { readonly kind: 'listing' }
  | { readonly kind: 'watching'; readonly resourceVersion: string }
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

/** The server sends a bookmark about every minute: a stream that is silent for longer than two is dead. */
const maxSilenceMilliseconds = 150_000

/** How long the server is asked to keep a stream open: drawn between one and two times this. */
const streamSeconds = 300

const minRelistMilliseconds = 30_000

/** A stream that lasted this long was a good one: what ends it then does not count as another failure in a row. */
const goodStreamMilliseconds = 10_000

/** So many streams in a row that brought nothing but a broken line or silence: only a list leads past what is in the way. */
const stuckStreams = 3

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
  /** Streams in a row that brought nothing new and were broken or silent. */
  #stuck = 0
  #mustList = false
  #isInLine = false
  #cancelRelist: (() => void) | undefined
  #cancelSilence: (() => void) | undefined
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
      this.#state = await this.#step(this.#state, signal)
      this.#progressed()
    }
    this.#state = { kind: 'stopped' }
    this.#cancelRelist?.()
  }

  async #step(state: ListWatchState, signal: AbortSignal): Promise<ListWatchState> {
    switch (state.kind) {
      case 'listing':
        return this.#attempt(signal, () => this.#list(signal))
      case 'watching':
        if (this.#mustList) return { kind: 'listing' }
        return this.#attempt(signal, () => this.#watch(state.resourceVersion, signal))
      case 'waiting':
        await sleep(this.#options.timing, state.delayMilliseconds, signal)
        return state.next
      case 'stopped':
        break
    }
    return state
  }

  /** Runs one state's work; a failure leads to waiting, with a delay that doubles with each failure in a row. */
  async #attempt(signal: AbortSignal, work: () => Promise<ListWatchState>): Promise<ListWatchState> {
    try {
      return await work()
    } catch (thrown) {
      if (signal.aborted) return { kind: 'stopped' }
      const error = thrown instanceof KubeError ? thrown : new KubeError('Unknown', String(thrown), { cause: thrown })
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
  }

  /** Gone means that the server no longer knows our resourceVersion: only a new list tells what was missed. */
  #leadsToList(error: KubeError): boolean {
    if (isKubeError(error, 'Malformed', 'TooLarge')) this.#stuck += 1
    return this.#stuck >= stuckStreams || isKubeError(error, 'Gone', 'NotFound', 'BadRequest')
  }

  async #list(signal: AbortSignal): Promise<ListWatchState> {
    const { sink, timing } = this.#options
    this.#mustList = false
    this.#stuck = 0
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

  async #readPages(signal: AbortSignal): Promise<{ items: KubeObject[]; resourceVersion: string }> {
    const { client, type, labelSelector, metadataOnly, pageSize = 500 } = this.#options
    const items: KubeObject[] = []
    let continueToken = ''
    let resourceVersion: string | undefined
    do {
      const options = {
        limit: pageSize,
        continueToken,
        signal,
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(metadataOnly === undefined ? {} : { metadataOnly }),
      }
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

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<ListWatchState> {
    const { client, type, labelSelector, metadataOnly, timing, sink } = this.#options
    const stream = new AbortController()
    this.#progressed()
    this.#cut = () => stream.abort()
    this.#watchSilence()
    const openedAt = timing.now()
    const lasted = (): number => timing.now() - openedAt
    this.#counts.streams += 1
    try {
      const stoppable = AbortSignal.any([signal, stream.signal])
      const options = {
        resourceVersion,
        timeoutSeconds: Math.round(streamSeconds * (1 + timing.random())),
        signal: stoppable,
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(metadataOnly === undefined ? {} : { metadataOnly }),
      }
      for await (const event of client.watch(type, options)) this.#take(event)
    } catch (error) {
      if (lasted() >= goodStreamMilliseconds) this.#streamBackoff.reset()
      if (!stream.signal.aborted || signal.aborted) throw error
      if (this.#mustList) return { kind: 'listing' }
      this.#stuck += 1
      throw new KubeError('Timeout', `watch ${type.plural}: silent`, { cause: error })
    } finally {
      this.#cancelSilence?.()
      this.#cut = undefined
    }
    // A server that ends each stream at once must not be asked again at once.
    if (sink.seenResourceVersion === resourceVersion && lasted() < 1000 && !signal.aborted) {
      throw new KubeError('Unavailable', `watch ${type.plural}: the stream ended at once`)
    }
    return this.#state
  }

  #take(event: WatchEvent): void {
    const isNews = this.#intake.take(`watch ${this.#options.type.plural}`, event)
    this.#state = { kind: 'watching', resourceVersion: this.#options.sink.seenResourceVersion }
    this.#counts.events += 1
    this.#progressed()
    // What was seen before, sent again, is no sign that the stream works.
    if (!isNews) return
    this.#streamBackoff.reset()
    this.#stuck = 0
    this.#lastError = undefined
  }

  /** Cuts the stream when nothing came for too long. One timer per window, not per event. */
  #watchSilence(milliseconds = this.#options.maxSilenceMilliseconds ?? maxSilenceMilliseconds): void {
    const { timing, maxSilenceMilliseconds: limit = maxSilenceMilliseconds } = this.#options
    this.#cancelSilence = timing.after(milliseconds, () => {
      const left = this.#progressAt + limit - timing.now()
      if (left <= 0) this.#cut?.()
      else this.#watchSilence(left)
    })
  }

  #progressed(): void {
    this.#progressAt = this.#options.timing.now()
  }
}
