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

const keepAll = (cache: TypeCache, pods: KubeObject[]): KubeObject[] => pods.map((pod) => cache.keep(pod))

const keep = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { name: 'a', namespace: 'n', labels: { had: String('managedFields' in object.metadata) } },
})

const indexGood = (object: KubeObject): string[] => {
  if (object.metadata.name === 'bad') throw new Error('index broke')
  return ['v']
}

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

  it('takes an older list for the truth: then the data of the server was restored', () => {
    const { cache, put } = makeRig()
    put(makePod('a', 100))
    cache.replace(keepAll(cache, [makePod('a', 50)]), '60')
    expect(cache.get({ namespace: 'n', name: 'a' })?.metadata.resourceVersion).toBe('50')
    expect(cache.seenResourceVersion).toBe('60')
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
    expect(cache.list()).toEqual([
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'n', labels: { had: 'true' } } },
    ])
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
