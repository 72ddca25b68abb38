import type { Json, Members } from '../double/json.ts'
import type { Question } from '../double/server.ts'
import { servedKind } from '../double/served.ts'
import type { Store } from '../double/store.ts'
import { metaOf, type Meta } from '../double/writes.ts'
import type { Random } from '../schedule/random.ts'
import { drawBody, drawTarget, drawTexts, leaving, letters, namespace, targetOf, type Target } from './randomTargets.ts'

/**
 * Requests drawn at random over a few objects, right ones and wrong ones: made twice, applied by two managers, patched
 * where a test fails, written and deleted by a wrong uid or an old resourceVersion, held by finalizers, in a namespace
 * that comes and goes; and what is read of them, in pages and by watches.
 */

const managers = ['appstead', 'beta']
const held = 'example.com/held'
const jsonPatchType = 'application/json-patch+json'
const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

type Draw = (random: Random, store: Store) => Question

/** The namespaces in which it all happens. */
export const beginning: readonly Question[] = [namespace, leaving].map((name) => ({
  method: 'POST',
  path: '/api/v1/namespaces?fieldManager=kubectl',
  body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
  contentType: 'application/json',
}))

/** The next request. */
export function drawRequest(random: Random, store: Store): Question {
  return random.pick(draws)(random, store)
}

function metaIn(store: Store, { kind, namespace: where, name }: Target): Meta | undefined {
  const object = store.get(servedKind(kind), `${where}/${name}`)
  return object === undefined ? undefined : metaOf(object)
}

function uidOf(random: Random, store: Store, target: Target): string {
  const uid = random.chance(0.7) ? metaIn(store, target)?.uid : undefined
  return uid ?? '00000000-0000-4000-8000-000000000000'
}

/** That of the object, or an older one; others write Deployments of the real cluster. */
function versionOf(random: Random, store: Store, target: Target): string {
  const version =
    target.kind !== 'Deployment' && random.chance(0.7) ? metaIn(store, target)?.resourceVersion : undefined
  return version ?? '1'
}

const create: Draw = (random) => {
  const target = drawTarget(random)
  // A Deployment that is created owns all its defaults, which the double does not know; the operator applies it.
  if (target.kind === 'Deployment') return { method: 'GET', path: target.path }
  const path = `${target.collection}?fieldManager=${random.pick(managers)}`
  return { method: 'POST', path, body: drawBody(random, target), contentType: 'application/json' }
}

const apply: Draw = (random, store) => {
  const target = drawTarget(random)
  const force = random.chance(0.7) ? '&force=true' : ''
  const path = `${target.path}?fieldManager=${random.pick(managers)}${force}`
  const body = drawBody(random, target)
  const uid = random.chance(0.1) ? { uid: uidOf(random, store, target) } : {}
  const resourceVersion = random.chance(0.05) ? { resourceVersion: versionOf(random, store, target) } : {}
  const metadata = { ...metaOf(body), ...uid, ...resourceVersion }
  return { method: 'PATCH', path, body: { ...body, metadata }, contentType: 'application/apply-patch+yaml' }
}

const merge: Draw = (random, store) => {
  const target = drawTarget(random)
  const value = (): Json => (random.chance(0.4) ? null : String(random.integer(1, 3)))
  const metadata = random.pick<Members>([
    { labels: { [random.pick(letters)]: value() } },
    { labels: { [random.pick(letters)]: value(), [random.pick(letters)]: value() } },
    // Others annotate Deployments of the real cluster, which shows in who owns the map.
    ...(target.kind === 'Deployment'
      ? []
      : [{ annotations: random.chance(0.3) ? null : { [random.pick(letters)]: value() } }]),
    { finalizers: random.pick([[held], null, []]) },
    { labels: drawTexts(random), resourceVersion: versionOf(random, store, target) },
  ])
  const path = `${target.path}?fieldManager=${random.pick(managers)}`
  return { method: 'PATCH', path, body: { metadata }, contentType: 'application/merge-patch+json' }
}

const jsonPatch: Draw = (random, store) => {
  const target = drawTarget(random)
  const label = `/metadata/labels/${random.pick(letters)}`
  const body = [
    random.chance(0.7)
      ? { op: 'test', path: '/metadata/uid', value: uidOf(random, store, target) }
      : { op: 'test', path: '/metadata/resourceVersion', value: versionOf(random, store, target) },
    random.pick([
      { op: 'add', path: '/metadata/labels', value: drawTexts(random) },
      ...(target.kind === 'Deployment' ? [] : [{ op: 'add', path: '/metadata/annotations', value: drawTexts(random) }]),
      { op: 'add', path: label, value: '1' },
      { op: 'replace', path: label, value: '2' },
      { op: 'remove', path: label },
    ]),
  ]
  return { method: 'PATCH', path: withManager(random, target.path), body, contentType: jsonPatchType }
}

function withManager(random: Random, path: string): string {
  return `${path}?fieldManager=${random.pick(managers)}`
}

