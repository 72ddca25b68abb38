import type { KubeObject } from '../api/meta.ts'

/**
 * The JSON patch (RFC 6902) from an object's finalizers as they were seen to those wanted: what others put on or took
 * off meanwhile is neither lost nor brought back.
 * In: the object as it was seen, the finalizers it is to have. Out: operations, each tested against what was seen, so
 * that the API server refuses them all when the object is another one, or a finalizer of its own list has moved.
 */
export function finalizerPatch({ metadata }: KubeObject, wanted: readonly string[]): readonly unknown[] {
  const { uid = '', finalizers: seen = [] } = metadata
  const operations: unknown[] = [{ op: 'test', path: '/metadata/uid', value: uid }]
  // From the end, so that an index stays what it was.
  for (const [index, finalizer] of [...seen.entries()].toReversed()) {
    if (wanted.includes(finalizer)) continue
    const path = `/metadata/finalizers/${index}`
    operations.push({ op: 'test', path, value: finalizer }, { op: 'remove', path })
  }
  const added = wanted.filter((finalizer) => !seen.includes(finalizer))
  if (added.length > 0 && seen.length === 0) {
    // `null` is how a JSON patch says that there is none yet.
    operations.push({ op: 'test', path: '/metadata/finalizers', value: null })
    operations.push({ op: 'add', path: '/metadata/finalizers', value: added })
  } else {
    for (const value of added) operations.push({ op: 'add', path: '/metadata/finalizers/-', value })
  }
  return operations
}
