import { describe, expect, it, jest } from '@jest/globals'
import { canonical } from '../../../operator/api/canonical.ts'
import { deploymentType, horizontalPodAutoscalerType } from '../../../operator/api/builtin.ts'
import { kinds } from '../../../operator/api/kinds.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { labels } from '../../../operator/api/meta.ts'
import type { Change, Declared } from '../../../operator/render/changes.ts'
import { changesBetween } from '../../../operator/render/changes.ts'
import type { Plan } from '../../../operator/render/plan.ts'
import type { Observed } from '../../../operator/controllers/appInstance/observe.ts'
import { makeSayerOf } from '../../../operator/render/resolve/sayer.ts'
import { decide, withRevisions } from '../../render/world.ts'
import { everything } from './everything.ts'
import { changedAt, leavesOf, textOf } from './fields.ts'

jest.setTimeout(120_000)

/** What is told of a change beforehand is what it does: held for each field that can be set, changed alone. */

/** What is deployed of one instance: its services, and all that is rendered of them. */
interface Deployed {
  readonly content: Declared
  readonly objects: readonly KubeObject[]
  readonly seen: Observed
}

const instance = 'shop-blue-dev'
/** What it is made from. */
const makers = ['AppInstance/shop-blue-dev', 'App/shop', 'AppEnv/dev', 'AppStack/shop']

async function deployedOf(objects: readonly KubeObject[]): Promise<Deployed | undefined> {
  const decision = decide(await withRevisions(objects), instance)
  if (!decision.release || decision.objection) return undefined
  const { services } = decision.release.spec
  return { content: { services, stackRevision: '' }, objects: rendered(decision.plan!), seen: decision.seen }
}

function rendered({ stages }: Plan): KubeObject[] {
  return stages.flatMap((stage) => stage.objects.map(({ object }) => object))
}

/** Of a service: its pods, how many there are, all its objects, and what the release records of it. */
function partsOf(
  { objects, content }: Deployed,
  service: string,
): Readonly<Record<'pods' | 'scale' | 'all' | 'recorded', string>> {
  const own = objects.filter(({ metadata }) => metadata.labels?.[labels.service] === service)
  const deployment = own.find(({ kind }) => kind === deploymentType.kind) as
    { readonly spec: { readonly template: unknown; readonly replicas?: number } } | undefined
  const autoscalers = own.filter(({ kind }) => kind === horizontalPodAutoscalerType.kind)
  return {
    pods: canonical(deployment?.spec.template ?? null),
    scale: canonical([deployment?.spec.replicas ?? null, autoscalers]),
    all: canonical(own),
    recorded: canonical(content.services.find(({ name }) => name === service)),
  }
}

interface Verdict {
  readonly service: string
  readonly changes: readonly Change[]
  /** What the changes say they do, and what comes of them. */
  readonly said: string
  readonly done: string
}

/** Of the services that are there before and after. */
function verdictsOf(before: Deployed, after: Deployed): Verdict[] {
  const all = changesBetween(before.content, after.content)
  const names = before.content.services.map(({ name }) => name)
  return names
    .filter((name) => after.content.services.some((each) => each.name === name))
    .map((service) => {
      const changes = all.filter((each) => each.service === service)
      const [was, is] = [partsOf(before, service), partsOf(after, service)]
      const effects = new Set(changes.map(({ effect }) => effect))
      return {
        service,
        changes,
        said: textOfEffects(changes.length > 0, effects.has('Restart'), effects.has('Scale')),
        done: textOfEffects(
          was.all !== is.all || was.recorded !== is.recorded,
          was.pods !== is.pods,
          was.scale !== is.scale,
        ),
      }
    })
}

function textOfEffects(isAny: boolean, isRestart: boolean, isScale: boolean): string {
  if (!isAny) return 'nothing'
  return [...(isRestart ? ['Restart'] : []), ...(isScale ? ['Scale'] : [])].join() || 'None'
}

/** All objects with one field of this one changed, for each field of its kind. */
function* changedWorlds(
  object: KubeObject,
): Iterable<{ readonly field: string; readonly objects: readonly KubeObject[] }> {
  const kind = kinds.find((each) => each.kind === object.kind)!
  for (const path of leavesOf(kind)) {
    for (const spec of changedAt(kind, (object as { readonly spec?: unknown }).spec, path, [])) {
      const changed = { ...object, spec } as KubeObject
      if (kind.rules.some((rule) => rule.holds?.(changed as never) === false)) continue
      yield { field: textOf(path), objects: everything.map((each) => (each === object ? changed : each)) }
    }
  }
}

