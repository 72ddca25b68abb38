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
export function isMember(node: Fields): boolean {
  return itself in node || isEmpty(node)
}

export function isEmpty(root: Fields): boolean {
  for (const _name in root) return false
  return true
}

/** Whether there is a path in the set below this node. */
export function hasBelow(node: Fields): boolean {
  for (const name in node) if (name !== itself) return true
  return false
}

/** A node that is in the set, over the paths below it. */
export function member(below: Fields): Fields {
  return isEmpty(below) || itself in below ? below : { [itself]: none, ...below }
}

/** What is in `a` or in `b`. */
export function union(a: Fields, b: Fields): Fields {
  const fields: Record<string, Fields> = { ...a }
  for (const [element, below] of Object.entries(b)) {
    const known = a[element]
    fields[element] = known === undefined ? below : unionOfNodes(known, below)
  }
  return fields
}

function unionOfNodes(a: Fields, b: Fields): Fields {
  const both = union(a, b)
  return isMember(a) || isMember(b) ? member(both) : both
}

/** What is in `a` but not in `b`; a path counts for itself, not for those below it. */
export function difference(a: Fields, b: Fields): Fields {
  return chosen(a, b, (isInB) => !isInB)
}

/** What is in both. */
export function intersection(a: Fields, b: Fields): Fields {
  return chosen(a, b, (isInB) => isInB)
}

/** Those paths of `a` that are chosen by whether they are in `b`. */
function chosen(a: Fields, b: Fields, isChosen: (isInB: boolean) => boolean): Fields {
  const fields: Record<string, Fields> = {}
  for (const [element, node] of Object.entries(a)) {
    if (element === itself) continue
    const other = b[element]
    if (other === undefined) {
      if (isChosen(false)) fields[element] = node
      continue
    }
    const below = chosen(node, other, isChosen)
    if (isMember(node) && isChosen(isMember(other))) fields[element] = member(below)
    else if (!isEmpty(below)) fields[element] = below
  }
  return fields
}
