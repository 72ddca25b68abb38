import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { apiVersion } from '../../../operator/api/meta.ts'
import type { Anything } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import { makeProject, productCluster, type ProductCluster, type Project } from '../../support/productCluster.ts'
import { startOperator, type Fault, type SteppedOperator, type Write } from '../../support/steppedOperator.ts'
import { makeApp, makeInstance, web } from './world.ts'

/**
 * A kill between any two writes is a write that never left, after which the process says and hears nothing any more.
 * (One whose answer got lost leaves the cluster as a kill before the next write does.)
 */

let cluster: ProductCluster
const started: SteppedOperator[] = []

beforeAll(async () => {
  cluster = await productCluster()
}, 120_000)
afterAll(() => Promise.all(started.map((operator) => operator.stop())))

const services = [
  { ...web, files: [{ path: '/etc/motd', content: 'hi' }], generatedSecrets: [{ name: 'TOKEN' }] },
  { name: 'jobs', type: 'Worker', image: 'hello:1', replicas: 2 },
]

let fault: Fault = () => undefined

/** An operator with empty caches, as after every start. */
async function start(): Promise<SteppedOperator> {
  const operator = await startOperator(cluster, (write) => fault(write))
  started.push(operator)
  return operator
}

/**
 * Creates an instance under an operator that is killed at its n-th write for it; another one takes over.
 * Returns the one that runs then, and whether it came to a kill.
 */
async function createKilledAt(number: number, victim: SteppedOperator): Promise<Creation> {
  const { hands } = cluster
  const project = await makeProject(hands)
  const isOfProject = ({ ref }: Write): boolean =>
    [ref.namespace, ref.name].some((name) => name === project.namespace || name === project.instance)
  let count = 0
  fault = (write) => (isOfProject(write) && (count += 1) === number ? 'lost' : undefined)
  await hands.apply(makeApp(project, services))
  await hands.apply(makeInstance(project))
  await victim.until('it was killed, or has done all', async () => {
    if (count < number) await victim.settle(() => count >= number)
    return true
  })
  if (count < number) {
    fault = () => undefined
    return { project, operator: victim, wasKilled: false }
  }
  await victim.crash()
  const operator = await start()
  await operator.settle()
  return { project, operator, wasKilled: true }
}

interface Creation {
  readonly project: Project
  readonly operator: SteppedOperator
  readonly wasKilled: boolean
}

/** What the operator is answerable for, without what differs from one creation to the next. */
async function normalisedWorld({ namespace, instance, app }: Project): Promise<unknown> {
  const { hands } = cluster
  const children = [
    'ServiceAccount',
    'NetworkPolicy',
    'ConfigMap',
    'Secret',
    'Service',
    'PodDisruptionBudget',
    'Deployment',
  ]
  const objects = [
    await hands.get('Namespace', { namespace: '', name: instance }),
    ...(await Promise.all(children.map((kind) => hands.list(kind, instance)))).flat(),
    ...(await hands.list('AppStackRevision', namespace)),
    ...(await hands.list('AppRelease', namespace)),
    await hands.get('AppInstance', { namespace, name: instance }),
    await hands.get('App', { namespace, name: app }),
  ].filter(({ metadata }) => !['default', 'kube-root-ca.crt'].includes(metadata.name))
  const { uid = '' } = (await hands.get('AppInstance', { namespace, name: instance })).metadata
  const kept = objects.map((object) => ({
    name: object.metadata.name,
    labels: object.metadata.labels,
    annotations: Object.keys(object.metadata.annotations ?? {}).filter((key) => key.startsWith('appstead.dev/')),
    finalizers: object.metadata.finalizers,
    spec: object['spec'],
    data:
      object.kind === 'Secret' ? Object.values<string>(object['data']).map((value) => value.length) : object['data'],
    phase: object['status']?.phase,
    // Of ours only: others come when the controller-manager finds the time.
    conditions: object.apiVersion === apiVersion ? object['status']?.conditions : undefined,
  }))
  const text = JSON.stringify(kept, (key, value: unknown) =>
    ['clusterIP', 'clusterIPs', 'lastTransitionTime', 'ipFamilies', 'instanceUid'].includes(key) ? undefined : value,
  )
  return JSON.parse(
    text
      .replaceAll(app.slice('hello'.length), 'ID')
      .replaceAll(`-dev-${uid.replaceAll('-', '').slice(0, 5)}`, '-dev-UID')
      .replaceAll(/-([0-9a-f]{6}|[0-9a-f]{8})"/g, '-HASH"'),
  )
}

describe('an operator killed between any two writes of a creation', () => {
  it('comes to the same end when it is started again, and then writes nothing more', async () => {
    let last = await createKilledAt(Number.POSITIVE_INFINITY, await start())
    const { project } = last
    const expected = await normalisedWorld(project)
    let number = 0
    do {
      number += 1
      last = await createKilledAt(number, last.operator)
      expect({ number, world: await normalisedWorld(last.project) }).toEqual({ number, world: expected })
    } while (last.wasKilled)
    expect(number).toBeGreaterThan(15)
    last.operator.writes.splice(0)
    await last.operator.settle()
    expect(last.operator.writes).toEqual([])
    await rollOut(cluster.hands, last.operator, project.instance)
    const { status } = await cluster.hands.get('AppInstance', { namespace: project.namespace, name: project.instance })
    expect(status.phase).toBe('Running')
  }, 180_000)
})

describe('an operator killed in the middle of making an immutable object anew', () => {
  it('leaves it to the next one, which makes it', async () => {
    const { hands } = cluster
    const project = await makeProject(hands)
    const first = await start()
    await hands.apply(makeApp(project, services))
    await hands.apply(makeInstance(project))
    await first.settle()
    await first.crash()
    const files = await filesOf(project)
    const ref = { namespace: project.instance, name: files!.metadata.name }
    await hands.remove('ConfigMap', ref)
    const { name, labels } = files!.metadata
    const metadata = { namespace: project.instance, name, labels }
    await hands.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { theirs: 'x' }, immutable: true })
    let isTaken = false
    fault = ({ verb, kind, ref: { namespace } }) => {
      if (kind !== 'ConfigMap' || namespace !== project.instance) return undefined
      if (verb === 'apply' && isTaken) return 'lost'
      isTaken ||= verb === 'delete'
      return undefined
    }
    const victim = await start()
    await victim.until('it has taken theirs away', async () => isTaken && (await filesOf(project)) === undefined)
    await victim.crash()
    expect(await filesOf(project)).toBeUndefined()
    fault = () => undefined
    const operator = await start()
    await operator.settle()
    const after = await hands.get('ConfigMap', ref)
    expect([after['data'], after['immutable']]).toEqual([files!['data'], true])
    await rollOut(hands, operator, project.instance)
    const { status } = await hands.get('AppInstance', { namespace: project.namespace, name: project.instance })
    expect(status).toMatchObject({ phase: 'Running', currentRelease: { number: 1 } })
  }, 60_000)
})

/** The ConfigMap with the files of the service, ours or not; undefined when there is none. */
async function filesOf({ instance }: Project): Promise<Anything | undefined> {
  const maps = await cluster.hands.list('ConfigMap', instance)
  return maps.find(({ metadata }) => metadata.name.startsWith('web-'))
}