/** As the operator adds and takes off its finalizer: tested against what it saw, which may be wrong. */
const finalize: Draw = (random, store) => {
  const target = drawTarget(random)
  const first = [
    { op: 'test', path: '/metadata/finalizers', value: null },
    { op: 'add', path: '/metadata/finalizers', value: [held] },
  ]
  const further = [{ op: 'add', path: '/metadata/finalizers/-', value: `example.com/${random.pick(letters)}` }]
  const path = `/metadata/finalizers/${random.integer(0, 1)}`
  const last = [
    { op: 'test', path, value: held },
    { op: 'remove', path },
  ]
  const steps = random.pick([first, further, last, last])
  const body = [{ op: 'test', path: '/metadata/uid', value: uidOf(random, store, target) }, ...steps]
  return { method: 'PATCH', path: withManager(random, target.path), body, contentType: jsonPatchType }
}

function drawStatus(random: Random): Members {
  const conditions = [
    ...(random.chance(0.5) ? [makeCondition('Ready', 'True')] : []),
    ...(random.chance(0.5) ? [makeCondition('Valid', 'False')] : []),
  ]
  return { observedGeneration: random.integer(1, 3), ...(random.chance(0.8) ? { conditions } : {}) }
}

/**
 * Of one type there is one condition: had another manager changed a part of it, an apply that leaves it out would take
 * the rest away, without which the item is not valid, and the double does not validate.
 */
function makeCondition(type: string, status: string): Members {
  return { type, status, reason: 'Drawn', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
}

/** As the operator replaces a status, and as others might merge or apply one. */
const status: Draw = (random, store) => {
  const target = targetOf(random, 'AppStack')
  const path = withManager(random, `${target.path}/status`)
  const given = drawStatus(random)
  if (random.chance(0.2)) {
    return { method: 'PATCH', path, body: { status: given }, contentType: 'application/merge-patch+json' }
  }
  if (random.chance(0.2)) {
    const { name, namespace: where } = target
    const metadata = { name, namespace: where }
    const body = { apiVersion: 'appstead.dev/v1alpha1', kind: 'AppStack', metadata, status: given }
    return { method: 'PATCH', path: `${path}&force=true`, body, contentType: 'application/apply-patch+yaml' }
  }
  const body = [
    { op: 'test', path: '/metadata/uid', value: uidOf(random, store, target) },
    { op: 'add', path: '/status', value: given },
  ]
  return { method: 'PATCH', path, body, contentType: jsonPatchType }
}

const remove: Draw = (random, store) => {
  const target = drawTarget(random)
  const preconditions = random.pick([
    { uid: uidOf(random, store, target) },
    { uid: uidOf(random, store, target) },
    ...(target.kind === 'Deployment' ? [] : [{ resourceVersion: versionOf(random, store, target) }]),
    undefined,
  ])
  const body = { propagationPolicy: 'Background', ...(preconditions === undefined ? {} : { preconditions }) }
  return { method: 'DELETE', path: target.path, body, contentType: 'application/json' }
}

function drawAccept(random: Random): { readonly accept?: string } {
  return random.chance(0.3) ? { accept: metadataOnly } : {}
}

const get: Draw = (random) => ({ method: 'GET', path: drawTarget(random).path, ...drawAccept(random) })

function drawSelector(random: Random): string {
  const [letter, number] = [random.pick(letters), random.integer(1, 3)]
  const selector = random.pick([letter, `!${letter}`, `${letter}=${number}`, `${letter}!=${number}`])
  return `labelSelector=${encodeURIComponent(selector)}`
}

/** In pages, which are all asked for. */
const list: Draw = (random) => {
  const { kind, collection } = drawTarget(random)
  const selector = random.chance(0.5) ? drawSelector(random) : ''
  // The real cluster puts a ConfigMap of its own into each namespace, without a label.
  const query =
    kind === 'ConfigMap' ? `labelSelector=${random.pick(letters)}` : `${selector}&limit=${random.integer(1, 3)}`
  const path = `${collection}?${query}`
  return {
    method: 'GET',
    path,
    ...(random.chance(0.3) ? { accept: metadataOnly.replace('Metadata', 'MetadataList') } : {}),
  }
}

/** From what one of the objects was last written at; the real cluster writes its Deployments more often. */
const watch: Draw = (random, store) => {
  const target = targetOf(random, random.pick(['ConfigMap', 'Secret', 'AppStack']))
  const from = metaIn(store, { ...target, name: `hello-${random.pick(letters)}` })?.resourceVersion
  if (from === undefined) return { method: 'GET', path: target.path }
  const selector = random.chance(0.4) ? `&${drawSelector(random)}` : ''
  const path = `${target.collection}?watch=1&allowWatchBookmarks=true&resourceVersion=${from}${selector}`
  return { method: 'GET', path, ...drawAccept(random) }
}

const makeNamespace: Draw = () => beginning[1]!
/** While something in it is held, it stays and refuses what is new. */
const removeNamespace: Draw = () => ({ method: 'DELETE', path: `/api/v1/namespaces/${leaving}` })

const often = (draw: Draw, times: number): Draw[] => Array.from({ length: times }, () => draw)
const draws: readonly Draw[] = [
  ...often(create, 6),
  ...often(apply, 12),
  ...often(merge, 6),
  ...often(jsonPatch, 5),
  ...often(finalize, 4),
  ...often(status, 4),
  ...often(remove, 4),
  ...often(get, 2),
  ...often(list, 3),
  ...often(watch, 2),
  makeNamespace,
  removeNamespace,
]
