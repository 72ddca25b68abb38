import { keyOf, type KubeObject, type Ref, type ResourceType } from '../api/meta.ts'
import type { Clock } from './clock.ts'
import { typeIdOf, type Informers } from './informers.ts'
import { compareResourceVersions } from './resourceVersion.ts'

/** What a cache must show before a key may be reconciled again. */
interface Expectation {
  /** Newest resourceVersion written, by type id. */
  readonly writes: Map<string, string>
  /** Deleted objects, by type id and key: uid. */
  readonly deletes: Map<string, { readonly typeId: string; readonly ref: Ref; readonly uid: string }>
  /** After it we stop waiting: better a reconcile from an old view than none. */
  readonly deadline: number
}

export interface ConsistencyOptions {
  readonly informers: Informers
  readonly clock: Clock
  /** Wakes a key that waited and may now be fresh. */
  wake(key: string): void
}

/** Longer than a bookmark's period: an event that is still missing then will not come. */
const patienceMilliseconds = 90_000

/**
 * Read your own writes. What was written for a key is remembered until the cache has seen it; until then a reconcile of
 * the key would decide on a view in which its last writes have not happened, and would do them again.
 */
export class Consistency {
  readonly #options: ConsistencyOptions
  readonly #expected = new Map<string, Expectation>()
  /** Keys that asked and were not fresh. */
  readonly #waiting = new Set<string>()

  constructor(options: ConsistencyOptions) {
    this.#options = options
    for (const typeId of options.informers.typeIds) {
      options.informers.cacheOf(typeId)?.onSeen(() => this.#wakeFresh(typeId))
    }
  }

  /** Remembers that `object`, the server's answer to a write for `key`, must be seen. */
  wrote(key: string, type: ResourceType, object: KubeObject): void {
    const { informers } = this.#options
    const resourceVersion = object.metadata.resourceVersion
    if (resourceVersion === undefined || !informers.watches(type, object)) return
    const typeId = typeIdOf(type)
    const { writes } = this.#expectationOf(key)
    const expected = writes.get(typeId)
    if (compareResourceVersions(resourceVersion, expected) > 0) writes.set(typeId, resourceVersion)
  }

  /** Remembers that the object with this uid must be seen to be gone or on its way. */
  deleted(key: string, type: ResourceType, ref: Ref, uid: string): void {
    const typeId = typeIdOf(type)
    if (this.#options.informers.cacheOf(typeId) === undefined) return
    this.#expectationOf(key).deletes.set(`${typeId} ${keyOf(ref)}`, { typeId, ref, uid })
  }

  /** True when the caches show everything written for the key. If not, the key is woken once they do. */
  isFresh(key: string): boolean {
    const expectation = this.#expected.get(key)
    if (expectation === undefined) return true
    if (!this.#isMet(expectation) && this.#options.clock.now() < expectation.deadline) {
      if (!this.#waiting.has(key)) this.#wakeAtDeadline(key, expectation)
      this.#waiting.add(key)
      return false
    }
    this.#expected.delete(key)
    this.#waiting.delete(key)
    return true
  }

  #expectationOf(key: string): Expectation {
    const known = this.#expected.get(key)
    if (known !== undefined) return known
    const made = { writes: new Map(), deletes: new Map(), deadline: this.#options.clock.now() + patienceMilliseconds }
    this.#expected.set(key, made)
    return made
  }

  #isMet(expectation: Expectation): boolean {
    const { informers } = this.#options
    for (const [typeId, resourceVersion] of expectation.writes) {
      if (compareResourceVersions(informers.cacheOf(typeId)?.seenResourceVersion, resourceVersion) < 0) return false
    }
    for (const { typeId, ref, uid } of expectation.deletes.values()) {
      const held = informers.cacheOf(typeId)?.get(ref)
      if (held !== undefined && held.metadata.uid === uid && held.metadata.deletionTimestamp === undefined) return false
    }
    return true
  }

  /** Few keys wait at a time: as many as were changed again within the milliseconds their own event is on its way. */
  #wakeFresh(typeId: string): void {
    if (this.#waiting.size === 0) return
    for (const key of this.#waiting) {
      const expectation = this.#expected.get(key)
      if (expectation === undefined || (concerns(expectation, typeId) && this.#isMet(expectation))) {
        this.#waiting.delete(key)
        this.#options.wake(key)
      }
    }
  }

  #wakeAtDeadline(key: string, expectation: Expectation): void {
    this.#options.clock.after(expectation.deadline - this.#options.clock.now(), () => {
      if (this.#expected.get(key) === expectation && this.#waiting.delete(key)) this.#options.wake(key)
    })
  }
}

function concerns(expectation: Expectation, typeId: string): boolean {
  if (expectation.writes.has(typeId)) return true
  for (const { typeId: deleted } of expectation.deletes.values()) if (deleted === typeId) return true
  return false
}
