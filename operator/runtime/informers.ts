import type { Logger } from 'pino'
import { namespaceType } from '../api/builtin.ts'
import { keyOf, refOf, type KubeObject, type Ref, type ResourceType } from '../api/meta.ts'
import type { KubeClient } from '../kube/client.ts'
import { ListWatch, maxQuietMilliseconds, type ListWatchState } from '../kube/listWatch.ts'
import { Slots } from '../kube/slots.ts'
import { TypeCache } from './cache.ts'
import type { Clock } from './clock.ts'
import type { Informer, Reader } from './controller.ts'
import type { ClusterMetrics } from './metrics.ts'
import { parseSelector } from './selector.ts'

/** Any Informer: its functions are given only what its own keep() returned. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyInformer = Informer<any>

export interface InformersOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>
  readonly informers: readonly AnyInformer[]
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: ClusterMetrics
}

/** How one type's list + watch is doing. */
export interface InformerHealth {
  readonly type: string
  readonly state: ListWatchState['kind']
  readonly isSynced: boolean
  /** False when nothing moved for longer than any healthy or retrying watch is quiet. */
  readonly isAlive: boolean
  /** What went wrong last, until something comes again. */
  readonly error?: string | undefined
}

interface Entry {
  readonly type: ResourceType
  readonly cache: TypeCache
  readonly listWatch: ListWatch
  readonly selects: (object: KubeObject) => boolean
}

/** So many types of a cluster list at the same time: a start or the end of an outage is no storm, and writes go on. */
const listsAtOnce = 2

/** `plural.group/version`, and `#view` of a part of it: the id of a type in maps and logs (and @dot-i's id of it). */
export function typeIdOf(type: Pick<ResourceType, 'group' | 'version' | 'plural' | 'view'>): string {
  const view = type.view === undefined ? '' : `#${type.view}`
  return `${type.plural}.${type.group === '' ? '' : `${type.group}/`}${type.version}${view}`
}

/** All watched types of one cluster: one list + watch and one cache each, whoever reads them. */
export class Informers implements Reader {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Clock
  readonly #abort = new AbortController()
  readonly #runs: Promise<void>[] = []