/** The first two are permanent: nobody is asked to have them otherwise. What an App says no longer, its stack says. */
const saidByOthers = ['type', 'stack.name', 'defaults[].envTypes[]']

/** Paths that another object than the one that was changed is said to ask for. */
function wronglySaid({ seen: { input, revision } }: Deployed, maker: string, changes: readonly Change[]): string[] {
  const sayerOf = makeSayerOf(input!, revision!.metadata.name)
  const sayer = maker === 'AppStack/shop' ? 'AppStackRevision/shop-1.4' : maker
  return changes
    .filter(({ from, to }) => from !== undefined && to !== undefined)
    .filter((change) => sayerOf(change) !== sayer)
    .map(({ path }) => path)
}

describe('of what is changed is told what it does to replicas, and who asks for it', () => {
  it.each(makers)('%s', async (maker) => {
    const object = everything.find(({ kind, metadata }) => `${kind}/${metadata.name}` === maker)!
    const before = (await deployedOf(everything))!
    const wrong: unknown[] = []
    let told = 0
    for (const { field, objects } of changedWorlds(object)) {
      const after = await deployedOf(objects)
      if (!after) continue
      const verdicts = verdictsOf(before, after)
      told += verdicts.filter(({ said }) => said !== 'nothing').length
      wrong.push(...verdicts.filter(({ said, done }) => said !== done).map((each) => ({ field, ...each })))
      const changes = verdicts.flatMap((verdict) => verdict.changes)
      if (!saidByOthers.includes(field)) wrong.push(...wronglySaid(after, maker, changes))
    }
    expect(wrong).toEqual([])
    expect(told).toBeGreaterThan(10)
  })

  it('another order is one of ports and actions alone: of nothing else it changes anything', async () => {
    const before = (await deployedOf(everything))!
    const calm = (await deployedOf(everything.map((object) => reversed(object, unordered))))!
    expect(changesBetween(before.content, calm.content)).toEqual([])
    expect(canonical(calm.objects)).toBe(canonical(before.objects))
    const other = (await deployedOf(everything.map((object) => reversed(object, ['ports', 'actions']))))!
    expect(changesBetween(before.content, other.content)).toMatchObject([
      { path: 'services[web].ports', from: '["http","raw"]', to: '["raw","http"]', effect: 'Restart' },
      { path: 'services[web].actions', effect: 'None' },
    ])
  })
})

const unordered = ['variables', 'files', 'volumes', 'generatedSecrets', 'dependsOn', 'imagePullSecrets']

/** With these lists, wherever they are, the other way round. */
function reversed<Value>(value: Value, lists: readonly string[]): Value {
  if (Array.isArray(value)) return value.map((each) => reversed(each as unknown, lists)) as Value
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, each]) => {
    const inner = reversed(each as unknown, lists)
    return [name, lists.includes(name) && Array.isArray(inner) ? inner.toReversed() : inner]
  })
  return Object.fromEntries(members) as Value
}

/** What is told of a variable that was the key password of Secret/db and is now of this source. */
function toldOfCopy(source: string, key: string): unknown {
  const [before, after] = [
    { source: 'Secret/db', key: 'password', hash: 'a'.repeat(16) },
    { source, key, hash: 'b'.repeat(16) },
  ].map((copied) => ({ services: [{ name: 'web', variables: [{ name: 'WORD', copied }] }], stackRevision: '' }))
  return changesBetween(before as unknown as Declared, after as unknown as Declared).map(({ from, to }) => [from, to])
}

it('a value that comes from another Secret is told by the names of both, one of the same Secret by hashes', () => {
  const before = "key 'password' of Secret/db"
  expect(toldOfCopy('Secret/db-2', 'password')).toEqual([[before, "key 'password' of Secret/db-2"]])
  expect(toldOfCopy('Secret/db', 'pass')).toEqual([[before, "key 'pass' of Secret/db"]])
  expect(toldOfCopy('Secret/db', 'password')).toEqual([[`hash ${'a'.repeat(16)}`, `hash ${'b'.repeat(16)}`]])
})
