import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { TypeCache } from '../../../operator/runtime/cache.ts'
import type { AnyInformer } from '../../../operator/runtime/informers.ts'

const type = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true }

function makePod(name: string, resourceVersion: number, more: Record<string, unknown> = {}): KubeObject {
  const metadata = {
    namespace: 'n',
    name,
    uid: `uid-${name}`,
    resourceVersion: String(resourceVersion),
    managedFields: [{}],
    ...more,
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata }
}

interface Rig {
  readonly cache: TypeCache
  readonly changes: string[]
  readonly errors: string[]
  readonly put: (...pods: KubeObject[]) => void
  readonly names: () => string[]
}

function makeRig(informer: Partial<AnyInformer> = {}): Rig {
  const changes: string[] = []
  const errors: string[] = []
  const cache = new TypeCache({
    informer: { type, ...informer },
    onHandlerError: (error, object) => errors.push(`${object.metadata.name}: ${String(error)}`),
  })
  cache.onChange((before, after) => {
    const versions = [before, after].map((object) => object?.metadata.resourceVersion ?? '')
    changes.push(`${(after ?? before)?.metadata.name} ${versions.join('>')}`)
  })
  const put = (...pods: KubeObject[]): void => pods.forEach((pod) => cache.upsert(cache.keep(pod)))
  return { cache, changes, errors, put, names: () => cache.list().map(({ metadata }) => metadata.name) }
}

const pods = (count: number): KubeObject[] => Array.from({ length: count }, (_, index) => makePod(`p${index}`, 1))

const keepAll = (cache: TypeCache, objects: KubeObject[]): KubeObject[] => objects.map((pod) => cache.keep(pod))

const keep = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: {
    name: 'a',
    namespace: 'n',
    resourceVersion: object.metadata.resourceVersion ?? '',
    labels: { had: String('managedFields' in object.metadata) },
  },
})

const indexGood = (object: KubeObject): string[] => {
  if (object.metadata.name === 'bad') throw new Error('index broke')
  return ['v']
}

const indexTwice = ({ metadata: { labels: { app = 'x' } = {} } }: KubeObject): string[] => [app, app]

const keepGood = (object: KubeObject): KubeObject => {
  if (object.metadata.name === 'bad') throw new Error('keep broke')
  return object
}

