import { isMembers, isSame, type Json, type Members } from './json.ts'
import { elementOf, shapeAt, type Shape } from './shapes.ts'

/**
 * Sets of paths, written as fieldsV1: a node without members, or with a member `.`, is in the set itself; the root
 * never is.
 */
export interface Fields {
  readonly [element: string]: Fields
}

export const none: Fields = {}
const itself = '.'

/** Whether the path of this node is in the set. */
export function isMember(fields: Fields): boolean {
  return itself in fields || Object.keys(fields).length === 0
}

export function isEmpty(root: Fields): boolean {
  for (const _name in root) return false
  return true
}

/** Parts of a value by path element; undefined when it is one piece. */
export function partsOf(value: Json, shape: Shape): ReadonlyMap<string, readonly [Json, Shape]> | undefined {
  if (shape.kind === 'map' && isMembers(value)) {
    return new Map(Object.entries(value).map(([name, part]) => [`f:${name}`, [part, shapeAt(shape, name)]]))
  }
  if ((shape.kind === 'keyed' || shape.kind === 'set') && Array.isArray(value)) {
    const item = shape.kind === 'keyed' ? shape.item : shape
    return new Map(value.map((part: Json) => [elementOf(shape, part), [part, item]]))
  }
  return undefined
}

/** All paths of a value; those of objects and lists only if `whole`, of list items always. */
export function fieldsOf(value: Json, shape: Shape, whole = false): Fields {
  const parts = partsOf(value, shape)
  if (parts === undefined || parts.size === 0) return none
  const fields: Record<string, Fields> = whole && isMembers(value) ? { [itself]: none } : {}
  for (const [element, [part, partShape]] of parts) {
    const below = fieldsOf(part, partShape, whole)
    fields[element] = element.startsWith('k:') ? { [itself]: none, ...below } : below
  }
  return fields
}

/** What is in `a` or in `b`. */
export function union(a: Fields, b: Fields): Fields {
  const fields: Record<string, Fields> = { ...a }
  for (const [element, below] of Object.entries(b)) {
    const known = a[element]
    fields[element] = known === undefined ? below : unionBelow(known, below)
  }
  return fields
}

function unionBelow(a: Fields, b: Fields): Fields {
  const both = union(a, b)
  return (isMember(a) || isMember(b)) && !isMember(both) ? { [itself]: none, ...both } : both
}

/** What is in `a` but not in `b`. */
export function difference(a: Fields, b: Fields): Fields {
  const fields: Record<string, Fields> = {}
  for (const [element, below] of Object.entries(a)) {
    if (element === itself) continue
    const left = b[element] === undefined ? below : differenceBelow(below, b[element])
    if (left !== undefined) fields[element] = left
  }
  return fields
}

function differenceBelow(a: Fields, b: Fields): Fields | undefined {
  const isLeft = isMember(a) && !isMember(b)
  const below = difference(a, b)
  if (isEmpty(below)) return isLeft ? none : undefined
  return isLeft ? { [itself]: none, ...below } : below
}

/** Whether a path is in both. */
export function intersects(a: Fields, b: Fields): boolean {
  return Object.entries(a).some(([element, below]) => {
    const other = b[element]
    if (element === itself || other === undefined) return false
    return (isMember(below) && isMember(other)) || intersects(below, other)
  })
}

export interface Comparison {
  /** Added or with another value. */
  readonly changed: Fields
  readonly removed: Fields
}

/** How `after` differs from `before`. */
export function compare(before: Json, after: Json, shape: Shape): Comparison {
  const [from, to] = [partsOf(before, shape), partsOf(after, shape)]
  if (from === undefined || to === undefined) return { changed: none, removed: none }
  const changed: Record<string, Fields> = {}
  const removed: Record<string, Fields> = {}
  for (const [element, [part, partShape]] of to) {
    const known = from.get(element)
    if (known === undefined) changed[element] = wholeOf(element, part, partShape)
    else if (!isSame(known[0], part)) compareParts(element, known[0], part, { shape: partShape, changed, removed })
  }
  for (const [element, [part, partShape]] of from) {
    if (!to.has(element)) removed[element] = wholeOf(element, part, partShape)
  }
  return { changed, removed }
}

interface Into {
  readonly shape: Shape
  readonly changed: Record<string, Fields>
  readonly removed: Record<string, Fields>
}

function compareParts(element: string, before: Json, after: Json, { shape, changed, removed }: Into): void {
  if (partsOf(before, shape) === undefined || partsOf(after, shape) === undefined) {
    changed[element] = none
    return
  }
  const below = compare(before, after, shape)
  if (!isEmpty(below.changed)) changed[element] = below.changed
  if (!isEmpty(below.removed)) removed[element] = below.removed
}

function wholeOf(element: string, part: Json, shape: Shape): Fields {
  const fields = fieldsOf(part, shape, true)
  return element.startsWith('k:') && !isMember(fields) ? { [itself]: none, ...fields } : fields
}

/** The paths of metadata that are nobody's. */
const serverOwned = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'generateName',
  'selfLink',
]

/** An object without what no manager owns. */
export function ownable(object: Members, dropped: readonly string[]): Members {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object
  const kept: Record<string, Json> = { ...(metadata as Members) }
  for (const name of serverOwned) delete kept[name]
  for (const name of ['labels', 'annotations'])
    if (isMembers(kept[name]) && isEmpty(kept[name] as Fields)) delete kept[name]
  const made: Record<string, Json> = { ...rest, ...(Object.keys(kept).length === 0 ? {} : { metadata: kept }) }
  for (const name of dropped) delete made[name]
  return made
}
