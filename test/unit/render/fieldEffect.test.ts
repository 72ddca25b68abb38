import { beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import { canonical } from '../../../operator/api/canonical.ts'
import type { Kind } from '../../../operator/api/kind.ts'
import { kinds } from '../../../operator/api/kinds.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { labels } from '../../../operator/api/meta.ts'
import { Fights } from '../../../operator/apply/fights.ts'
import { isLocked, secondsLeft } from '../../../operator/controllers/appInstance/attempts.ts'
import { locked } from '../../../operator/controllers/appInstance/creation.ts'
import { runningOf } from '../../../operator/controllers/appInstance/decide.ts'
import { report } from '../../../operator/controllers/appInstance/report.ts'
import { followRollout } from '../../../operator/controllers/rollout.ts'
import { ownerOf } from '../../../operator/render/appInstance.ts'
import { failureOf } from '../../../operator/status/errored.ts'
import { decide, now, readerOf, withRevisions, type Decision } from '../../render/world.ts'
import { everything, rolledOut } from './everything.ts'
import { changedAt, leavesOf, textOf } from './fields.ts'

jest.setTimeout(120_000)

/** A field of a spec that changes nothing one can see is a promise we do not keep. */

interface SpecObject extends KubeObject {
  readonly spec: unknown
}

/** All that can be seen of an object and of what we make of it: columns, revisions, decisions, plans, statuses. */
async function visibleIn(objects: readonly KubeObject[], changed: KubeObject): Promise<string> {
  const world = await withRevisions(objects)
  const instances = world
    .filter(({ kind }) => kind === 'AppInstance')
    .map(({ metadata }) => decisionOf(world, metadata))
  const revisions = world.filter(({ kind }) => kind === 'AppStackRevision').map(({ metadata }) => metadata.name)
  return canonical({ revisions, instances, columns: columnsOf(changed) })
}

function decisionOf(world: readonly KubeObject[], { name }: { readonly name: string }): unknown {
  const { seen, objection, changes, failed, release, plan } = decide(world, name)
  const failure = isLocked(seen) ? failureOf(seen.instance, seen.tasks) : undefined
  if (failure) return report(seen, locked({ target: { cache: readerOf(world) } }, seen, failure), now)
  const { creationDeadlineSeconds, deletionDeadlineSeconds } = seen.instance.spec
  const left = [creationDeadlineSeconds, deletionDeadlineSeconds].map((seconds) =>
    secondsLeft({ now, workingSeconds: 10_000 }, undefined, seconds),
  )
  const running = release && { release, services: runningOf(seen, release) }
  const rollout = running
    ? followRollout(ownerOf(seen.instance), running, seen.releases, seen.deployments, new Fights())()
    : []
  const { status, events } = report(seen, { objection, release, changes, failed, applied: undefined, rollout }, now)
  return { objection, changes, plan, left, status, events }
}

function memberOf(value: unknown, key: string): unknown {
  return (value as Record<string, unknown> | undefined)?.[key]
}

function columnsOf(object: KubeObject): unknown[] {
  const { columns } = kinds.find(({ kind }) => kind === object.kind)!
  const paths = columns.map(({ jsonPath }) => jsonPath).filter((path) => path.startsWith('.spec.'))
  return paths.map((path) => path.slice(1).split('.').reduce(memberOf, object))
}

/** Names of the fields whose change, in any object of the kind, is not to be seen; or that no object has set. */
async function fieldsWithoutEffect(kind: Kind, world: readonly KubeObject[]): Promise<string[]> {
  const words = [...new Set(JSON.stringify(world).match(/(?<=")[^"]+(?=")/g))]
  const before = new Map<KubeObject, string>()
  for (const object of world.filter((each) => each.kind === kind.kind))
    before.set(object, await visibleIn(world, object))
  const idle: string[] = []
  for (const path of leavesOf(kind)) if (!(await isSeen(kind, world, path, words, before))) idle.push(textOf(path))
  return idle
}

async function isSeen(
  kind: Kind,
  world: readonly KubeObject[],
  path: readonly (string | 0)[],
  words: readonly string[],
  before: ReadonlyMap<KubeObject, string>,
): Promise<boolean> {
  for (const [object, visible] of before as ReadonlyMap<SpecObject, string>) {
    for (const spec of changedAt(kind, object.spec, path, words)) {
      const changed = { ...object, spec }
      if (kind.rules.some((rule) => rule.holds?.(changed as never) === false)) continue
      const next = world.map((each) => (each === object ? changed : each))
      if ((await visibleIn(next, changed)) !== visible) return true
    }
  }
  return false
}

/** Of no effect on an instance before its first release. */
const onlyOfReleased = [
  'stack.autoUpgrade',
  'defaults.autoUpgrade',
  'deploy.trigger',
  'deploy.replicaChanges',
  'deploy.onSecretChange',
  'defaults.deploy.trigger',
  'defaults.deploy.replicaChanges',
  'defaults.deploy.onSecretChange',
]

/** Of an AppLock only the API server's policies read. */
function kindsOf(isRecord: boolean): (readonly [string, Kind])[] {
  return kinds
    .filter(({ kind }) => kind !== 'AppLock' && isRecord === (kind === 'AppRelease'))
    .map((kind) => [kind.kind, kind])
}

function withServices(release: AppRelease, more: object): AppRelease {
  const services = release.spec.services.map((service) => ({ ...service, ...more }))
  return { ...release, spec: { ...release.spec, services } }
}

/** One that runs in another number than is declared. */
function withAnotherNumber(object: KubeObject): KubeObject {
  if (object.kind !== 'AppInstance' || !['shop-blue-dev', 'shop-careful'].includes(object.metadata.name)) return object
  const { spec } = object as SpecObject & { readonly spec: object }
  return { ...object, spec: { ...spec, replicas: 3 } } as KubeObject
}

describe('every field of a spec, changed alone, alters a plan, a status, what is pending, a revision or a column', () => {
  let released: readonly KubeObject[]
  /** Something else is asked for since. */
  let behind: readonly KubeObject[]
  beforeAll(async () => {
    const world = await withRevisions(everything)
    const [first, ...others] = ['shop-blue-dev', 'shop-latest', 'shop-moving', 'shop-careful'].flatMap((name) =>
      releasedOf(decide(world, name)),
    )
    const upgrade = {
      ...first!,
      spec: { ...(first as AppRelease).spec, upgradedFrom: 'app-shop-blue-r1-000001' },
    } as KubeObject
    released = [...world.map(withAnotherNumber), upgrade, ...others]
    behind = released.map((each) =>
      each.kind === 'AppRelease' ? withServices(each as AppRelease, { image: 'registry.example/other:1' }) : each,
    )
  })

  it.each(kindsOf(false))('%s', async (_name, kind) => {
    const idle = await fieldsWithoutEffect(kind, everything)
    expect(idle.filter((field) => !onlyOfReleased.includes(field))).toEqual([])
  })

  it.each(['AppInstance', 'AppEnv'])('%s, when a release runs and a Secret has changed', async (name) => {
    const kind = kinds.find((each) => each.kind === name)!
    const world = released.map((object) => (isAllowed(object) ? changedByNow(object) : object))
    const idle = await fieldsWithoutEffect(kind, world)
    expect(idle.length === 0 ? [] : await fieldsWithoutEffect(kind, behind)).toEqual([])
  })

  it.each(kindsOf(true))('%s, when its sources were not read again', async (_name, kind) => {
    const world = released.map((object) => (isAllowed(object) ? unread(object) : forFilesOnly(object)))
    expect(await fieldsWithoutEffect(kind, world)).toEqual([])
  })
})

/** The release, rolled out, and the copies it names. */
function releasedOf({ release, plan }: Decision): KubeObject[] {
  const objects = plan!.stages.flatMap((stage) => stage.objects)
  const restarted = withServices(rolledOut(release!), { restart: 1 })
  return [restarted, ...objects.filter(({ mode }) => mode === 'copy').map(({ object }) => object)]
}

function isAllowed({ metadata }: KubeObject): boolean {
  return metadata.labels?.[labels.allow] === 'true'
}

function changedByNow(object: KubeObject): KubeObject {
  return { ...object, data: { ...(object as { data?: object }).data, password: 'bmV3' } } as KubeObject
}

/** Only what a release recorded of it is known. */
function unread(object: KubeObject): KubeObject {
  return { ...object, data: undefined } as KubeObject
}

/** Of one release the sources hold what cannot be a variable. */
function forFilesOnly(object: KubeObject): KubeObject {
  if (!object.metadata.name.startsWith('shop-latest-')) return object
  const { spec } = object as AppRelease
  const sources = spec.sources?.map((source) => ({
    ...source,
    values: source.values.map((value) => ({ ...value, fileOnly: true })),
  }))
  return { ...object, spec: { ...spec, sources } } as KubeObject
}
