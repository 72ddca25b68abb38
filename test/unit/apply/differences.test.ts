import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { differingPaths, foreignManagerOf, textOfPath } from '../../../operator/apply/differences.ts'

/** In which words a person is told where an object is otherwise, and by whom. */

const pod = (container: object, more: object = {}): KubeObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop-dev', labels: { 'a.b/c': 'd' } },
    spec: { replicas: 2, template: { spec: { containers: [{ name: 'web', ...container }], ...more } } },
  }) as KubeObject

const rendered = pod({
  image: 'a:1',
  args: ['x', 'y'],
  env: [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ],
  volumeMounts: [
    { name: 'files', mountPath: '/a', subPath: 'file-0' },
    { name: 'files', mountPath: '/b', subPath: 'file-1' },
  ],
})

type Change = (object: Changeable) => void
/** Any part of an object may be set. */
// oxlint-disable-next-line typescript/no-explicit-any
type Changeable = any

function changed(change: Change): KubeObject {
  const copy = structuredClone(rendered)
  change(copy)
  return copy
}

const pathsIn = (live: KubeObject): string[] => differingPaths(rendered, live).map(textOfPath)
const container = 'spec.template.spec.containers[web]'

describe('the paths at which a live object differs', () => {
  it.each<[string, Change]>([
    ['spec.replicas', (o) => (o.spec.replicas = 1)],
    [`${container}.image`, (o) => (o.spec.template.spec.containers[0].image = 'b')],
    [`${container}.args`, (o) => o.spec.template.spec.containers[0].args.pop()],
    [`${container}.env[B].value`, (o) => (o.spec.template.spec.containers[0].env[1].value = '3')],
    [`${container}.env[A]`, (o) => o.spec.template.spec.containers[0].env.shift()],
    [`${container}.volumeMounts[/b].subPath`, (o) => delete o.spec.template.spec.containers[0].volumeMounts[1].subPath],
    ['metadata.labels[a.b/c]', (o) => delete o.metadata.labels['a.b/c']],
    ['spec', (o) => delete o.spec],
  ])('are told as %s', (path, change) => {
    expect(pathsIn(changed(change))).toEqual([path])
  })

  it('are none where others only add, in whatever order, nor in what names the object', () => {
    const live = changed((o) => {
      o.spec.template.spec.containers.unshift({ name: 'sidecar', image: 's' })
      o.spec.template.spec.containers[1].env.reverse()
      o.spec.paused = true
      o.metadata.annotations = { foreign: 'x' }
      o.metadata.uid = 'u'
    })
    expect(pathsIn(live)).toEqual([])
  })
})

const managed = (...entries: readonly object[]): KubeObject =>
  changed((o) => {
    o.spec.replicas = 1
    o.spec.template.spec.containers[0].image = 'b'
    o.metadata.managedFields = entries
  })
const of = (manager: string, time: string, spec: object, more: object = {}): object => ({
  manager,
  time,
  fieldsV1: { 'f:spec': spec },
  ...more,
})
const nameIn = (live: KubeObject): string => foreignManagerOf(live, differingPaths(rendered, live))

describe('the field manager that is named', () => {
  const image = { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } } } } }
  const otherImage = { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"side"}': { 'f:image': {} } } } } }

  it('is the last one that wrote at one of the paths, also through a subresource', () => {
    expect(
      nameIn(managed(of('first', '1', image), of('last', '2', { 'f:replicas': {} }, { subresource: 'scale' }))),
    ).toBe('last')
    expect(nameIn(managed(of('last', '2', image), of('first', '1', image)))).toBe('last')
    expect(nameIn(managed(of('whole', '1', { '.': {}, 'f:template': {} })))).toBe('whole')
  })

  it('is neither ours, nor one that wrote elsewhere; nobody, when what was taken away has no owner', () => {
    expect(
      nameIn(managed(of('appstead', '9', image), of('side', '8', otherImage), of('x', '7', { 'f:paused': {} }))),
    ).toBe('')
    expect(nameIn(managed())).toBe('')
  })
})
