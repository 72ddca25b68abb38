import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { actionOf, actionOfThrown, classOfThrown } from '../../../operator/runtime/actions.ts'
import { compareResourceVersions } from '../../../operator/runtime/resourceVersion.ts'
import { isSameJson } from '../../../operator/runtime/sameJson.ts'
import { parseSelector } from '../../../operator/runtime/selector.ts'

describe('resource versions', () => {
  it('compare as the whole numbers they are, of any size', () => {
    const numbers = fc.bigInt({ min: 0n, max: 2n ** 64n })
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        expect(Math.sign(compareResourceVersions(String(a), String(b)))).toBe(a === b ? 0 : a < b ? -1 : 1)
      }),
    )
  })

  it('none is older than any', () => {
    expect(compareResourceVersions(undefined, '1')).toBeLessThan(0)
    expect(compareResourceVersions('', undefined)).toBe(0)
  })
})

describe('same JSON', () => {
  it('is what JSON says, in any order of members', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([name, part]) => [name, shuffled(part)]),
      )
    }
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) =>
        expect(isSameJson(value, shuffled(JSON.parse(JSON.stringify(value))))).toBe(true),
      ),
    )
  })

  it.each([
    [{ a: 1 }, { a: 1, b: undefined }, true],
    [{ a: undefined }, {}, true],
    [{ a: 1 }, { a: 1, b: null }, false],
    [{ a: 1 }, { b: 1 }, false],
    [[1, 2], [2, 1], false],
    [[1], { 0: 1 }, false],
    [[], {}, false],
    [null, {}, false],
    [undefined, {}, false],
    [1, '1', false],
    [{ constructor: 1 }, {}, false],
    [{}, { toString: 1 }, false],
  ])('of %j and %j is %j', (a, b, expected) => {
    expect(isSameJson(a, b)).toBe(expected)
    expect(isSameJson(b, a)).toBe(expected)
  })
})

const object = (labels: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', labels },
})

describe('selectors', () => {
  it.each([
    ['x', { x: '' }, true],
    ['x', {}, false],
    ['!x', {}, true],
    ['!x', { x: 'y' }, false],
    ['x=y', { x: 'y' }, true],
    ['x==y', { x: 'z' }, false],
    ['x!=y', {}, true],
    ['x!=y', { x: 'y' }, false],
    ['a.dev/x=1, b', { 'a.dev/x': '1', b: '' }, true],
    ['a.dev/x=1,b', { 'a.dev/x': '1' }, false],
    ['constructor', {}, false],
  ])('%s of %j is %j', (selector, labels, expected) => {
    expect(parseSelector(selector)(object(labels as Record<string, string>))).toBe(expected)
  })

  it.each(['x in (a,b)', 'x>1', '!x=y', 'x=y z'])('%s is refused at start', (selector) => {
    expect(() => parseSelector(selector)).toThrow(TypeError)
  })
})

describe('what follows from how a reconcile ended', () => {
  const said = { message: 'm' }

  it('waits for an event, unless it asks for time', () => {
    expect(actionOf({ kind: 'settled' })).toMatchObject({ queue: 'forget', level: 'debug' })
    expect(actionOf({ kind: 'blocked', reason: 'AppNotFound', by: 'app a', ...said })).toMatchObject({
      queue: 'forget',
      level: 'info',
    })
    expect(actionOf({ kind: 'invalid', reason: 'ImageMissing', field: 'spec', ...said })).toMatchObject({
      queue: 'forget',
      level: 'info',
    })
    expect(actionOf({ kind: 'failed', reason: 'NamespaceConflict', ...said })).toMatchObject({
      queue: 'forget',
      level: 'error',
    })
    expect(actionOf({ kind: 'progressing', reason: 'Creating', ...said })).toMatchObject({ queue: 'forget' })
    expect(actionOf({ kind: 'progressing', reason: 'Creating', retryAfterSeconds: 9, ...said })).toMatchObject({
      queue: 'after',
      seconds: 9,
    })
  })

  it('tries again after a throw, and says a bug loudly', () => {
    expect(actionOfThrown(new KubeError('TooManyRequests', 'x', { retryAfterSeconds: 5 }))).toEqual({
      queue: 'backoff',
      seconds: 5,
      level: 'debug',
    })
    expect(actionOfThrown(new TypeError('x'))).toEqual({ queue: 'backoff', seconds: 0, level: 'error' })
    expect(
      ['Conflict', 'Forbidden', 'Invalid'].map((code) => classOfThrown(new KubeError(code as 'Conflict', 'x'))),
    ).toEqual(['transient', 'forbidden', 'refused'])
    expect(classOfThrown('a string')).toBe('bug')
  })
})
