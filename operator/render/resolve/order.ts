/**
 * Items whose order says nothing, always in the same one: else another order would replace replicas.
 * In: the items and the text each is known by. Out: a new list, by those texts.
 */
export function inOrder<Item>(items: readonly Item[] = [], keyOf: (item: Item) => string): Item[] {
  return items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}
