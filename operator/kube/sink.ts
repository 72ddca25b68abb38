import type { KubeObject } from '../api/meta.ts'
import type { Doubt } from './backoff.ts'
import type { WatchEvent } from './client.ts'
import { errorOfStatus, KubeError } from './errors.ts'

/** Where the objects of a list + watch go. Called synchronously and in order. What it throws costs the object it is about. */
export interface Sink {
  /** All that was written up to this resourceVersion has been seen; '' before the first list. Goes back only by `replace`. */
  readonly seenResourceVersion: string
  /** What is kept of an object as it arrives; called before everything else with it. */
  keep(object: KubeObject): KubeObject
  /** What makes this complete list hard to believe, given what is held; nothing does of the first. */
  doubtsOf(items: readonly KubeObject[], resourceVersion: string): readonly Doubt[]
  /** A complete list: whatever is not in `items` is gone. The first call means: synced. */
  replace(items: readonly KubeObject[], resourceVersion: string): void
  /** Ignores what is not newer than what was seen; otherwise it is seen from now on. */
  upsert(object: KubeObject): void
  /** Like `upsert`. */
  remove(object: KubeObject): void
  /** Everything up to `resourceVersion` has been seen. */
  bookmark(resourceVersion: string): void
}

/** Why something that came was passed over: a type of event we do not know, an object without a name, one the sink refused. */
export type Skipped = 'unknownType' | 'noName' | 'refused'

/** Hands to a sink what comes from the server, and passes over what cannot be handed on: it costs only itself. */
export class Intake {
  readonly #sink: Sink
  readonly #onSkipped: (why: Skipped, error?: unknown) => void

  constructor(sink: Sink, onSkipped: (why: Skipped, error?: unknown) => void) {
    this.#sink = sink
    this.#onSkipped = onSkipped
  }

  /** What the sink keeps of a list's items. */
  keep(items: readonly KubeObject[]): readonly KubeObject[] {
    const kept: KubeObject[] = []
    for (const item of items) {
      if (hasName(item)) this.#guard(() => kept.push(this.#sink.keep(item)))
      else this.#onSkipped('noName')
    }
    return kept
  }

  /**
   * Hands on an event, and moves what was seen on also when it was passed over. Returns whether it was news. Throws the
   * error that the event is, Malformed when nobody can go on after it, Gone when the server's data is not what we saw.
   */
  take(what: string, event: WatchEvent): boolean {
    if (event.type === 'ERROR') throw errorOfStatus(what, 0, event.object)
    const resourceVersion = event.object.metadata?.resourceVersion ?? ''
    if (resourceVersion === '') throw new KubeError('Malformed', `${what}: an event has no resourceVersion`)
    const before = this.#sink.seenResourceVersion
    if (event.type !== 'BOOKMARK') this.#hand(event)
    this.#sink.bookmark(resourceVersion)
    // It says that nothing newer has happened.
    if (event.type === 'BOOKMARK' && this.#sink.seenResourceVersion !== resourceVersion)
      throw new KubeError('Gone', `${what}: a bookmark is older than what was seen`)
    return this.#sink.seenResourceVersion !== before
  }

  #hand(event: WatchEvent): void {
    if (!isChange(event)) return this.#onSkipped('unknownType')
    if (!hasName(event.object)) return this.#onSkipped('noName')
    this.#guard(() => {
      const kept = this.#sink.keep(event.object)
      if (event.type === 'DELETED') this.#sink.remove(kept)
      else this.#sink.upsert(kept)
    })
  }

  #guard(give: () => void): void {
    try {
      give()
    } catch (error) {
      this.#onSkipped('refused', error)
    }
  }
}

function isChange({ type }: WatchEvent): boolean {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED'
}

function hasName(object: KubeObject): boolean {
  return typeof object?.metadata?.name === 'string' && object.metadata.name !== ''
}
