import { describe, expect, it } from '@jest/globals'
import { kinds } from '../../../operator/api/kinds.ts'
import { labels, type KubeObject } from '../../../operator/api/meta.ts'
import { informers } from '../../../operator/controllers/informers.ts'
import { TypeCache } from '../../../operator/runtime/cache.ts'
import type { AnyInformer } from '../../../operator/runtime/informers.ts'

/** Every way in which an object of Kubernetes carries content; each value is a canary that names its place. */
const contents = {
  spec: {
    canary: 'canary-spec',
    selector: { app: 'canary-selector' },
    ports: [{ name: 'canary-port', port: 1 }],
    template: { spec: { containers: [{ name: 'c', env: [{ name: 'K', value: 'canary-template' }] }] } },
    containers: [{ name: 'c', image: 'canary-image', env: [{ name: 'K', value: 'canary-env' }], args: ['canary-arg'] }],
    podSelector: { matchLabels: { app: 'canary-label' } },
  },
  data: { key: 'canary-data' },
  stringData: { key: 'canary-string-data' },
  binaryData: { key: 'canary-binary-data' },
  secrets: [{ name: 'canary-secret' }],
  imagePullSecrets: [{ name: 'canary-pull-secret' }],
  status: { canary: 'canary-status', podIP: 'canary-ip', conditions: [{ type: 'Any', message: 'canary-condition' }] },
}

const isOurs = ({ type }: AnyInformer): boolean => kinds.some(({ kind }) => kind === type.kind)
const children = (informers as readonly AnyInformer[]).filter((informer) => !isOurs(informer))
const own = (informers as readonly AnyInformer[]).filter(isOurs)

/** What the cache of an Informer holds of an object full of canaries. */
function held(informer: AnyInformer): KubeObject {
  const { kind, group, version } = informer.type
  const errors: unknown[] = []
  const cache = new TypeCache({
    informer: { ...informer, indexes: {} },
    onHandlerError: (error) => errors.push(error),
  })
  const metadata = {
    namespace: 'n',
    name: 'a',
    uid: 'u',
    resourceVersion: '1',
    labels: { [labels.instance]: 'yes', other: 'canary-label' },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":"canary-last-applied"}' },
    managedFields: [
      { manager: 'canary-manager', operation: 'Apply', fieldsV1: { 'f:data': { 'f:canary-field': {} } } },
    ],
  }
  const apiVersion = group === '' ? version : `${group}/${version}`
  const object = { apiVersion, kind, metadata, ...structuredClone(contents) } as KubeObject
  cache.upsert(cache.keep(object))
  expect(errors).toEqual([])
  return cache.list()[0] as KubeObject
}

function canariesIn(value: unknown): string[] {
  return (JSON.stringify(value).match(/canary-[a-z-]+/g) ?? []).toSorted()
}

function isFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(isFrozen)
}

describe('what the cache holds', () => {
  it.each(children.map((informer) => [informer.type.kind, informer] as const))(
    'of a %s is nothing of its content',
    (_kind, informer) => {
      const object = held(informer)
      expect(canariesIn(object)).toEqual([])
      expect(object.metadata).toMatchObject({
        namespace: 'n',
        name: 'a',
        uid: 'u',
        labels: { [labels.instance]: 'yes' },
      })
      expect(isFrozen(object)).toBe(true)
    },
  )

  it.each(own.map((informer) => [informer.type.kind, informer] as const))(
    'of our own kind %s has no managedFields and no copy by kubectl',
    (_kind, informer) => {
      const object = held(informer)
      const found = canariesIn(object)
      expect(found).toContain('canary-spec')
      expect(
        found.filter((canary) => ['canary-manager', 'canary-field', 'canary-last-applied'].includes(canary)),
      ).toEqual([])
      expect(isFrozen(object)).toBe(true)
    },
  )

  it('is asked from the server without the content where nothing of it is needed', () => {
    const metadataOnly = children.filter((informer) => informer.metadataOnly === true).map(({ type }) => type.kind)
    expect(metadataOnly).toEqual(expect.arrayContaining(['Secret']))
  })
})
