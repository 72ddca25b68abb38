import type { AppInstance } from '../../api/appInstance.ts'
import type { AppReleaseSpec } from '../../api/appRelease.ts'
import type { Reason } from '../../api/conditions.ts'
import { annotations, labels } from '../../api/meta.ts'
import { thereIs } from '../../api/similar.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'

/** Secrets and ConfigMaps of the project, as far as a release is resolved from them: by hashes, never by values. */

export type Copied = NonNullable<ResolvedService['variables'][number]['copied']>
type Recorded = NonNullable<AppReleaseSpec['sources']>[number]
export type SourceValue = Pick<Recorded['values'][number], 'hash' | 'fileOnly'>

/** What is known of a Secret or ConfigMap, or why it cannot be used. */
export type SourceState =
  | {
      readonly state: 'known'
      readonly uid: string
      readonly resourceVersion: string
      /** Whether `values` has all keys. */
      readonly isWhole: boolean
      readonly values: ReadonlyMap<string, SourceValue>
    }
  | { readonly state: 'unread' }
  | { readonly state: 'missing'; readonly similar: readonly string[] }
  /** It names other apps, or other instances, in the annotation. */
  | { readonly state: 'refused'; readonly annotation: string; readonly allowed: string }

/** Finds sources by `Secret/<name>` or `ConfigMap/<name>`. */
export interface References {
  lookUp(source: string): SourceState
}

/** Why a reference cannot be followed; it may still become one that can. */
export interface Obstacle {
  readonly reason: Extract<
    Reason,
    'ReferenceNotFound' | 'ReferenceNotAllowed' | 'ReferenceKeyMissing' | 'ReferenceNotUsable'
  >
  readonly message: string
  /** `Secret/<name>` or `ConfigMap/<name>`. */
  readonly by: string
}

/** What a release recorded of its sources: what was declared then resolves to the same again. */
export function recordedReferences(recorded: AppReleaseSpec['sources'] = []): References {
  const known = new Map(recorded.map((each) => [each.source, each]))
  return {
    lookUp(source) {
      const entry = known.get(source)
      if (!entry) return { state: 'unread' }
      return entry.uid === undefined ? { state: 'missing', similar: [] } : stateOf(entry)
    },
  }
}

/** A recorded source that was there, as it was. */
export function stateOf({ uid = '', resourceVersion = '', whole = false, values }: Recorded): SourceState {
  const byKey = new Map(values.map(({ key, ...value }) => [key, value]))
  return { state: 'known', uid, resourceVersion, isWhole: whole, values: byKey }
}

/** Follows the references of one instance, and remembers what came of them. */
export class Uses {
  readonly #input: Asker & { readonly references: References }
  /** Whether all keys of a source matter; by source. */
  readonly #used = new Map<string, { isWhole: boolean; readonly keys: Set<string> }>()
  readonly #unread = new Set<string>()
  readonly #obstacles = new Map<string, Obstacle>()

  constructor(input: Asker & { readonly references: References }) {
    this.#input = input
  }

  /** Sources that must be read before anything can be said. */
  get unread(): readonly string[] {
    return [...this.#unread]
  }

  get obstacles(): readonly Obstacle[] {
    return [...this.#obstacles.values()]
  }

  /** What a release records of the sources that were used. */
  get sources(): readonly Recorded[] {
    return [...this.#used].flatMap(([source, { isWhole, keys }]): Recorded[] => {
      const found = this.#input.references.lookUp(source)
      if (found.state === 'missing') return [{ source, values: [] }]
      if (found.state !== 'known') return []
      const values = [...found.values]
        .filter(([key]) => isWhole || keys.has(key))
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => ({ key, ...value }))
      const { uid, resourceVersion } = found
      return [{ source, uid, resourceVersion, ...(isWhole && { whole: true }), values }]
    })
  }

  /** All keys of a source; none while it cannot be used, or need not be there and is not. `where` is for people. */
  whole(source: string, where: string): readonly string[] {
    const found = this.#find(source, where)
    if (!found) return []
    if (!found.isWhole) {
      this.#unread.add(source)
      return []
    }
    this.#use(source).isWhole = true
    return [...found.values.keys()].toSorted()
  }

  /** One key of a source; undefined while it cannot be used, or when it need not be there and is not. */
  one(
    source: string,
    key: string,
    { where, isOptional = false, isFile = false }: { where: string; isOptional?: boolean; isFile?: boolean },
  ): Copied | undefined {
    const found = this.#find(source, where, isOptional)
    if (!found) return undefined
    const value = found.values.get(key)
    if (!value) this.#lacks(source, { key, where, isOptional, found })
    else if (value.fileOnly && !isFile) this.#hinder(notUsable(source, key, where))
    else {
      this.#use(source).keys.add(key)
      return { source, key, hash: value.hash }
    }
    return undefined
  }

