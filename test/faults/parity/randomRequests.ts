import type { Json, Members } from '../double/json.ts'
import type { Question } from '../double/server.ts'
import { servedKind } from '../double/served.ts'
import type { Store } from '../double/store.ts'
import { metaOf } from '../double/writes.ts'
import type { Random } from '../schedule/random.ts'

/**
 * Requests drawn at random over a few objects, right ones and wrong ones: made twice, applied by two managers, patched
 * where a test fails, deleted by a wrong uid, held by finalizers, in a namespace that comes and goes.
 */

const namespace = 'shop'
/** Deleted now and then while something in it is held. */
const leaving = 'shop-leaving'
const managers = ['appstead', 'beta']
const letters = ['a', 'b', 'c']

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

interface Target {
  readonly kind: 'ConfigMap' | 'AppStack' | 'Deployment'
  readonly path: string
  readonly collection: string
  readonly name: string
  readonly namespace: string
}

function drawTarget(random: Random): Target {
  const kind = random.pick(['ConfigMap', 'ConfigMap', 'AppStack', 'Deployment'] as const)
  const name = `hello-${random.pick(letters)}`
  const where = random.chance(0.15) ? leaving : random.chance(0.05) ? 'shop-nowhere' : namespace
  const { group, version, plural } = servedKind(kind).type
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const collection = `${root}/namespaces/${where}/${plural}`
  return { kind, path: `${collection}/${name}`, collection, name, namespace: where }
}

function some<T>(random: Random, items: readonly T[]): T[] {
  return items.filter(() => random.chance(0.6))
}

function textMembers(random: Random): Members {
  return Object.fromEntries(some(random, letters).map((letter) => [letter, String(random.integer(1, 3))]))
}

function drawBody(random: Random, { kind, name, namespace: where }: Target): Members {
  const labels = textMembers(random)
  // The operator renders no empty map; who owns one, the two servers do not agree on.
  const hasLabels = random.chance(0.7) && Object.keys(labels).length > 0
  const metadata = { name, namespace: where, ...(hasLabels ? { labels } : {}) }
  if (kind === 'ConfigMap') return { apiVersion: 'v1', kind, metadata, data: textMembers(random) }
  if (kind === 'AppStack') {
    const port = { port: 8080 + random.integer(0, 2) }
    const services = [
      { name: 'web', image: 'hello:1', ports: [port] },
      { name: 'jobs', type: 'Worker', image: 'hello:1' },
    ]
    return {
      apiVersion: 'appstead.dev/v1alpha1',
      kind,
      metadata,
      spec: { services: services.slice(0, random.integer(1, 2)) },
    }
  }
  return { apiVersion: 'apps/v1', kind, metadata, spec: drawDeployment(random) }
}

function drawDeployment(random: Random): Members {
  const selector = { matchLabels: { of: 'hello' } }
  const env = some(random, random.chance(0.5) ? letters : letters.toReversed()).map((name) => ({
    name,
    value: String(random.integer(1, 2)),
  }))
  const containers = [{ name: 'web', image: `hello:${random.integer(1, 2)}`, ...(env.length > 0 ? { env } : {}) }]
  const template = { metadata: { labels: { of: 'hello' } }, spec: { containers } }
  return { ...(random.chance(0.5) ? { replicas: random.integer(0, 1) } : {}), selector, template }
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
  const uid = random.chance(0.1) ? uidOf(random, store, target) : undefined
  const metadata = { ...metaOf(body), ...(uid === undefined ? {} : { uid }) }
  return { method: 'PATCH', path, body: { ...body, metadata }, contentType: 'application/apply-patch+yaml' }
}

function uidOf(random: Random, store: Store, { kind, namespace: where, name }: Target): string {
  const object = store.get(servedKind(kind), `${where}/${name}`)
  const isRight = object !== undefined && random.chance(0.7)
  return isRight ? metaOf(object).uid! : '00000000-0000-4000-8000-000000000000'
}

const merge: Draw = (random) => {
  const target = drawTarget(random)
  const value = (): Json => (random.chance(0.4) ? null : String(random.integer(1, 3)))
  const labels = { [random.pick(letters)]: value() }
  const held = random.chance(0.5) ? ['example.com/held'] : random.chance(0.5) ? null : []
  const body = random.chance(0.3) ? { metadata: { finalizers: held } } : { metadata: { labels } }
  const path = `${target.path}?fieldManager=${random.pick(managers)}`
  return { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }
}

const jsonPatch: Draw = (random, store) => {
  const target = drawTarget(random)
  const uid = uidOf(random, store, target)
  const label = `/metadata/labels/${random.pick(letters)}`
  const body = [
    { op: 'test', path: '/metadata/uid', value: uid },
    random.pick([
      { op: 'add', path: '/metadata/labels', value: textMembers(random) },
      { op: 'add', path: label, value: '1' },
      { op: 'replace', path: label, value: '2' },
      { op: 'remove', path: label },
      { op: 'test', path: '/metadata/finalizers', value: null },
      { op: 'add', path: '/metadata/finalizers', value: ['example.com/held'] },
      { op: 'remove', path: '/metadata/finalizers/0' },
    ]),
  ]
  const path = `${target.path}?fieldManager=${random.pick(managers)}`
  return { method: 'PATCH', path, body, contentType: 'application/json-patch+json' }
}

const status: Draw = (random, store) => {
  const target = { ...drawTarget(random), kind: 'AppStack', namespace } as const
  const path = `/apis/appstead.dev/v1alpha1/namespaces/${namespace}/appstacks/${target.name}/status?fieldManager=appstead`
  const body = [
    { op: 'test', path: '/metadata/uid', value: uidOf(random, store, target) },
    { op: 'add', path: '/status', value: { observedGeneration: random.integer(1, 3), conditions: [] } },
  ]
  return { method: 'PATCH', path, body, contentType: 'application/json-patch+json' }
}

const remove: Draw = (random, store) => {
  const target = drawTarget(random)
  const uid = uidOf(random, store, target)
  const body = { propagationPolicy: 'Background', ...(random.chance(0.7) ? { preconditions: { uid } } : {}) }
  return { method: 'DELETE', path: target.path, body, contentType: 'application/json' }
}

const get: Draw = (random) => ({ method: 'GET', path: drawTarget(random).path })

const list: Draw = (random) => {
  const { collection, kind } = drawTarget(random)
  const [letter, number] = [random.pick(letters), random.integer(1, 3)]
  const selector = random.pick([letter, `!${letter}`, `${letter}=${number}`, `${letter}!=${number}`])
  const query = random.chance(0.5) ? `labelSelector=${encodeURIComponent(selector)}` : `limit=${random.integer(1, 2)}`
  // The real cluster puts a ConfigMap of its own into each namespace.
  const path = kind === 'ConfigMap' ? `${collection}?labelSelector=${letter}` : `${collection}?${query}`
  return { method: 'GET', path }
}

const makeNamespace: Draw = () => beginning[1]!
/** While something in it is held, it stays and refuses what is new. */
const removeNamespace: Draw = () => ({ method: 'DELETE', path: `/api/v1/namespaces/${leaving}` })

const often = (draw: Draw, times: number): Draw[] => Array.from({ length: times }, () => draw)
const draws: readonly Draw[] = [
  ...often(create, 6),
  ...often(apply, 10),
  ...often(merge, 6),
  ...often(jsonPatch, 6),
  ...often(status, 3),
  ...often(remove, 4),
  ...often(get, 2),
  ...often(list, 3),
  makeNamespace,
  removeNamespace,
]
