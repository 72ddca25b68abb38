import { describe, expect, it } from '@jest/globals'
import { auditMark, requestsOf } from '../../support/auditLog.ts'
import { breakPods, isReady, makePodsReady, rollOut } from '../../support/kubelet.ts'
import { childWrites, getInstance, makeApp, makeInstance, messageOf, useWorld, web } from './world.ts'

const world = useWorld()

const db = { name: 'db', image: 'db:1', ports: [{ name: 'db', port: 5432, protocol: 'TCP' }] }
const api = { name: 'api', image: 'api:1', ports: [{ port: 9090 }], dependsOn: ['db'] }
const front = { ...web, main: true, dependsOn: ['db'] }
const jobs = { name: 'jobs', type: 'Worker', image: 'jobs:1' }

const deploymentNames = async (): Promise<readonly string[]> =>
  (await world.hands.list('Deployment', world.instance)).map(({ metadata }) => metadata.name).toSorted()

/** The pods of one service become ready, and the operator does all it will do then. */
async function makeReady(service: string): Promise<void> {
  const { hands, operator, instance } = world
  await operator.until(`${service} is rolled out`, async () => {
    // Of it alone: those of a service that follows may be there before this one is seen to be rolled out.
    await makePodsReady(hands, instance, ({ metadata }) => metadata.labels?.['appstead.dev/service'] === service)
    const { status } = await hands.get('Deployment', { namespace: instance, name: service })
    return status?.availableReplicas === 1
  })
  await operator.settle()
}

/** An instance of these services, running. */
async function create(services: readonly object[]): Promise<void> {
  const { hands, operator, instance } = world
  await hands.apply(makeApp(world, services))
  await hands.apply(makeInstance(world))
  await operator.settle()
  for (const { name } of services as { name: string }[]) await makeReady(name)
  await rollOut(hands, operator, instance)
}

