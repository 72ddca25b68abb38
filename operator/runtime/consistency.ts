import { keyOf, refOf, type KubeObject, type Ref, type ResourceType } from '../api/meta.ts'
import { isKubeError } from '../kube/errors.ts'
import type { TypeCache } from './cache.ts'
import type { Clock } from './clock.ts'
import type { Cluster } from './cluster.ts'
import { typeIdOf, type Informers } from './informers.ts'
import { compareResourceVersions } from './resourceVersion.ts'

/** What a cache must show of one object before a key may be reconciled again. */
interface Expectation {
  readonly cache: TypeCache
  readonly ref: Ref
  readonly uid: string
  /** The resourceVersion of the write; or the object must be gone, or at least on its way. */
  readonly shows: { readonly resourceVersion: string } | 'gone' | 'going'
  /** In another era, after a restore of the cluster's data, resourceVersions mean something else. */
  readonly era: number
}

/** A write of which nobody knows whether it was done. */
interface Doubtful {
  readonly cluster: Cluster
  readonly type: ResourceType
  readonly ref: Ref
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
 * Read your own writes. What was written for a key is remembered, object by object, until the caches have seen it; until
 * then a reconcile of the key would decide on a view in which its last writes have not happened, and would do them again.
 * An event that does not come is not waited for in vain: the type is listed anew.
 */
export class Consistency {
  readonly #options: ConsistencyOptions
  /** By key; a key writes few objects. */
  readonly #expected = new Map<string, Set<Expectation>>()
  /** Which keys expect something of an object, by its name. */
  readonly #keys = new Map<TypeCache, Map<string, Set<string>>>()
  /** Keys that waited and may go on, as soon as the cache has told all of what came. */
  readonly #toWake = new Set<string>()
  readonly #unsubscribes: (() => void)[] = []
  /** Keys that asked and were not fresh, with what ends their timer. */
  readonly #waiting = new Map<string, () => void>()
  /** By key, then by type and name. */
  readonly #doubtful = new Map<string, Map<string, Doubtful>>()

  constructor(options: ConsistencyOptions) {
    this.#options = options
    for (const informers of new Set(options.informers)) {
      for (const typeId of informers.typeIds) {
        const cache = informers.cacheOf(typeId)
        if (cache !== undefined) this.#follow(cache)
      }
    }
  }

  /** Remembers that `object`, the server's answer to a write for `key`, must be seen in the caches of that cluster. */
  wrote(
    key: string,
    informers: Informers,
    { type, object }: { readonly type: ResourceType; readonly object: KubeObject },
  ): void {
    const { resourceVersion, uid = '' } = object.metadata
    const cache = informers.cacheOf(typeIdOf(type))
    if (cache === undefined || resourceVersion === undefined || !informers.watches(type, object)) return
    this.#expect(key, { cache, ref: refOf(object), uid, shows: { resourceVersion }, era: cache.era })
  }

  /** Remembers that the object with this uid must be seen to be gone or on its way. */
  deleted(
    key: string,
    informers: Informers,
    { type, ref, uid }: { readonly type: ResourceType; readonly ref: Ref; readonly uid: string },
  ): void {
    const cache = informers.cacheOf(typeIdOf(type))
    if (cache !== undefined) this.#expect(key, { cache, ref, uid, shows: 'going', era: cache.era })
  }

  /** Remembers that an object must be seen to be gone: it was on its way, and its last finalizer was taken off. */
  released(
    key: string,
    informers: Informers,
    { type, object }: { readonly type: ResourceType; readonly object: KubeObject },
  ): void {
    const cache = informers.cacheOf(typeIdOf(type))
    const { uid = '' } = object.metadata
    if (cache !== undefined) this.#expect(key, { cache, ref: refOf(object), uid, shows: 'gone', era: cache.era })
  }

  /** Remembers that an object may have been written: the answer was lost. `lookAtDoubtful` finds out. */
  mayHaveWritten(key: string, cluster: Cluster, { type, ref }: Omit<Doubtful, 'cluster'>): void {
    const known = this.#doubtful.get(key) ?? new Map<string, Doubtful>()
    known.set(`${typeIdOf(type)} ${keyOf(ref)}`, { cluster, type, ref })
    this.#doubtful.set(key, known)
  }

  /**
   * Looks live at what may have been written for the key, and takes it as written as it is: a reconcile that trusted the
   * caches could take what was before that write for what is. Throws the KubeError of a look that failed; then it is due
   * again.
   */
  async lookAtDoubtful(key: string, signal: AbortSignal): Promise<void> {
    for (const { cluster, type, ref } of this.#doubtful.get(key)?.values() ?? []) {
      cluster.check()
      try {
        const object = await cluster.client.get(type, ref, { signal })
        this.wrote(key, cluster.informers, { type, object })
      } catch (error) {
        // Not there, or not ours to look at: then there is nothing to wait for.
        if (!isKubeError(error, 'NotFound', 'Forbidden')) throw error
      }
    }
    this.#doubtful.delete(key)
  }

