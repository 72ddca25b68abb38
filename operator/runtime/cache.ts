import { keyOf, refOf, type KubeObject, type Ref } from '../api/meta.ts'
import type { Doubt } from '../kube/backoff.ts'
import type { Sink } from '../kube/sink.ts'
import type { Informer } from './controller.ts'
import { compareResourceVersions } from './resourceVersion.ts'
import { sharedText } from './sharedText.ts'

/** A change of one object: undefined before it was created, undefined after it was deleted. */
export type ChangeHandler = (before: KubeObject | undefined, after: KubeObject | undefined) => void

export type RemoveHandler = (object: KubeObject, resourceVersion: string) => void

/** Objects that are gone and of which that is remembered: more than go while a write waits for its answer. */
const maxRemovals = 256

export interface TypeCacheOptions {
  readonly informer: Informer
  /** Told of what a handler or an index threw, with the object; the others go on. */
  onHandlerError(error: unknown, object: KubeObject): void
}

interface Change {
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
}

/** Most values of most indexes have one object: a list, for a Map of its own would be larger than that object. */
type Index = Map<string, KubeObject[]>

/** The name of an index by metadata.namespace. */
const namespaceIndex = 'namespace'

/** A list may lack so many of the objects held, or this share of them, without being doubted. */
const fewObjects = 10
const largeShare = 0.2

/** The watched objects of one type, frozen, by name and by the indexes of the Informer. */
export class TypeCache implements Sink {
  readonly #options: TypeCacheOptions
  readonly #objects = new Map<string, KubeObject>()
  readonly #indexes: ReadonlyMap<string, Index>
  readonly #handlers = new Set<ChangeHandler>()
  readonly #removeHandlers = new Set<RemoveHandler>()
  /** When the last objects went, by key. */
  readonly #removals = new Map<string, string>()
  readonly #seenHandlers = new Set<(resourceVersion: string) => void>()
  #seen = ''
  /** Complete lists so far. */
  #lists = 0
  #era = 0

  constructor(options: TypeCacheOptions) {
    this.#options = options
    this.#indexes = new Map(Object.keys(options.informer.indexes ?? {}).map((name) => [name, new Map()]))
  }

  /** True once the first complete list is in. */
  get isSynced(): boolean {
    return this.#lists > 0
  }

  /** How many complete lists were taken in. */
  get lists(): number {
    return this.#lists
  }

  get size(): number {
    return this.#objects.size
  }

  /** All that was written up to this resourceVersion is in the cache; '' before the first list. */
  get seenResourceVersion(): string {
    return this.#seen
  }

  /** Changes when the cluster's data was restored: resourceVersions of another era cannot be compared. */
  get era(): number {
    return this.#era
  }

  get(ref: Ref): KubeObject | undefined {
    return this.#objects.get(keyOf(ref))
  }

