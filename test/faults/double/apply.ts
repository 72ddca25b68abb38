import { difference, intersection, isEmpty, none, union, type Fields } from './fieldSets.ts'
import { membersOf, type Json, type Members } from './json.ts'
import type { Served } from './served.ts'
import type { Shape } from './shapes.ts'
import { compare, fieldsOf, merge, without, withNames, type Comparison } from './typedValues.ts'

/** Who owns what: an entry of metadata.managedFields. */
export interface Managed {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly subresource?: string
  readonly apiVersion: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: Fields
}

type Kind = Pick<Served, 'shape' | 'blank'>

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

function isOf(
  entry: Managed,
  { manager, subresource }: Pick<Author, 'manager' | 'subresource'>,
  operation: Managed['operation'],
): boolean {
  return entry.manager === manager && entry.operation === operation && (entry.subresource ?? '') === subresource
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

/** The entries with `mine` in place of the one of the same author, or at the end. */
function withEntry(entries: readonly Managed[], mine: Managed): readonly Managed[] {
  const { manager, operation, subresource = '' } = mine
  const index = entries.findIndex((entry) => isOf(entry, { manager, subresource }, operation))
  return index === -1 ? [...entries, mine] : entries.with(index, mine)
}

/** `object` with these entries; those that own nothing are left out. */
function withManaged(object: Members, entries: readonly Managed[]): Members {
  const managedFields = entries.filter(({ fieldsV1 }) => !isEmpty(fieldsV1))
  return { ...object, metadata: { ...(object['metadata'] as Members), managedFields } }
}

/** The paths that are nobody's. */
const unowned: Fields = {
  'f:apiVersion': none,
  'f:kind': none,
  'f:metadata': {
    '.': none,
    'f:name': none,
    'f:namespace': none,
    'f:uid': none,
    'f:resourceVersion': none,
    'f:generation': none,
    'f:creationTimestamp': none,
    'f:managedFields': none,
    'f:selfLink': none,
  },
}

/** The paths that this way of writing may touch. */
function touchable(fields: Fields, { dropped }: Author): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([element]) => !dropped.includes(element.slice(2))))
}

function differences(before: Members, after: Members, shape: Shape, author: Author): Comparison {
  const { changed, removed } = compare(withManaged(before, []), withManaged(after, []), shape)
  return { changed: touchable(changed, author), removed: touchable(removed, author) }
}

/**
 * `after` with what its author changed against `before` ascribed to it, and taken from everybody else. Of an object
 * that is there and has no owners at all, the server keeps none from then on.
 */
export function updated(before: Members, after: Members, { shape }: Kind, author: Author): Members {
  const isUntracked = 'uid' in membersOf(before['metadata']) && managedOf(before).length === 0
  return isUntracked ? withManaged(after, []) : ascribed(before, after, shape, author)
}

function ascribed(before: Members, after: Members, shape: Shape, author: Author): Members {
  const { changed, removed } = differences(before, after, shape, author)
  const entries = managedOf(before).map((entry) => taken(entry, { changed, removed }))
  const own = entries.find((entry) => isOf(entry, author, 'Update'))?.fieldsV1 ?? none
  const mine = entryOf(after, author, 'Update', difference(union(own, changed), unowned))
  return withManaged(after, withEntry(entries, mine))
}

/** What an entry still owns after others made this difference. */
function taken(entry: Managed, { changed, removed }: Comparison): Managed {
  return { ...entry, fieldsV1: difference(difference(entry.fieldsV1, changed), removed) }
}

/** What an apply makes of `before`; 'conflict' when others own what it changes and it is not forced. */
export function applied(
  before: Members,
  config: Members,
  kind: Kind,
  author: Author & { readonly force: boolean },
): Members | 'conflict' {
  const { shape } = kind
  const entries = ownersOf(before, kind, author)
  const last = entries.find((entry) => isOf(entry, author, 'Apply'))?.fieldsV1 ?? none
  const others = entries.filter((entry) => !isOf(entry, author, 'Apply'))
  const wanted = touchable(fieldsOf(config, shape), author)
  const claimed = others.map(({ fieldsV1 }) => fieldsV1).reduce(union, wanted)
  const merged = prune(merge(before, config, shape), shape, last, claimed) as Members
  const found = differences(before, merged, shape, author)
  if (!author.force && others.some(({ fieldsV1 }) => !isEmpty(intersection(fieldsV1, found.changed)))) return 'conflict'
  const mine = entryOf(config, author, 'Apply', difference(wanted, unowned))
  return withManaged(
    merged,
    withEntry(
      entries.map((entry) => taken(entry, found)),
      mine,
    ),
  )
}

/** The entries of an object; of one that has none, all that is in it is somebody's who was before the first apply. */
function ownersOf(object: Members, { shape, blank }: Kind, author: Author): readonly Managed[] {
  const entries = managedOf(object)
  if (entries.length > 0) return entries
  return managedOf(ascribed(blank, object, shape, { ...author, manager: 'before-first-apply' }))
}

/**
 * The value without what the author applied `last` time and nobody claims now, whether by applying or by updating. A
 * map or list that is named by the schema goes with all that is in it, back come the parts that are claimed, and then
 * those that the author never applied.
 */
function prune(value: Json, shape: Shape, last: Fields, claimed: Fields): Json {
  const [whole, before] = [withNames(fieldsOf(value, shape), shape), withNames(last, shape)]
  const rest = (left: Json): Fields => difference(whole, withNames(fieldsOf(left, shape), shape))
  const gone = rest(without(value, shape, before))
  const unclaimed = difference(gone, withNames(claimed, shape))
  const lost = rest(without(value, shape, unclaimed))
  return without(value, shape, intersection(lost, before))
}
