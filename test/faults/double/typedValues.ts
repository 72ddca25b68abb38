import { hasBelow, isEmpty, isMember, member, none, type Fields } from './fieldSets.ts'
import { isMembers, isSame, type Json } from './json.ts'
import { atomic, elementOf, isNamed, shapeAt, shapeBelow, type Shape } from './shapes.ts'

/** What server-side apply does with a value whose shape is known. */

type Parts = ReadonlyMap<string, readonly [Json, Shape]>

const noParts: Parts = new Map()

/** Parts of a value by path element; undefined when it is one piece. Null is as an empty map or list. */
function partsOf(value: Json, shape: Shape): Parts | undefined {
  if (shape.kind === 'atomic') return undefined
  if (value === null || value === undefined) return noParts
  if (shape.kind === 'map') return isMembers(value) ? membersAsParts(value, shape) : undefined
  if (!Array.isArray(value)) return undefined
  const item = shape.kind === 'keyed' ? shape.item : atomic
  return new Map(value.map((part: Json) => [elementOf(shape, part), [part, item]]))
}

function membersAsParts(value: Readonly<Record<string, Json>>, shape: Shape & { readonly kind: 'map' }): Parts {
  return new Map(Object.entries(value).map(([name, part]) => [`f:${name}`, [part, shapeAt(shape, name)]]))
}

/**
 * The paths of a value: its leaves, the items of its lists, and the members of maps that users name. A map or list
 * under a name of the schema is none itself, unless it is an empty map or null.
 */
export function fieldsOf(value: Json, shape: Shape): Fields {
  const fields: Record<string, Fields> = {}
  for (const [element, [part, partShape]] of partsOf(value, shape) ?? noParts) {
    const below = fieldsOf(part, partShape)
    const isItem = !element.startsWith('f:') || !isNamed(shape, element.slice(2))
    if (isItem || isLeaf(part, partShape)) fields[element] = member(below)
    else if (!isEmpty(below)) fields[element] = below
  }
  return fields
}

function isLeaf(value: Json, shape: Shape): boolean {
  if (value === null || partsOf(value, shape) === undefined) return true
  return isMembers(value) && Object.keys(value).length === 0
}

/** The set with each name of the schema that has a path below it. */
export function withNames(fields: Fields, shape: Shape): Fields {
  const made: Record<string, Fields> = {}
  for (const [element, node] of Object.entries(fields)) {
    if (!hasBelow(node)) made[element] = node
    else {
      const below = withNames(node, shapeBelow(shape, element))
      const isName = element.startsWith('f:') && isNamed(shape, element.slice(2))
      made[element] = isName ? member(below) : below
    }
  }
  return made
}

export interface Comparison {
  /** Added or with another value. */
  readonly changed: Fields
  readonly removed: Fields
}

const same: Comparison = { changed: none, removed: none }

/** How `after` differs from `before`. What comes or goes does so with all its paths, maps and lists included. */
export function compare(before: Json, after: Json, shape: Shape): Comparison {
  if (before === after) return same
  const [from, to] = [partsOf(before, shape) ?? noParts, partsOf(after, shape) ?? noParts]
  const changed: Record<string, Fields> = {}
  const removed: Record<string, Fields> = {}
  for (const element of new Set([...from.keys(), ...to.keys()])) {
    const [was, is] = [from.get(element), to.get(element)]
    const [, partShape] = (was ?? is)!
    const below = compare(was?.[0], is?.[0], partShape)
    const isChanged = was === undefined || (is !== undefined && isOtherLeaf(was[0], is[0], partShape))
    if (isChanged) changed[element] = member(below.changed)
    else if (!isEmpty(below.changed)) changed[element] = below.changed
    if (is === undefined) removed[element] = member(below.removed)
    else if (!isEmpty(below.removed)) removed[element] = below.removed
  }
  return { changed, removed }
}

/** Whether two values are not the same and one of them is no whole of parts, or both have none. */
function isOtherLeaf(was: Json, is: Json, shape: Shape): boolean {
  const [from, to] = [partsOf(was, shape), partsOf(is, shape)]
  const isDescended = from !== undefined && to !== undefined && from.size + to.size > 0
  return !isDescended && !isSame(was, is)
}

/** The value without these paths and what is below them; null when it had parts and none is left. */
export function without(value: Json, shape: Shape, fields: Fields): Json {
  const parts = partsOf(value, shape)
  if (parts === undefined || isEmpty(fields)) return value
  const left: [string, Json][] = []
  for (const [element, [part, partShape]] of parts) {
    const node = fields[element]
    if (node === undefined) left.push([element, part])
    else if (!isMember(node)) left.push([element, without(part, partShape, node)])
  }
  if (left.length === 0) return null
  if (Array.isArray(value)) return left.map(([, part]) => part)
  return Object.fromEntries(left.map(([element, part]) => [element.slice(2), part]))
}

/** `live` with what `config` says, merged as the shape tells; undefined when there is nothing in either. */
export function merge(live: Json, config: Json, shape: Shape): Json {
  if (live === undefined) return config
  if (config === undefined) return live
  const [ours, theirs] = [partsOf(live, shape), partsOf(config, shape)]
  if (ours === undefined || theirs === undefined || ours.size + theirs.size === 0) return config
  const merged = (element: string): Json => {
    const [, partShape] = (theirs.get(element) ?? ours.get(element))!
    return merge(ours.get(element)?.[0], theirs.get(element)?.[0], partShape)
  }
  if (shape.kind !== 'map') return orderOfLists([...ours.keys()], [...theirs.keys()]).map(merged)
  const elements = new Set([...ours.keys(), ...theirs.keys()])
  return Object.fromEntries([...elements].map((element) => [element.slice(2), merged(element)]))
}

/**
 * The order of a merged list: that of `config`. Items that only `live` has stand before the item of `config` they are
 * met before when both lists are walked together; items of `live` that come too early for `config` are passed over.
 */
function orderOfLists(live: readonly string[], config: readonly string[]): readonly string[] {
  const [inLive, inConfig] = [new Set(live), new Set(config)]
  const order: string[] = []
  let at = 0
  for (const [index, element] of config.entries()) {
    const awaited = config.slice(index).find((each) => inLive.has(each))
    while (at < live.length && live[at] !== element) {
      const isOnlyLive = !inConfig.has(live[at]!)
      const isPassed = awaited !== undefined && live[at] !== awaited
      if (!isOnlyLive && !isPassed) break
      if (isOnlyLive) order.push(live[at]!)
      at += 1
    }
    order.push(element)
    if (live[at] === element) at += 1
  }
  return [...order, ...live.slice(at).filter((element) => !inConfig.has(element))]
}