describe('services that depend on others', () => {
  it('start when those are rolled out, one after the other, and the status says what is waited for', async () => {
    const { hands, operator, instance, cluster, operatorUser } = world
    const mark = auditMark(cluster)
    await hands.apply(makeApp(world, [db, api, jobs, { ...front, dependsOn: ['api'] }]))
    await hands.apply(makeInstance(world))
    await operator.settle()
    expect(await deploymentNames()).toEqual(['db', 'jobs'])
    const waiting = await getInstance(world)
    expect(waiting['status'].phase).toBe('Deploying')
    for (const type of ['Ready', 'Reconciling']) {
      expect(messageOf(waiting, type)).toContain("Service 'api' waits for service 'db' (dependsOn): 0/1 ready.")
      expect(messageOf(waiting, type)).toContain("Service 'web' waits for service 'api' (dependsOn): 0/1 ready.")
    }
    await makeReady('db')
    expect(await deploymentNames()).toEqual(['api', 'db', 'jobs'])
    expect(messageOf(await getInstance(world), 'Ready')).not.toContain("Service 'api' waits")
    await makeReady('api')
    expect(await deploymentNames()).toEqual(['api', 'db', 'jobs', 'web'])
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', counts: { summary: '4/4' } })
    const made = requestsOf(cluster, operatorUser, mark)
      .map(({ verb, objectRef }) => ({ verb, ...objectRef }))
      .filter(({ resource, namespace }) => resource === 'deployments' && namespace === instance)
    const patched = made.map(({ verb, name }) => `${verb} ${name}`)
    // Those of one stage are written side by side.
    expect([...patched.slice(0, 2).toSorted(), ...patched.slice(2)]).toEqual([
      'patch db',
      'patch jobs',
      'patch api',
      'patch web',
    ])
  }, 60_000)

  it('go on when one of those fails later, are put right by hand, and start anew in their order', async () => {
    const { hands, operator, instance } = world
    await create([db, front])
    operator.writes.splice(0)
    const before = await hands.get('Deployment', { namespace: instance, name: 'web' })
    await breakPods(
      hands,
      instance,
      { state: { running: {} } },
      ({ metadata }) => metadata.labels?.['appstead.dev/service'] === 'db',
    )
    await operator.until('db is not ready', async () => messageOf(await getInstance(world), 'Ready').includes("'db'"))
    await operator.settle()
    expect(childWrites(world)).toEqual([])
    expect((await getInstance(world))['status'].phase).toBe('Degraded')
    const pods = await hands.list('Pod', instance)
    expect(pods.filter(isReady)).toHaveLength(1)
    // Drift of what runs is put right although db is down.
    await hands.patch('Deployment', { namespace: instance, name: 'web' }, { spec: { replicas: 3 } })
    await operator.settle()
    expect(childWrites(world)).toEqual(['apply Deployment web'])
    const after = await hands.get('Deployment', { namespace: instance, name: 'web' })
    expect(after['spec']).toEqual(before['spec'])
    // One that was removed waits: it would start without what it needs.
    await hands.remove('Deployment', { namespace: instance, name: 'web' })
    await operator.until('it is said', async () => messageOf(await getInstance(world), 'Ready').includes("'web' waits"))
    expect(await deploymentNames()).toEqual(['db'])
    await makeReady('db')
    expect(await deploymentNames()).toEqual(['db', 'web'])
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status'].phase).toBe('Running')
  }, 60_000)

  it('are put right, too, while a change of those is rolled out and fails; only what is missing does not start', async () => {
    const { hands, operator, instance } = world
    await create([db, front])
    await hands.apply(makeApp(world, [{ ...db, image: 'db:broken' }, front]))
    await operator.settle()
    const { latestRevision } = (await hands.get('App', { namespace: world.namespace, name: world.app }))['status']
    await hands.apply(makeInstance(world, { stack: { revision: latestRevision } }))
    await operator.settle()
    expect(messageOf(await getInstance(world), 'Deployed')).toContain('is not rolled out yet')
    operator.writes.splice(0)
    await hands.patch('Deployment', { namespace: instance, name: 'web' }, { spec: { replicas: 0 } }, 'scale')
    await operator.settle()
    await hands.remove('Service', { namespace: instance, name: 'web' })
    await operator.until('it is made again', async () => {
      return (await hands.find('Service', { namespace: instance, name: 'web' })) !== undefined
    })
    await operator.settle()
    expect(childWrites(world)).toEqual(['apply Deployment web', 'apply Service web'])
    expect((await hands.get('Deployment', { namespace: instance, name: 'web' }))['spec'].replicas).toBe(1)
    await hands.remove('Deployment', { namespace: instance, name: 'web' })
    await operator.until('it is said', async () => messageOf(await getInstance(world), 'Ready').includes("'web' waits"))
    expect(await deploymentNames()).toEqual(['db'])
  }, 60_000)

  it('change when those have changed and are ready; a service that is gone is removed after all that', async () => {
    const { hands, operator, namespace, instance, app } = world
    await create([db, jobs, front])
    await hands.apply(
      makeApp(world, [
        { ...db, image: 'db:2' },
        { ...front, variables: [{ name: 'A', value: '2' }] },
      ]),
    )
    await operator.settle()
    const { latestRevision } = (await hands.get('App', { namespace, name: app }))['status']
    operator.writes.splice(0)
    await hands.apply(makeInstance(world, { stack: { revision: latestRevision } }))
    await operator.settle()
    expect(childWrites(world)).toEqual(['apply Deployment db'])
    expect(await deploymentNames()).toEqual(['db', 'jobs', 'web'])
    const web1 = await hands.get('Deployment', { namespace: instance, name: 'web' })
    expect(web1['status'].availableReplicas).toBe(1)
    await operator.until('db is rolled out and the rest done', async () => {
      await makePodsReady(hands, instance)
      return (await deploymentNames()).length === 2
    })
    await rollOut(hands, operator, instance)
    expect(childWrites(world)).toEqual(['apply Deployment db', 'apply Deployment web', 'delete Deployment jobs'])
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 2 } })
  }, 60_000)

  it('may not name one that stands later, or none: removing a service that others need is refused', async () => {
    const { hands } = world
    await hands.apply(makeApp(world, [db, api]))
    for (const services of [[api], [api, db], [{ ...db, dependsOn: ['db'] }]]) {
      const { status, body } = await hands.tryApply(makeApp(world, services))
      expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining('services that are listed earlier')])
    }
  })
})
