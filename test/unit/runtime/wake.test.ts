import { describe, expect, it } from '@jest/globals'
import type { ApiObject } from '../../../operator/api/meta.ts'
import { priorityAtStart, priorityOfChange } from '../../../operator/runtime/wake.ts'

type Box = ApiObject<unknown, unknown>

function makeBox(metadata: Partial<Box['metadata']> = {}, status: unknown = { observedGeneration: 2 }): Box {
  return { apiVersion: 'v1', kind: 'Box', metadata: { name: 'a', generation: 2, ...metadata }, spec: {}, status }
}

describe('priority', () => {
  it.each([
    ['a new object', undefined, makeBox(), 'event'],
    ['another one of that name', makeBox({ uid: 'a' }), makeBox({ uid: 'b' }), 'user'],
    ['one that is gone', makeBox(), undefined, 'user'],
    ['a changed spec', makeBox(), makeBox({ generation: 3 }), 'user'],
    ['a changed annotation', makeBox(), makeBox({ annotations: { a: 'b' } }), 'user'],
    ['a deletion', makeBox(), makeBox({ deletionTimestamp: '2026-01-01T00:00:00Z' }), 'user'],
    ['our own status write', makeBox(), makeBox({ resourceVersion: '9' }, { phase: 'Running' }), 'event'],
    ['our own finalizer', makeBox(), makeBox({ finalizers: ['x'] }), 'event'],
  ] as const)('of %s', (_what, before, after, priority) => {
    expect(priorityOfChange(before, after)).toBe(priority)
  })

  it.each([
    ['as it was left', makeBox(), 'resync'],
    ['changed while nobody looked', makeBox({ generation: 3 }), 'user'],
    ['never seen', makeBox({ generation: 1 }, {}), 'event'],
    ['never looked at', makeBox({ generation: 1 }, { observedGeneration: -1 }), 'event'],
    ['deleted while nobody looked', makeBox({ deletionTimestamp: '2026-01-01T00:00:00Z' }), 'user'],
  ] as const)('at the start, of an object %s', (_what, object, priority) => {
    expect(priorityAtStart(object)).toBe(priority)
  })
})
