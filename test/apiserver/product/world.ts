import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import type { Condition } from '../../../operator/api/conditions.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { apiVersion } from '../../../operator/api/meta.ts'
import type { Anything, Hands } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import { objectionsTo, type Phased } from '../../support/phaseTable.ts'
import { makeProject, productCluster, type ProductCluster, type Project } from '../../support/productCluster.ts'
import { startOperator, type OperatorOptions, type SteppedOperator } from '../../support/steppedOperator.ts'

/** What each test of the product has at hand. */
export interface World extends ProductCluster, Project {
  readonly operator: SteppedOperator
  /** Does something while no operator runs; another one is at work afterwards. */
  whileDown(change: () => Promise<unknown>): Promise<void>
}

/** A control plane and an operator (with these options) for all tests of a file, a project of its own for each. */
export function useWorld(options: OperatorOptions = {}): World {
  const world: { -readonly [Key in keyof World]?: World[Key] } = {
    async whileDown(change) {
      await world.operator?.stop()
      await change()
      world.operator = await startOperator(world as ProductCluster, undefined, options)
    },
  }
  beforeAll(async () => {
    Object.assign(world, await productCluster())
    world.operator = await startOperator(world as ProductCluster, undefined, options)
  }, 120_000)
  beforeEach(async () => {
    Object.assign(world, await makeProject(world.hands as Hands))
    world.operator?.writes.splice(0)
  })
  afterEach(async () => {
    failOnBugs(world.operator)
    await failOnPhases(world as World)
  })
  afterAll(() => world.operator?.stop())
  return world as World
}

/** Whatever a test does, nothing in the operator may throw that is not an answer of the server. */
function failOnBugs(operator: SteppedOperator | undefined): void {
  const bug = operator?.log.find(({ thrown }) => thrown === 'bug')
  if (bug !== undefined) throw new Error(`the operator threw: ${JSON.stringify(bug)}`)
}

/** Whatever a test does, an instance is told of as the contract with users says. */
async function failOnPhases({ hands, namespace }: World): Promise<void> {
  const instances = (await hands.list('AppInstance', namespace)) as readonly (KubeObject & Phased)[]
  // A change that nobody has looked at yet says nothing of the operator.
  const seen = instances.filter(
    ({ metadata, status }) => status?.phase !== undefined && status.observedGeneration === metadata.generation,
  )
  const wrong = seen.flatMap((each) => objectionsTo(each).map((text) => `${each.metadata.name}: ${text}`))
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
}

type Services = readonly object[]

export const web = { name: 'web', ports: [{ port: 8080 }], healthCheck: { path: '/healthz' } }

/** An App of this project, with an inline stack unless the name of one is given. */
export function makeApp({ namespace, app }: Project, stack: Services | string = [web]): object {
  const spec = { stack: typeof stack === 'string' ? { name: stack } : { services: stack } }
  return { apiVersion, kind: 'App', metadata: { namespace, name: app }, spec }
}

export function makeStack({ namespace }: Project, name: string, services: Services): object {
  return { apiVersion, kind: 'AppStack', metadata: { namespace, name }, spec: { services } }
}

/** A Secret of this project that its App may use, with these values by key; applied again without one, that one goes. */
export function makeSecret(
  { namespace, app }: Project,
  name: string,
  values: Readonly<Record<string, string>>,
): object {
  const marks = { labels: { 'appstead.dev/allow': 'true' }, annotations: { 'appstead.dev/allow-apps': app } }
  const pairs = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, ...marks }, data: Object.fromEntries(pairs) }
}

export function makeInstance({ namespace, app, instance }: Project, spec: object = {}): object {
  return {
    apiVersion,
    kind: 'AppInstance',
    metadata: { namespace, name: instance },
    spec: { app, env: 'dev', image: 'hello:1', ...spec },
  }
}

/** How an instance is made that is not like the others. */
interface Making {
  /** The App's inline stack, or the name of one. */
  readonly stack?: Services | string
  /** More of the instance's spec. */
  readonly spec?: object
}

/** Creates this project's App and instance; resolves when the operator has nothing more to do about them. */
export async function create(world: World, { stack, spec }: Making = {}): Promise<void> {
  await world.hands.apply(makeApp(world, stack))
  await world.hands.apply(makeInstance(world, spec))
  await world.operator.settle()
}

/** Creates them, and lets all pods become ready. What was written until then is forgotten. */
export async function createRunning(world: World, making: Making = {}): Promise<void> {
  await create(world, making)
  await rollOut(world.hands, world.operator, world.instance)
  world.operator.writes.splice(0)
}

/** Somebody's finalizer keeps the instance's namespace from going. Out: what takes it off. */
export async function holdNamespace({ hands, instance }: World): Promise<() => Promise<unknown>> {
  const slow = { namespace: instance, name: 'slow' }
  await hands.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...slow, finalizers: ['test/slow'] } })
  return () => hands.patch('ConfigMap', slow, { metadata: { finalizers: null } })
}

/** Resolves when the instance is Errored. */
export async function untilErrored(world: World): Promise<void> {
  const isErrored = async (): Promise<boolean> => (await getInstance(world))['status']?.phase === 'Errored'
  await world.operator.until('it is given up', isErrored, 60)
}

/** The running instance is deleted, and its namespace stays; resolves when that is Errored. Out: what lets it go. */
export async function removeInVain(world: World): Promise<() => Promise<unknown>> {
  const { hands, namespace, instance, operator } = world
  const letGo = await holdNamespace(world)
  await hands.remove('AppInstance', { namespace, name: instance })
  await untilErrored(world)
  await operator.settle()
  return letGo
}

export async function getInstance({ hands, namespace, instance }: World): Promise<Anything> {
  return hands.get('AppInstance', { namespace, name: instance })
}

/** The conditions of an object by type, `status reason`. */
export function conditionsOf(object: Anything): Readonly<Record<string, string>> {
  const conditions: readonly Condition[] = object['status']?.conditions ?? []
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]))
}

/** The message of a condition; '' when it is not there. */
export function messageOf(object: Anything, type: string): string {
  const conditions: readonly Condition[] = object['status']?.conditions ?? []
  return conditions.find((condition) => condition.type === type)?.message ?? ''
}

/** The Events of this project, when the operator is done: they are written after what they tell of. */
export async function eventsTold({ hands, operator, namespace }: World): Promise<readonly Anything[]> {
  await operator.settle()
  return hands.list('Event', namespace)
}

/** The releases of the instance, oldest first. */
export async function releasesOf({ hands, namespace, instance }: World): Promise<readonly Anything[]> {
  const releases = await hands.list('AppRelease', namespace)
  return releases
    .filter(({ spec }) => spec['instance'] === instance)
    .toSorted((a, b) => a['spec'].number - b['spec'].number)
}

/** Writes that are neither of our own kinds nor Events: what was done to the instance's namespace. */
export function childWrites({ operator }: World): readonly string[] {
  const own = new Set([
    'AppInstance',
    'App',
    'AppStack',
    'AppStackRevision',
    'AppRelease',
    'AppTask',
    'AppEnv',
    'AppLock',
    'Event',
  ])
  return operator.writes
    .filter(({ kind }) => !own.has(kind))
    .map(({ verb, kind, ref }) => `${verb} ${kind} ${ref.name}`)
}