describe('cache', () => {
  it('is synced with its first list, empty as it may be', () => {
    const { cache } = makeRig()
    expect(cache.isSynced).toBe(false)
    cache.replace([], '5')
    expect(cache.isSynced).toBe(true)
    expect(cache.seenResourceVersion).toBe('5')
  })

  it('tells what was, and what is', () => {
    const { cache, changes, put } = makeRig()
    cache.replace(keepAll(cache, [makePod('a', 1)]), '3')
    put(makePod('a', 4), makePod('b', 5))
    cache.remove(cache.keep(makePod('a', 6)))
    expect(changes).toEqual(['a >1', 'a 1>4', 'b >5', 'a 4>'])
  })

  it('tells of each object that a new list no longer has', () => {
    const { cache, changes, names } = makeRig()
    cache.replace(keepAll(cache, [makePod('a', 1), makePod('b', 2), makePod('c', 3)]), '3')
    changes.length = 0
    cache.replace(keepAll(cache, [makePod('b', 2), makePod('c', 7)]), '9')
    expect(changes).toEqual(['a 1>', 'c 3>7'])
    expect(names()).toEqual(['b', 'c'])
  })

  it('ignores what is older than what it holds, also with more digits', () => {
    const { cache, changes, put } = makeRig()
    put(makePod('a', 100))
    put(makePod('a', 99), makePod('a', 100))
    cache.remove(cache.keep(makePod('a', 98)))
    expect(changes).toEqual(['a >100'])
    expect(cache.seenResourceVersion).toBe('100')
  })

  it('does not bring back what is gone when an event of before is told again', () => {
    const { cache, changes, names, put } = makeRig()
    cache.replace(keepAll(cache, [makePod('a', 1)]), '3')
    cache.remove(cache.keep(makePod('a', 6)))
    put(makePod('a', 5), makePod('a', 6))
    expect(names()).toEqual([])
    expect(changes).toEqual(['a >1', 'a 1>'])
  })

  it('does not lose what was made anew when the deletion of before is told again', () => {
    const { cache, names, put } = makeRig()
    put(makePod('a', 5))
    cache.remove(cache.keep(makePod('a', 6)))
    put(makePod('a', 8, { uid: 'another' }))
    cache.remove(cache.keep(makePod('a', 6)))
    expect(names()).toEqual(['a'])
  })

  it.each([
    ['without an index', {}],
    ['by an index', { namespace: ({ metadata }: KubeObject) => [metadata.namespace ?? ''] }],
  ])('drops what was in a namespace that is gone, and not what was made there after it, %s', (_, indexes) => {
    const { cache, changes, put, names } = makeRig({ indexes })
    put(makePod('old', 10), makePod('elsewhere', 11, { namespace: 'm' }), makePod('new', 30))
    changes.length = 0
    cache.dropNamespace('n', '20')
    expect(changes).toEqual(['old 10>'])
    expect(names()).toEqual(['elsewhere', 'new'])
    // Its own event, when it comes at last, tells nothing more.
    cache.remove(makePod('old', 19))
    expect(changes).toEqual(['old 10>'])
  })

  it('once an older list is believed takes it for the truth, and calls nothing gone that is in it', () => {
    const { cache, changes, put } = makeRig()
    put(makePod('a', 100), makePod('b', 101))
    const { era } = cache
    changes.length = 0
    cache.replace(keepAll(cache, [makePod('a', 50)]), '60')
    expect(changes).toEqual(['b 101>', 'a 100>50'])
    expect(cache.get({ namespace: 'n', name: 'a' })?.metadata.resourceVersion).toBe('50')
    expect(cache.seenResourceVersion).toBe('60')
    expect(cache.era).not.toBe(era)
    put(makePod('a', 61))
    expect(changes.at(-1)).toBe('a 50>61')
  })

  it('keeps no managedFields, and freezes all the way down', () => {
    const { cache, put } = makeRig()
    put(makePod('a', 1, { labels: { x: 'y' } }))
    const held = cache.get({ namespace: 'n', name: 'a' })
    expect(held?.metadata).not.toHaveProperty('managedFields')
    expect(Object.isFrozen(held?.metadata.labels)).toBe(true)
  })

  it('holds what the Informer keeps, computed while managedFields are there', () => {
    const { cache, put } = makeRig({ keep })
    put(makePod('a', 1))
    const metadata = { name: 'a', namespace: 'n', resourceVersion: '1', labels: { had: 'true' } }
    expect(cache.list()).toEqual([{ apiVersion: 'v1', kind: 'Pod', metadata }])
  })

  it('holds the metadata of an object that keep() cannot read', () => {
    const { cache, errors, put, names } = makeRig({ keep: keepGood })
    put(makePod('bad', 1), makePod('good', 2))
    expect(names()).toEqual(['bad', 'good'])
    expect(errors).toEqual(['bad: Error: keep broke'])
    expect(cache.get({ namespace: 'n', name: 'bad' })?.metadata).not.toHaveProperty('managedFields')
  })

  it('finds by index, follows what changes its value, forgets what is gone', () => {
    const { cache, put } = makeRig({
      indexes: { app: (object: KubeObject) => [object.metadata.labels?.['app'] ?? 'none'] },
    })
    const byApp = (app: string): string[] => cache.byIndex('app', app).map(({ metadata }) => metadata.name)
    put(makePod('a', 1, { labels: { app: 'x' } }), makePod('b', 2, { labels: { app: 'x' } }), makePod('c', 3))
    expect([byApp('x'), byApp('none'), byApp('y')]).toEqual([['a', 'b'], ['c'], []])
    put(makePod('a', 4, { labels: { app: 'y' } }))
    cache.remove(cache.keep(makePod('b', 5)))
    expect([byApp('x'), byApp('y')]).toEqual([[], ['a']])
    expect(() => cache.byIndex('nope', '')).toThrow(TypeError)
  })

  it('finds each of many by index, once, also when its value was said twice', () => {
    const { cache, put } = makeRig({ indexes: { app: indexTwice } })
    const found = (): string[] =>
      cache.byIndex('app', 'x').map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
    put(...Array.from({ length: 30 }, (_, index) => makePod(`p${index}`, index + 1)))
    expect(found().toSorted()).toEqual(
      pods(30)
        .map((_, index) => `p${index} ${index + 1}`)
        .toSorted(),
    )
    put(makePod('p3', 31), makePod('p20', 32, { labels: { app: 'y' } }))
    cache.remove(cache.keep(makePod('p0', 33)))
    expect(found()).toHaveLength(28)
    expect(found()).toContain('p3 31')
    expect(found().filter((name) => /^p(0|20) /.test(name))).toEqual([])
  })

  it('a handler or an index that throws costs only its object', () => {
    const { cache, errors, changes, put } = makeRig({ indexes: { i: indexGood } })
    cache.onChange((_before, after) => {
      if (after?.metadata.name === 'bad') throw new Error('handler broke')
    })
    put(makePod('bad', 1), makePod('good', 2))
    expect(errors).toEqual(['bad: Error: index broke', 'bad: Error: handler broke'])
    expect(changes).toEqual(['bad >1', 'good >2'])
    expect(cache.byIndex('i', 'v').map(({ metadata }) => metadata.name)).toEqual(['good'])
  })

  it('keeps no copy that kubectl left of the object', () => {
    const { cache, put } = makeRig()
    const copy = 'kubectl.kubernetes.io/last-applied-configuration'
    put(makePod('a', 1, { annotations: { [copy]: '{"data":{"password":"canary"}}', other: 'stays' } }))
    expect(cache.list()[0]?.metadata.annotations).toEqual({ other: 'stays' })
  })

  it('says what it has seen after its handlers were called', () => {
    const { cache, changes, put } = makeRig()
    const seen: string[] = []
    cache.onSeen((resourceVersion) => seen.push(`${resourceVersion} after ${changes.length}`))
    put(makePod('a', 5))
    cache.bookmark('9')
    cache.bookmark('8')
    expect(seen).toEqual(['5 after 1', '9 after 1'])
  })
})