  /** True when the caches show everything written for the key. If not, the key is woken once they do. */
  isFresh(key: string): boolean {
    if (this.#expected.has(key)) {
      if (!this.#waiting.has(key)) this.#wait(key)
      return false
    }
    // Whoever asks goes on: the event that was waited for may have woken it, too, and to be woken twice is to work twice.
    this.#toWake.delete(key)
    return true
  }

  /** The key's object is gone: nothing is written for it any more. */
  forget(key: string): void {
    this.#stopWaiting(key)
    this.#toWake.delete(key)
    for (const expectation of this.#expected.get(key) ?? []) this.#met(key, expectation)
    this.#doubtful.delete(key)
  }

  /** No timer is left, and nobody is listened to. */
  stop(): void {
    for (const unsubscribe of this.#unsubscribes.splice(0)) unsubscribe()
    for (const key of this.#waiting.keys()) this.#stopWaiting(key)
  }

  #follow(cache: TypeCache): void {
    this.#keys.set(cache, new Map())
    let { lists } = cache
    const onSeen = (): void => {
      if (cache.lists !== lists) this.#listed(cache)
      ;({ lists } = cache)
      this.#wakeAll()
    }
    this.#unsubscribes.push(
      cache.onChange((before, after) => this.#changed(cache, after ?? before)),
      cache.onSeen(onSeen),
    )
  }

  #wakeAll(): void {
    for (const key of this.#toWake) {
      this.#toWake.delete(key)
      this.#options.wake(key)
    }
  }

  #expect(key: string, expectation: Expectation): void {
    const { cache, ref } = expectation
    const expected = this.#expected.get(key) ?? new Set()
    const earlier = [...expected].find((each) => isOfSame(each, expectation))
    if (earlier !== undefined && isLater(earlier, expectation)) return
    if (earlier !== undefined) expected.delete(earlier)
    this.#expected.set(key, expected.add(expectation))
    const byObject = this.#keys.get(cache)
    const name = keyOf(ref)
    byObject?.set(name, (byObject.get(name) ?? new Set()).add(key))
    if (isMet(expectation)) this.#met(key, expectation)
  }

  #changed(cache: TypeCache, object: KubeObject | undefined): void {
    if (object === undefined) return
    const name = keyOf(refOf(object))
    for (const key of this.#keys.get(cache)?.get(name) ?? []) {
      for (const expectation of this.#expected.get(key) ?? []) {
        if (expectation.cache !== cache || keyOf(expectation.ref) !== name) continue
        if (isMet(expectation)) this.#met(key, expectation)
      }
    }
  }

  /** A complete list shows all that was written before it; a deletion it shows only by what it lacks. */
  #listed(cache: TypeCache): void {
    for (const [key, expected] of this.#expected) {
      for (const expectation of expected) {
        if (expectation.cache !== cache) continue
        const version = versionOf(expectation)
        const isOlder = version !== undefined && compareResourceVersions(cache.seenResourceVersion, version) >= 0
        if (isOlder || expectation.era !== cache.era || isMet(expectation)) this.#met(key, expectation)
      }
    }
  }

  #met(key: string, expectation: Expectation): void {
    const expected = this.#expected.get(key)
    if (expected === undefined || !expected.delete(expectation)) return
    // What was deleted and made anew is expected twice: gone, and there.
    if (![...expected].some((each) => isOfSameName(each, expectation))) this.#ignore(key, expectation)
    if (expected.size > 0) return
    this.#expected.delete(key)
    if (!this.#waiting.has(key)) return
    this.#stopWaiting(key)
    this.#toWake.add(key)
  }

  /** The key expects nothing of an object of that name any more. */
  #ignore(key: string, { cache, ref }: Expectation): void {
    const byObject = this.#keys.get(cache)
    const keys = byObject?.get(keyOf(ref))
    keys?.delete(key)
    if (keys?.size === 0) byObject?.delete(keyOf(ref))
  }

  /** Has the missing types listed anew each time patience runs out, until they show the writes. */
  #wait(key: string): void {
    const cancel = this.#options.clock.after(patienceMilliseconds, () => {
      const missing = new Set([...(this.#expected.get(key) ?? [])].map(({ cache }) => cache))
      for (const informers of this.#options.informers) for (const cache of missing) informers.relist(cache)
      this.#wait(key)
    })
    this.#waiting.set(key, cancel)
  }

  #stopWaiting(key: string): void {
    this.#waiting.get(key)?.()
    this.#waiting.delete(key)
  }
}

/** Whether both are of one object, and both of a write or both of a deletion. */
function isOfSame(a: Expectation, b: Expectation): boolean {
  const isOfOneSort = (versionOf(a) === undefined) === (versionOf(b) === undefined)
  return isOfOneSort && isOfSameName(a, b)
}

function isOfSameName(a: Expectation, b: Expectation): boolean {
  return a.cache === b.cache && keyOf(a.ref) === keyOf(b.ref)
}

/** Whether `a` says more than `b`: it is of a later write, or of the end of the same object. */
function isLater(a: Expectation, b: Expectation): boolean {
  if (a.uid !== b.uid) return false
  return a.shows === 'gone' || compareResourceVersions(versionOf(a), versionOf(b)) > 0
}

function versionOf({ shows }: Expectation): string | undefined {
  return typeof shows === 'object' ? shows.resourceVersion : undefined
}

/** Whether the cache shows what was written: the object as it is then or later, or that it has gone since. */
function isMet({ cache, ref, uid, shows }: Expectation): boolean {
  const held = cache.get(ref)
  if (typeof shows === 'object') {
    const seenAt = held === undefined ? cache.removedAt(ref) : held.metadata.resourceVersion
    return compareResourceVersions(seenAt, shows.resourceVersion) >= 0
  }
  const isGone = held === undefined || held.metadata.uid !== uid
  return isGone || (shows === 'going' && held.metadata.deletionTimestamp !== undefined)
}
