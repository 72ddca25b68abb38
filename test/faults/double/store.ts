import { createHash } from 'node:crypto'
import { isMembers, type Members } from './json.ts'
import type { Served } from './served.ts'

/** Who did it. */
export type Actor = 'operator' | 'user' | 'world'

/** One change of the store, in the order of their resourceVersions. */
export interface Change {
  readonly resourceVersion: number
  readonly served: Served
  /** `namespace/name`. */
  readonly key: string
  /** undefined: it was created. */
  readonly before: Members | undefined
  /** undefined: it was removed. */
  readonly after: Members | undefined
  /** The object as the event shows it: of one that was removed, as it was last. */
  readonly shown: Members
  readonly actor: Actor
}

interface Table {
  readonly objects: Map<string, Members>
  readonly changes: Change[]
}

/** All objects, one counter of resourceVersions, and everything that ever changed. */
export class Store {
  readonly #tables = new Map<Served, Table>()
  /** How often a key was made, for uids. */
  readonly #made = new Map<string, number>()
  readonly #listeners: ((change: Change) => void)[] = []
  #resourceVersion = 1000

  /** A store that holds the same and goes its own way from here; it knows nothing of what was before. */
  copy(): Store {
    const copy = new Store()
    for (const [served, { objects }] of this.#tables) {
      copy.#tables.set(served, { objects: new Map(objects), changes: [] })
    }
    for (const [id, count] of this.#made) copy.#made.set(id, count)
    copy.#resourceVersion = this.#resourceVersion
    return copy
  }

  get resourceVersion(): number {
    return this.#resourceVersion
  }

  get(served: Served, key: string): Members | undefined {
    return this.#table(served).objects.get(key)
  }

  /** All objects of a type in the order of their keys, as they are or as they were. */
  list(served: Served, resourceVersion = this.#resourceVersion): readonly (readonly [string, Members])[] {
    const { objects, changes } = this.#table(served)
    if (resourceVersion >= this.#resourceVersion) return sorted(objects)
    const then = new Map(objects)
    for (let index = changes.length - 1; index >= 0 && changes[index]!.resourceVersion > resourceVersion; index -= 1) {
      const { key, before } = changes[index]!
      if (before === undefined) then.delete(key)
      else then.set(key, before)
    }
    return sorted(then)
  }

  /** The changes of a type after a resourceVersion. */
  since(served: Served, resourceVersion: number): readonly Change[] {
    const { changes } = this.#table(served)
    let from = changes.length
    while (from > 0 && changes[from - 1]!.resourceVersion > resourceVersion) from -= 1
    return changes.slice(from)
  }

  /** Called for every change from now on, in order. */
  onChange(listener: (change: Change) => void): void {
    this.#listeners.push(listener)
  }

  /** A uid that tells what was made under which name for the how manieth time: equal runs have equal uids. */
  newUid(served: Served, key: string): string {
    const id = `${served.qualified} ${key}`
    const count = (this.#made.get(id) ?? 0) + 1
    this.#made.set(id, count)
    const hex = createHash('sha1').update(`${id} ${count}`).digest('hex')
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `8${hex.slice(17, 20)}`,
      hex.slice(20, 32),
    ].join('-')
  }

  /** Stores an object, or removes it when `after` is undefined; returns it with its new resourceVersion. */
  commit(served: Served, key: string, after: Members | undefined, actor: Actor): Members {
    const table = this.#table(served)
    const before = table.objects.get(key)
    this.#resourceVersion += 1
    const shown = withResourceVersion((after ?? before)!, this.#resourceVersion)
    if (after === undefined) table.objects.delete(key)
    else table.objects.set(key, shown)
    const resourceVersion = this.#resourceVersion
    const change = { resourceVersion, served, key, before, after: after && shown, shown, actor }
    table.changes.push(change)
    for (const listener of this.#listeners) listener(change)
    return shown
  }

  #table(served: Served): Table {
    const known = this.#tables.get(served)
    if (known !== undefined) return known
    const made = { objects: new Map<string, Members>(), changes: [] }
    this.#tables.set(served, made)
    return made
  }
}

function sorted(objects: ReadonlyMap<string, Members>): readonly (readonly [string, Members])[] {
  return [...objects].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function withResourceVersion(object: Members, resourceVersion: number): Members {
  const metadata = isMembers(object['metadata']) ? object['metadata'] : {}
  return { ...object, metadata: { ...metadata, resourceVersion: String(resourceVersion) } }
}