function doubtsOf(held: number, listed: number, resourceVersion = '9'): readonly string[] {
  const { cache } = makeRig()
  cache.replace(keepAll(cache, pods(held)), '7')
  return cache.doubtsOf(pods(listed), resourceVersion)
}

describe('doubts of a list', () => {
  it.each([
    [0, 0, []],
    [1, 0, ['shrunk']],
    [11, 1, []],
    [12, 1, ['shrunk']],
    [50, 40, []],
    [50, 39, ['shrunk']],
    [1000, 800, []],
    [1000, 799, ['shrunk']],
    [1000, 1001, []],
  ])('of %d held objects %d are in it: %j', (held, listed, expected) => {
    expect(doubtsOf(held, listed)).toEqual(expected)
  })

  it('counts what is missing, not how many there are: others in their place do not help', () => {
    const { cache } = makeRig()
    cache.replace(keepAll(cache, pods(50)), '7')
    const others = pods(50).map(({ metadata }) => makePod(`other-${metadata.name}`, 8))
    expect(cache.doubtsOf(others, '9')).toEqual(['shrunk'])
  })

  it('are of its age, too', () => {
    expect(doubtsOf(5, 5, '7')).toEqual([])
    expect(doubtsOf(5, 5, '6')).toEqual(['older'])
    expect(doubtsOf(50, 0, '6')).toEqual(['older', 'shrunk'])
  })

  it('are never of the first one, empty as it may be', () => {
    expect(makeRig().cache.doubtsOf([], '1')).toEqual([])
  })
})