  /**
   * Of each list of keys the first that the source has; none at all while it cannot be used, or lacks all keys of a list:
   * which ones those are, one obstacle says.
   */
  several(source: string, choices: readonly (readonly string[])[], where: string): readonly Copied[] {
    const found = this.#find(source, where)
    if (!found) return []
    const keys = choices.map((choice) => choice.find((key) => found.values.get(key) !== undefined))
    const missing = choices.filter((_, index) => keys[index] === undefined)
    if (missing.length === 0) return keys.flatMap((key) => this.one(source, key ?? '', { where }) ?? [])
    if (found.isWhole) this.#hinder(keysMissing(source, missing, where, [...found.values.keys()], this.#project))
    else this.#unread.add(source)
    return []
  }

  #lacks(
    source: string,
    { key, where, isOptional, found }: { key: string; where: string; isOptional: boolean; found: Known },
  ): void {
    if (!found.isWhole) this.#unread.add(source)
    else if (isOptional) this.#use(source).isWhole = true
    else this.#hinder(keyMissing(source, key, where, [...found.values.keys()], this.#project))
  }

  #find(source: string, where: string, isOptional = false): Known | undefined {
    const found = this.#input.references.lookUp(source)
    if (found.state === 'known') return found
    if (found.state === 'unread') this.#unread.add(source)
    else if (found.state === 'refused') this.#hinder(notAllowed(source, where, found, this.#input))
    else if (isOptional) this.#use(source)
    else this.#hinder(notFound(source, where, found.similar, this.#input))
    return undefined
  }

  #use(source: string): { isWhole: boolean; readonly keys: Set<string> } {
    const used = this.#used.get(source) ?? { isWhole: false, keys: new Set<string>() }
    this.#used.set(source, used)
    return used
  }

  #hinder(obstacle: Obstacle): void {
    const id = `${obstacle.reason} ${obstacle.by}`
    if (!this.#obstacles.has(id)) this.#obstacles.set(id, obstacle)
  }

  get #project(): string {
    return this.#input.instance.metadata.namespace ?? ''
  }
}

type Known = Extract<SourceState, { state: 'known' }>

/** Who follows references. */
interface Asker {
  readonly instance: AppInstance
}

/** `Secret 'db'`. */
function nameOf(source: string): string {
  const [kind = '', name = ''] = source.split('/')
  return `${kind} '${name}'`
}

function commandFor(verb: string, source: string, { instance }: Asker, marks: string): string {
  const [kind = '', name = ''] = source.split('/')
  return `kubectl ${verb} ${kind.toLowerCase()} ${name} -n ${instance.metadata.namespace} ${marks}`
}

function notFound(source: string, where: string, similar: readonly string[], asker: Asker): Obstacle {
  const { app } = asker.instance.spec
  const allow = `${commandFor('label', source, asker, `${labels.allow}=true`)} && ${commandFor('annotate', source, asker, `${annotations.allowApps}=${app}`)}`
  return {
    reason: 'ReferenceNotFound',
    by: source,
    message: `No ${nameOf(source)} in namespace '${asker.instance.metadata.namespace}' that may be used by apps (${where})${thereIs(similar)}; create it if it is not there, then: ${allow}`,
  }
}

function notAllowed(
  source: string,
  where: string,
  { annotation, allowed }: Extract<SourceState, { state: 'refused' }>,
  asker: Asker,
): Obstacle {
  const { app } = asker.instance.spec
  const isOfApps = annotation === annotations.allowApps
  const missing = isOfApps ? app : asker.instance.metadata.name
  const list = [allowed, missing].filter((each) => each !== '').join(',')
  return {
    reason: 'ReferenceNotAllowed',
    by: source,
    message: `${nameOf(source)} (${where}) does not allow ${isOfApps ? 'App' : 'AppInstance'} '${missing}'; to allow it: ${commandFor('annotate', source, asker, `--overwrite ${annotation}=${list}`)}`,
  }
}

function keyMissing(source: string, key: string, where: string, keys: readonly string[], project: string): Obstacle {
  return keysMissing(source, [[key]], where, keys, project)
}

function keysMissing(
  source: string,
  missing: readonly (readonly string[])[],
  where: string,
  keys: readonly string[],
  project: string,
): Obstacle {
  const [kind = '', name = ''] = source.split('/')
  const there = keys.slice(0, 10).join(', ')
  const lacks = missing.map((choice) => choice.map((key) => `'${key}'`).join(' or ')).join(', ')
  return {
    reason: 'ReferenceKeyMissing',
    by: source,
    message: `${nameOf(source)} has no key ${lacks} (${where}); it has: ${there === '' ? 'none' : there}. Add ${missing.length === 1 ? 'it' : 'them'}: kubectl edit ${kind.toLowerCase()} ${name} -n ${project}`,
  }
}

function notUsable(source: string, key: string, where: string): Obstacle {
  return {
    reason: 'ReferenceNotUsable',
    by: source,
    message: `Key '${key}' of ${nameOf(source)} (${where}) cannot be a variable: it has more than 120 KiB or is no text; give it to the service as a file: files: [{path: …, secretKeyRef: …}]`,
  }
}
