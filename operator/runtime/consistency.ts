import type { KubeObject, Ref, ResourceType } from '../api/meta.ts'
import type { TypeCache } from './cache.ts'
import type { Clock } from './clock.ts'
import { typeIdOf, type Informers } from './informers.ts'
import { compareResourceVersions } from './resourceVersion.ts'

/** What caches must show before a key may be reconciled again. */
interface Expectation {
  /** Newest resourceVersion written, by the cache that will see it. */
  readonly writes: Map<TypeCache, { readonly resourceVersion: string; readonly era: number }>
  /** Deleted objects, by uid. */
  readonly deletes: Map<string, { readonly cache: TypeCache; readonly ref: Ref }>
}

export interface ConsistencyOptions {
  /** Of every cluster that is written to. */
  readonly informers: readonly Informers[]
  readonly clock: Clock
  /** Wakes a key that waited and may now be fresh. */
  wake(key: string): void
}

/** Longer than a bookmark's period: an event that is still missing then will not come. */
const patienceMilliseconds = 90_000

/**
 * Read your own writes. What was written for a key is remembered until the caches have seen it; until then a reconcile
 * of the key would decide on a view in which its last writes have not happened, and would do them again. An event that
 * does not come is not waited for in vain: the type is listed anew.
 */
export class Consistency {
  readonly #options: ConsistencyOptions
  readonly #expected = new Map<string, Expectation>()
  readonly #unsubscribes: (() => void)[] = []
  /** Keys that asked and were not fresh, with what ends their timer. */
  readonly #waiting = new Map<string, () => void>()

  constructor(options: ConsistencyOptions) {
    this.#options = options
    for (const informers of new Set(options.informers)) {
      for (const typeId of informers.typeIds) {
        const cache = informers.cacheOf(typeId)
        if (cache !== undefined) this.#unsubscribes.push(cache.onSeen(() => this.#wakeFresh(cache)))
      }
    }
  }

  /** Remembers that `object`, the server's answer to a write for `key`, must be seen in the caches of that cluster. */
  wrote(
    key: string,
    informers: Informers,
    { type, object }: { readonly type: ResourceType; readonly object: KubeObject },
  ): void {
    const resourceVersion = object.metadata.resourceVersion
    const cache = informers.cacheOf(typeIdOf(type))
    if (cache === undefined || resourceVersion === undefined || !informers.watches(type, object)) return
    const { writes } = this.#expectationOf(key)
    if (compareResourceVersions(resourceVersion, writes.get(cache)?.resourceVersion) > 0) {
      writes.set(cache, { resourceVersion, era: cache.era })
    }
  }

  /** Remembers that the object with this uid must be seen to be gone or on its way. */
  deleted(
    key: string,
    informers: Informers,
    { type, ref, uid }: { readonly type: ResourceType; readonly ref: Ref; readonly uid: string },
  ): void {
    const cache = informers.cacheOf(typeIdOf(type))
    if (cache !== undefined) this.#expectationOf(key).deletes.set(uid, { cache, ref })
  }

  /** True when the caches show everything written for the key. If not, the key is woken once they do. */
  isFresh(key: string): boolean {
    const expectation = this.#expected.get(key)
    if (expectation === undefined) return true
    if (missing(expectation).size > 0) {
      if (!this.#waiting.has(key)) this.#wait(key)
      return false
    }
    this.#expected.delete(key)
    this.#stopWaiting(key)
    return true
  }

  /** The key's object is gone: nothing is written for it any more. */
  forget(key: string): void {
    this.#expected.delete(key)
    this.#stopWaiting(key)
  }

  /** No timer is left, and nobody is listened to. */
  stop(): void {
    for (const unsubscribe of this.#unsubscribes.splice(0)) unsubscribe()
    for (const key of this.#waiting.keys()) this.#stopWaiting(key)
  }

  #expectationOf(key: string): Expectation {
    const known = this.#expected.get(key)
    if (known !== undefined) return known
    const made = { writes: new Map(), deletes: new Map() }
    this.#expected.set(key, made)
    return made
  }

  /** Few keys wait at a time: as many as were changed again within the milliseconds their own event is on its way. */
  #wakeFresh(seen: TypeCache): void {
    for (const key of this.#waiting.keys()) {
      const expectation = this.#expected.get(key)
      if (expectation === undefined || (concerns(expectation, seen) && missing(expectation).size === 0)) {
        this.#stopWaiting(key)
        this.#options.wake(key)
      }
    }
  }

  /** Has the missing types listed anew each time patience runs out, until they show the writes. */
  #wait(key: string): void {
    const cancel = this.#options.clock.after(patienceMilliseconds, () => {
      for (const cache of missing(this.#expectationOf(key))) this.#relist(cache)
      this.#wait(key)
    })
    this.#waiting.set(key, cancel)
  }

  #relist(cache: TypeCache): void {
    for (const informers of this.#options.informers) informers.relist(cache)
  }

  #stopWaiting(key: string): void {
    this.#waiting.get(key)?.()
    this.#waiting.delete(key)
  }
}

/** The caches that do not show yet what was written. */
function missing({ writes, deletes }: Expectation): ReadonlySet<TypeCache> {
  const caches = new Set<TypeCache>()
  for (const [cache, { resourceVersion, era }] of writes) {
    // In another era, after a restore of the cluster's data, resourceVersions mean something else.
    if (cache.era === era && compareResourceVersions(cache.seenResourceVersion, resourceVersion) < 0) caches.add(cache)
  }
  for (const [uid, { cache, ref }] of deletes) {
    const held = cache.get(ref)
    if (held !== undefined && held.metadata.uid === uid && held.metadata.deletionTimestamp === undefined)
      caches.add(cache)
  }
  return caches
}

function concerns({ writes, deletes }: Expectation, cache: TypeCache): boolean {
  return writes.has(cache) || [...deletes.values()].some((deleted) => deleted.cache === cache)
}
