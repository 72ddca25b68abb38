import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { finalizerPatch } from '../../../operator/runtime/finalizerPatch.ts'
import { PatchRefused, withJsonPatch } from '../../faults/double/patches.ts'

const lists = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'ours/one'))

function makeObject(finalizers: readonly string[], uid = 'u'): KubeObject {
  // The API server keeps no empty list.
  const metadata = { name: 'n', uid, ...(finalizers.length === 0 ? {} : { finalizers }) }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata }
}

/** The finalizers after the patch; undefined when the API server would refuse it. */
function patched(live: KubeObject, seen: KubeObject, wanted: readonly string[]): readonly string[] | undefined {
  const patch = finalizerPatch(seen, wanted) as Parameters<typeof withJsonPatch>[1]
  try {
    return (withJsonPatch(live, patch) as KubeObject).metadata.finalizers ?? []
  } catch (error) {
    if (error instanceof PatchRefused) return undefined
    throw error
  }
}

describe('a patch of finalizers', () => {
  it('leads from any list to any other', () => {
    fc.assert(
      fc.property(lists, lists, (seen, wanted) => {
        expect(patched(makeObject(seen), makeObject(seen), wanted)?.toSorted()).toEqual(wanted.toSorted())
      }),
    )
  })

  it('takes off only what was not wanted, whatever others did meanwhile, or is refused', () => {
    fc.assert(
      fc.property(lists, lists, (seen, live) => {
        const wanted = seen.filter((finalizer) => finalizer !== 'ours/one')
        const after = patched(makeObject(live), makeObject(seen), wanted) ?? live
        expect(live.filter((finalizer) => finalizer !== 'ours/one' && !after.includes(finalizer))).toEqual([])
      }),
    )
  })

  it('is refused by another object of the same name', () => {
    expect(patched(makeObject([], 'another'), makeObject([]), ['ours/one'])).toBeUndefined()
  })

  it('is refused when there are finalizers where none were seen', () => {
    expect(patched(makeObject(['a']), makeObject([]), ['ours/one'])).toBeUndefined()
  })
})
