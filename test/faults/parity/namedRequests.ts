import type { Members } from '../double/json.ts'
import type { Question } from '../double/server.ts'

const collection = '/api/v1/namespaces/shop/configmaps'
const stacks = '/apis/appstead.dev/v1alpha1/namespaces/shop/appstacks'
const stack = {
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'AppStack',
  metadata: { name: 'hello-a', namespace: 'shop' },
  spec: { services: [{ name: 'jobs', type: 'Worker', image: 'hello:1' }] },
}
const claims = '/api/v1/namespaces/shop/persistentvolumeclaims'
const makeClaim = (labels: Members): Members => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'hello-a', namespace: 'shop', labels },
  spec: {
    accessModes: ['ReadWriteMany'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: 'shared',
    volumeMode: 'Filesystem',
  },
})

/** The fewest requests that once were answered otherwise by the double, by what the real server does. */
export const namedRequests: Readonly<Record<string, readonly Question[]>> = {
  'takes all labels from who applies none any more, though another manager owns the map of them': [
    create('appstead', { labels: { b: '1', c: '3' } }),
    apply('appstead', { labels: { b: '3', c: '1' } }),
    apply('appstead', {}),
  ],
  'leaves what others claim of a map that its last applier no longer names': [
    apply('appstead', { labels: { a: '1', b: '1', c: '1' } }),
    apply('beta', { labels: { a: '1' } }),
    merge({ labels: { b: '2' } }),
    apply('appstead', {}),
  ],
  'keeps no owners of what had none, and says at the first apply that somebody was before': [
    create('appstead', {}),
    merge({ annotations: { a: '1' } }),
    apply('beta', { annotations: { b: '2' } }),
  ],
  'writes what it was told to leave as it was, once, when the object has a status of defaults': [
    { ...create('appstead', {}), path: `${stacks}?fieldManager=appstead`, body: stack },
    { ...merge({ annotations: null }), path: `${stacks}/hello-a?fieldManager=beta` },
    { ...merge({ annotations: null }), path: `${stacks}/hello-a?fieldManager=beta` },
  ],
  'protects a claim from the first, which is the doing of no manager': [
    { ...create('appstead', {}), path: `${claims}?fieldManager=appstead`, body: makeClaim({ a: '1' }) },
    {
      ...apply('appstead', {}),
      path: `${claims}/hello-a?fieldManager=appstead&force=true`,
      body: makeClaim({ b: '2' }),
    },
    { ...merge({ finalizers: ['example.com/held'] }), path: `${claims}/hello-a?fieldManager=beta` },
  ],
}

function create(manager: string, metadata: Members): Question {
  const path = `${collection}?fieldManager=${manager}`
  return { method: 'POST', path, body: makeConfigMap(metadata), contentType: 'application/json' }
}

function apply(manager: string, metadata: Members): Question {
  const path = `${collection}/hello-a?fieldManager=${manager}&force=true`
  return { method: 'PATCH', path, body: makeConfigMap(metadata), contentType: 'application/apply-patch+yaml' }
}

function merge(metadata: Members): Question {
  const path = `${collection}/hello-a?fieldManager=beta`
  return { method: 'PATCH', path, body: { metadata }, contentType: 'application/merge-patch+json' }
}

function makeConfigMap(metadata: Members): Members {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'hello-a', namespace: 'shop', ...metadata } }
}