  list(): readonly KubeObject[] {
    return [...this.#objects.values()]
  }

  /** Throws a TypeError for an index the Informer does not declare. */
  byIndex(index: string, value: string): readonly KubeObject[] {
    const entries = this.#indexes.get(index)
    if (entries === undefined) throw new TypeError(`${this.#options.informer.type.kind} has no index '${index}'`)
    return [...(entries.get(value) ?? [])]
  }

  /** The resourceVersion at which an object of this name was seen to be gone; undefined when none was, or many have gone since. */
  removedAt(ref: Ref): string | undefined {
    return this.#removals.get(keyOf(ref))
  }

  /** Called for each change from now on, after the cache holds it; until what is returned is called. */
  onChange(handler: ChangeHandler): () => void {
    this.#handlers.add(handler)
    return () => void this.#handlers.delete(handler)
  }

  /** Called for each object that is gone, with the resourceVersion at which that was seen; after the handlers of the change. */
  onRemove(handler: RemoveHandler): void {
    this.#removeHandlers.add(handler)
  }

  /** Called when the cache has seen everything up to a resourceVersion, after the handlers of the change; until what is returned is called. */
  onSeen(handler: (resourceVersion: string) => void): () => void {
    this.#seenHandlers.add(handler)
    return () => void this.#seenHandlers.delete(handler)
  }

  keep(object: KubeObject): KubeObject {
    const { informer } = this.#options
    dropCopies(object)
    const kept: KubeObject | undefined = this.#guard(object, () => informer.keep?.(object))
    if (kept !== undefined) return settle(kept)
    const metadata = withoutManagedFields(object)
    // An object that keep() cannot read must not stop the others of its type: what reads it will fail for its key alone.
    const rest = informer.keep === undefined ? object : { apiVersion: object.apiVersion, kind: object.kind }
    return settle({ ...rest, metadata })
  }

  /** A list is doubted when it is older than what was seen, and when it lacks much of what is held, or all of it. */
  doubtsOf(items: readonly KubeObject[], resourceVersion: string): readonly Doubt[] {
    const doubts: Doubt[] = []
    if (compareResourceVersions(resourceVersion, this.#seen) < 0) doubts.push('older')
    const listed = keysOf(items)
    let missing = 0
    for (const key of this.#objects.keys()) if (!listed.has(key)) missing += 1
    const isEmptied = items.length === 0 && missing > 0
    if (isEmptied || missing > Math.max(fewObjects, this.#objects.size * largeShare)) doubts.push('shrunk')
    return doubts
  }

  replace(items: readonly KubeObject[], resourceVersion: string): void {
    const listed = keysOf(items)
    // A list that is believed is the truth, even when it is older than what was seen: then the server's data was restored.
    const isRestored = compareResourceVersions(resourceVersion, this.#seen) < 0
    if (isRestored) {
      this.#era += 1
      this.#removals.clear()
    }
    for (const [key, object] of this.#objects) if (!listed.has(key)) this.#remove(key, object, resourceVersion)
    for (const item of items) this.#put(item, isRestored)
    this.#lists += 1
    this.#seen = resourceVersion
    this.#tellSeen()
  }

  upsert(object: KubeObject): void {
    if (!this.#isNews(object)) return
    this.#put(object)
    this.bookmark(object.metadata.resourceVersion ?? '')
  }

  remove(object: KubeObject): void {
    if (!this.#isNews(object)) return
    const key = keyOf(refOf(object))
    const held = this.#objects.get(key)
    if (held !== undefined && isNewer(object, held)) this.#remove(key, held, object.metadata.resourceVersion ?? '')
    this.bookmark(object.metadata.resourceVersion ?? '')
  }

  /**
   * A namespace was gone at a resourceVersion, and so is all that was in it: what is held of it from before is not waited
   * for, since the next instance of that name would be judged by it.
   */
  dropNamespace(namespace: string, resourceVersion: string): void {
    for (const object of this.#heldIn(namespace)) {
      const isOlder = compareResourceVersions(object.metadata.resourceVersion, resourceVersion) < 0
      if (isOlder) this.#remove(keyOf(refOf(object)), object, resourceVersion)
    }
  }

  /** By the index of namespaces, if there is one: to look at all objects of all types costs 10 ms where there are 120,000. */
  #heldIn(namespace: string): readonly KubeObject[] {
    const index = this.#indexes.get(namespaceIndex)
    const objects = index === undefined ? [...this.#objects.values()] : [...(index.get(namespace) ?? [])]
    return objects.filter(({ metadata }) => metadata.namespace === namespace)
  }

  bookmark(resourceVersion: string): void {
    if (compareResourceVersions(resourceVersion, this.#seen) <= 0) return
    this.#seen = resourceVersion
    this.#tellSeen()
  }

  /** Events come in order: one from before what was seen is told again, and may be of an object that is gone since. */
  #isNews(object: KubeObject): boolean {
    return compareResourceVersions(object.metadata.resourceVersion, this.#seen) > 0
  }

  #put(object: KubeObject, isRestored = false): void {
    const key = keyOf(refOf(object))
    const held = this.#objects.get(key)
    if (held === undefined || isRestored || isNewer(object, held)) this.#change(key, held, object)
  }

  #remove(key: string, object: KubeObject, resourceVersion: string): void {
    this.#removals.delete(key)
    this.#removals.set(key, resourceVersion)
    const [oldest] = this.#removals.keys()
    if (this.#removals.size > maxRemovals && oldest !== undefined) this.#removals.delete(oldest)
    this.#change(key, object, undefined)
    for (const handler of this.#removeHandlers) this.#guard(object, () => handler(object, resourceVersion))
  }

  #change(key: string, before: KubeObject | undefined, after: KubeObject | undefined): void {
    if (after === undefined) this.#objects.delete(key)
    else this.#objects.set(key, after)
    for (const [name, index] of this.#indexes) this.#reindex(index, name, { before, after })
    for (const handler of this.#handlers) this.#guard(after ?? before, () => handler(before, after))
  }

  #reindex(index: Index, name: string, { before, after }: Change): void {
    const [left, entered] = [before, after].map((object) => (object ? this.#valuesOf(name, object) : []))
    for (const value of left ?? []) replaceIn(index, value, before, entered?.includes(value) ? after : undefined)
    for (const value of entered ?? []) if (!left?.includes(value)) replaceIn(index, value, undefined, after)
  }

  /** An index whose function throws for an object does not hold it. */
  #valuesOf(name: string, object: KubeObject): readonly string[] {
    return [...new Set(this.#guard(object, () => this.#options.informer.indexes?.[name]?.(object)))]
  }

  #tellSeen(): void {
    for (const handler of this.#seenHandlers) handler(this.#seen)
  }

  #guard<Result>(object: KubeObject | undefined, run: () => Result): Result | undefined {
    try {
      return run()
    } catch (error) {
      if (object !== undefined) this.#options.onHandlerError(error, object)
      return undefined
    }
  }
}

/** Puts `after` where `before` stood among the objects of a value; undefined: it was, or is to be, none of them. */
function replaceIn(index: Index, value: string, before: KubeObject | undefined, after: KubeObject | undefined): void {
  const objects = index.get(value) ?? []
  const at = before === undefined ? -1 : objects.indexOf(before)
  if (after === undefined) {
    if (at >= 0) objects.splice(at, 1)
    if (objects.length === 0) index.delete(value)
  } else if (at >= 0) objects[at] = after
  else if (objects.length >= fewObjects) objects.push(after)
  // push() makes room for many more at once.
  else index.set(value, objects.concat([after]))
}

function isNewer(object: KubeObject, held: KubeObject): boolean {
  return compareResourceVersions(object.metadata.resourceVersion, held.metadata.resourceVersion) > 0
}

function keysOf(items: readonly KubeObject[]): ReadonlySet<string> {
  return new Set(items.map((item) => keyOf(refOf(item))))
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** kubectl leaves a copy of the whole object in an annotation, of a Secret with its data: nothing here may hold it. */
function dropCopies(object: KubeObject): void {
  const { annotations, ...metadata } = object.metadata
  if (annotations?.[lastApplied] === undefined) return
  const { [lastApplied]: _dropped, ...others } = annotations
  ;(object as { metadata: KubeObject['metadata'] }).metadata = { ...metadata, annotations: others }
}

/** A copy: V8 makes a dictionary, several times as large, of an object from which a member was deleted. */
function withoutManagedFields({ metadata }: KubeObject): KubeObject['metadata'] {
  const { managedFields: _dropped, ...rest } = metadata as KubeObject['metadata'] & { managedFields?: unknown }
  return rest
}

/** Freezes JSON all the way down, with one copy of each text. */
function settle<T>(value: T): T {
  if (typeof value === 'string') return sharedText(value) as T
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  const parts = value as Record<string, unknown>
  for (const [name, part] of Object.entries(parts)) {
    const settled = settle(part)
    if (typeof part === 'string') parts[name] = settled
  }
  return Object.freeze(value)
}