  /** Throws a TypeError for two Informers of one type, and for a label selector we cannot follow. Requests nothing yet. */
  constructor(options: InformersOptions) {
    this.#clock = options.clock
    const slots = new Slots(listsAtOnce)
    for (const informer of options.informers) {
      const id = typeIdOf(informer.type)
      if (this.#entries.has(id)) throw new TypeError(`two informers for ${id}`)
      this.#entries.set(id, makeEntry(options, informer, slots))
    }
    this.cacheOf(typeIdOf(namespaceType))?.onRemove(({ metadata }, resourceVersion) => {
      for (const { type, cache } of this.#entries.values()) {
        if (type.namespaced) cache.dropNamespace(metadata.name, resourceVersion)
      }
    })
  }

  get<T extends KubeObject>(type: ResourceType, ref: Ref): T | undefined {
    return this.#mustHave(type).cache.get(ref) as T | undefined
  }

  list<T extends KubeObject>(type: ResourceType): readonly T[] {
    return this.#mustHave(type).cache.list() as readonly T[]
  }

  byIndex<T extends KubeObject>(type: ResourceType, index: string, value: string): readonly T[] {
    return this.#mustHave(type).cache.byIndex(index, value) as readonly T[]
  }

  /** The cache of a type, by its id; undefined when nobody watches it. */
  cacheOf(typeId: string): TypeCache | undefined {
    return this.#entries.get(typeId)?.cache
  }

  /** The declared type of an id; undefined when nobody watches it. */
  typeOf(typeId: string): ResourceType | undefined {
    return this.#entries.get(typeId)?.type
  }

  /** The ids of all watched types. */
  get typeIds(): readonly string[] {
    return [...this.#entries.keys()]
  }

  /** True when the type is watched and its selector takes the object: only then will its cache ever hold it. */
  watches(type: ResourceType, object: KubeObject): boolean {
    return this.#entries.get(typeIdOf(type))?.selects(object) ?? false
  }

  /** True when every cache holds its first complete list. */
  get isSynced(): boolean {
    for (const { cache } of this.#entries.values()) if (!cache.isSynced) return false
    return true
  }

  /** Has the type of a cache of ours listed anew; nothing happens for the cache of another cluster. */
  relist(cache: TypeCache): void {
    for (const entry of this.#entries.values()) if (entry.cache === cache) entry.listWatch.relist()
  }

  /** Begins to list and watch every type; returns at once. */
  start(): void {
    for (const { listWatch } of this.#entries.values()) this.#runs.push(listWatch.run(this.#abort.signal))
  }

  /** Resolves when every cache holds its first complete list, or when stopped. */
  async whenSynced(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = (): void => {
      if (this.isSynced || this.#abort.signal.aborted) resolve()
    }
    const unsubscribes = [...this.#entries.values()].map(({ cache }) => cache.onSeen(check))
    this.#abort.signal.addEventListener('abort', check, { once: true })
    check()
    await promise
    // Or each event would ask for ever whether all is filled.
    for (const unsubscribe of unsubscribes) unsubscribe()
  }

  /** Cuts the watches; resolves when all have ended. */
  async stop(): Promise<void> {
    this.#abort.abort()
    await Promise.all(this.#runs)
  }

  /** How each watched type is doing. */
  health(): readonly InformerHealth[] {
    const now = this.#clock.now()
    return [...this.#entries].map(([type, { cache, listWatch }]) => ({
      type,
      state: listWatch.state.kind,
      isSynced: cache.isSynced,
      isAlive:
        listWatch.state.kind === 'stopped' || listWatch.isInLine || now - listWatch.progressAt < maxQuietMilliseconds,
      error: listWatch.lastError?.message,
    }))
  }

  #mustHave(type: ResourceType): Entry {
    const entry = this.#entries.get(typeIdOf(type))
    if (entry === undefined) throw new TypeError(`nobody watches ${typeIdOf(type)}: it needs an Informer`)
    return entry
  }
}

function makeEntry(options: InformersOptions, informer: AnyInformer, slots: Slots): Entry {
  const id = typeIdOf(informer.type)
  const log = options.log.child({ type: id })
  const cache = new TypeCache({
    informer,
    onHandlerError: (error, object) =>
      log.error({ err: error, key: keyOf(refOf(object)) }, 'Failed to handle a change'),
  })
  const listWatch = new ListWatch({
    client: options.client,
    type: informer.type,
    labelSelector: informer.labelSelector,
    fieldSelector: informer.fieldSelector,
    metadataOnly: informer.metadataOnly,
    sink: cache,
    timing: options.clock,
    slots,
    onFailure: (error, delayMilliseconds) => {
      options.metrics?.watchRestarted(id, error.code)
      const level = isRoutine(error.code) ? 'debug' : 'warn'
      log[level](
        { code: error.code, delayMilliseconds: Math.round(delayMilliseconds), reason: error.message },
        'Watching again',
      )
    },
    onDoubt: (doubts, delayMilliseconds) =>
      log.warn({ doubts, delayMilliseconds: Math.round(delayMilliseconds) }, 'Reading a doubtful list again'),
    onSkipped: (why, error) => {
      options.metrics?.eventSkipped(id)
      log.warn({ why, err: error }, 'Skipped what a watch sent')
    },
  })
  const selects = (informer.labelSelector ?? '') === '' ? () => true : parseSelector(informer.labelSelector ?? '')
  return { type: informer.type, cache, listWatch, selects }
}

/** Streams are cut, go silent and grow too old all the time: nobody needs to know. */
function isRoutine(code: string): boolean {
  return code === 'Gone' || code === 'Timeout' || code === 'Aborted'
}
