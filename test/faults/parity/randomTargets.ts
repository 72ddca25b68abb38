import type { Members } from '../double/json.ts'
import { servedKind } from '../double/served.ts'
import type { Random } from '../schedule/random.ts'

/** The few objects that random requests are about, and what they may look like. */

export const namespace = 'shop'
/** Deleted now and then while something in it is held. */
export const leaving = 'shop-leaving'
export const letters = ['a', 'b', 'c']

export interface Target {
  readonly kind: 'ConfigMap' | 'Secret' | 'AppStack' | 'Deployment'
  readonly path: string
  readonly collection: string
  readonly name: string
  readonly namespace: string
}

/** One of the objects, of whichever kind. */
export function drawTarget(random: Random): Target {
  return targetOf(random, random.pick(['ConfigMap', 'ConfigMap', 'Secret', 'AppStack', 'AppStack', 'Deployment']))
}

/** One of the objects of a kind. */
export function targetOf(random: Random, kind: Target['kind']): Target {
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

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const ranks = new Map(items.map((item) => [item, random.next()]))
  return items.toSorted((a, b) => ranks.get(a)! - ranks.get(b)!)
}

/** Labels, data: any of three names, with one of three values; now and then none. */
export function drawTexts(random: Random): Members {
  return Object.fromEntries(some(random, letters).map((letter) => [letter, String(random.integer(1, 3))]))
}

/** An object, whole: as it is created or applied. */
export function drawBody(random: Random, { kind, name, namespace: where }: Target): Members {
  const metadata = {
    name,
    namespace: where,
    ...(random.chance(0.7) ? { labels: drawTexts(random) } : {}),
    ...(random.chance(0.2) ? { annotations: drawTexts(random) } : {}),
  }
  if (kind === 'ConfigMap') return { apiVersion: 'v1', kind, metadata, data: drawTexts(random) }
  if (kind === 'Secret') return { apiVersion: 'v1', kind, metadata, type: 'Opaque', stringData: drawTexts(random) }
  if (kind === 'AppStack') return { apiVersion: 'appstead.dev/v1alpha1', kind, metadata, spec: drawStack(random) }
  return { apiVersion: 'apps/v1', kind, metadata, spec: drawDeployment(random) }
}

/** Of one name there is one value: what another's apply leaves of an item that it changed may not be valid. */
function drawStack(random: Random): Members {
  const variables = shuffled(random, some(random, letters)).map((letter) => ({
    name: letter.toUpperCase(),
    value: '1',
  }))
  const services = [
    { name: 'web', image: 'hello:1', ports: [{ port: 8080 }], ...(random.chance(0.7) ? { variables } : {}) },
    { name: 'jobs', type: 'Worker', image: 'hello:1' },
    { name: 'mail', type: 'Worker', image: 'hello:1' },
  ]
  const chosen = some(random, services)
  return { services: shuffled(random, chosen.length > 0 ? chosen : services) }
}

function drawDeployment(random: Random): Members {
  const selector = { matchLabels: { of: 'hello' } }
  const env = shuffled(random, some(random, letters)).map((name) => ({ name, value: String(random.integer(1, 2)) }))
  const limits = { memory: `${random.integer(1, 3)}00M` }
  const container = {
    name: 'web',
    image: `hello:${random.integer(1, 2)}`,
    ...(random.chance(0.7) ? { env } : {}),
    ...(random.chance(0.4) ? { resources: { limits } } : {}),
  }
  const template = { metadata: { labels: { of: 'hello' } }, spec: { containers: [container] } }
  // Not one, which is the default.
  return { ...(random.chance(0.5) ? { replicas: random.pick([0, 2]) } : {}), selector, template }
}
