import {
  compare,
  difference,
  fieldsOf,
  intersects,
  isEmpty,
  isMember,
  none,
  ownable,
  partsOf,
  union,
  type Fields,
} from './fieldSets.ts'
import { isMembers, type Json, type Members } from './json.ts'
import { elementOf, shapeAt, type Shape } from './shapes.ts'

/** Who owns what: an entry of metadata.managedFields. */
export interface Managed {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly subresource?: string
  readonly apiVersion: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: Fields
}

/** Who writes, and of which part. */
export interface Author {
  readonly manager: string
  readonly subresource: string
  /** Top-level fields that this way of writing leaves alone. */
  readonly dropped: readonly string[]
}

export function managedOf(object: Members): readonly Managed[] {
  return ((object['metadata'] as Members)['managedFields'] as readonly Managed[] | undefined) ?? []
}

function isOf(entry: Managed, author: Author, operation: Managed['operation']): boolean {
  return (
    entry.manager === author.manager &&
    entry.operation === operation &&
    (entry.subresource ?? '') === author.subresource
  )
}

function entryOf(object: Members, author: Author, operation: Managed['operation'], fieldsV1: Fields): Managed {
  return {
    manager: author.manager,
    operation,
    ...(author.subresource === '' ? {} : { subresource: author.subresource }),
    apiVersion: object['apiVersion'] as string,
    fieldsType: 'FieldsV1',
    fieldsV1,
  }
}

function withManaged(object: Members, entries: readonly Managed[]): Members {
  const managedFields = entries.filter(({ fieldsV1 }) => !isEmpty(fieldsV1))
  return { ...object, metadata: { ...(object['metadata'] as Members), managedFields } }
}

/** `after` with what its author changed against `before` ascribed to it, and taken from everybody else. */
export function updated(before: Members, after: Members, shape: Shape, author: Author): Members {
  const { changed, removed } = compare(ownable(before, author.dropped), ownable(after, author.dropped), shape)
  const entries = managedOf(before)
  if (isEmpty(changed) && isEmpty(removed)) return withManaged(after, entries)
  const own = entries.find((entry) => isOf(entry, author, 'Update'))?.fieldsV1 ?? none
  const others = entries
    .filter((entry) => !isOf(entry, author, 'Update'))
    .map((entry) => ({ ...entry, fieldsV1: difference(difference(entry.fieldsV1, changed), removed) }))
  const mine = union(difference(own, removed), changed)
  return withManaged(after, [...others, entryOf(after, author, 'Update', mine)])
}

/** What an apply makes of `before`; 'conflict' when others own what it changes and it is not forced. */
export function applied(
  before: Members,
  config: Members,
  shape: Shape,
  author: Author & { readonly force: boolean },
): Members | 'conflict' {
  const entries = managedOf(before)
  const last = entries.find((entry) => isOf(entry, author, 'Apply'))?.fieldsV1 ?? none
  const others = entries.filter((entry) => !isOf(entry, author, 'Apply'))
  const wanted = fieldsOf(ownable(config, author.dropped), shape)
  const gone = vanished(last, wanted)
  const merged = without(
    merge(before, config, shape),
    shape,
    gone,
    others.map(({ fieldsV1 }) => fieldsV1),
  ) as Members
  const { changed, removed } = compare(ownable(before, author.dropped), ownable(merged, author.dropped), shape)
  if (!author.force && others.some(({ fieldsV1 }) => intersects(fieldsV1, changed))) return 'conflict'
  const left = others.map((entry) => ({
    ...entry,
    fieldsV1: difference(difference(entry.fieldsV1, changed), removed),
  }))
  const mine = entryOf(before, author, 'Apply', wanted)
  return withManaged(merged, inPlace(entries, left, mine))
}

/** What `last` names and `wanted` does not; a field that is not named at all goes whole. */
function vanished(last: Fields, wanted: Fields): Fields {
  const gone: Record<string, Fields> = {}
  for (const [element, below] of Object.entries(last)) {
    if (element === '.') continue
    // Of metadata there is always something left.
    const still = wanted[element] ?? (element === 'f:metadata' ? none : undefined)
    if (still === undefined) gone[element] = element.startsWith('f:') ? { '.': none, ...below } : below
    else {
      const goneBelow = vanished(below, still)
      if (!isEmpty(goneBelow)) gone[element] = goneBelow
    }
  }
  return gone
}

/** The entries in the order they had; a new one comes last. */
function inPlace(before: readonly Managed[], left: readonly Managed[], mine: Managed): readonly Managed[] {
  const index = before.findIndex((entry) => !left.some((each) => isSameAuthor(each, entry)))
  return index === -1 ? [...left, mine] : [...left.slice(0, index), mine, ...left.slice(index)]
}

function isSameAuthor(a: Managed, b: Managed): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource
}

/** `live` with what `config` says, merged as the shape tells. */
export function merge(live: Json, config: Json, shape: Shape): Json {
  if (shape.kind === 'map' && isMembers(live) && isMembers(config)) {
    const made: Record<string, Json> = { ...live }
    for (const [name, value] of Object.entries(config)) {
      made[name] = name in live ? merge(live[name], value, shapeAt(shape, name)) : value
    }
    return made
  }
  if ((shape.kind === 'keyed' || shape.kind === 'set') && Array.isArray(live) && Array.isArray(config)) {
    return mergeLists(live, config, shape)
  }
  return config
}

/** In the order of `config`; what only `live` has stays between the neighbours it had. */
function mergeLists(
  live: readonly Json[],
  config: readonly Json[],
  shape: Shape & { kind: 'keyed' | 'set' },
): readonly Json[] {
  const known = new Map(live.map((item) => [elementOf(shape, item), item]))
  const wanted = new Set(config.map((item) => elementOf(shape, item)))
  const made: Json[] = []
  const done = new Set<string>()
  let at = 0
  const passLiveOnly = (): void => {
    for (; at < live.length; at += 1) {
      const element = elementOf(shape, live[at])
      if (wanted.has(element) && !done.has(element)) return
      if (!wanted.has(element)) made.push(live[at])
    }
  }
  for (const item of config) {
    passLiveOnly()
    const element = elementOf(shape, item)
    const before = known.get(element)
    made.push(before === undefined || shape.kind === 'set' ? item : merge(before, item, shape.item))
    done.add(element)
  }
  passLiveOnly()
  return made
}

/** `value` without the paths of `gone`, except those that are in one of `kept`; undefined when nothing is left. */
function without(value: Json, shape: Shape, gone: Fields, kept: readonly Fields[]): Json {
  const parts = partsOf(value, shape)
  if (parts === undefined || isEmpty(gone)) return value
  const left: [string, Json][] = []
  for (const [element, [part, partShape]] of parts) {
    const goneBelow = gone[element]
    const keptBelow = kept.flatMap((fields) => fields[element] ?? [])
    const rest = goneBelow === undefined ? part : withoutPart(part, partShape, goneBelow, keptBelow)
    if (rest !== undefined) left.push([element, rest])
  }
  if (left.length === 0) return undefined
  if (Array.isArray(value)) return left.map(([, part]) => part)
  return Object.fromEntries(left.map(([element, part]) => [element.slice(2), part]))
}

function withoutPart(value: Json, shape: Shape, gone: Fields, kept: readonly Fields[]): Json {
  if (!isMember(gone)) return without(value, shape, gone, kept)
  if (kept.length === 0) return undefined
  const parts = partsOf(value, shape)
  if (parts === undefined || kept.some((fields) => isEmpty(fields))) return value
  // Taken away whole, and given back is what others own.
  return without(value, shape, difference(fieldsOf(value, shape, true), none), kept)
}
