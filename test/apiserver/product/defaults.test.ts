import { isDeepStrictEqual } from 'node:util'
import { afterEach, describe, expect, it } from '@jest/globals'
import { objectPath } from '../../../operator/kube/paths.ts'
import { typeOf } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import {
  conditionsOf,
  createRunning,
  getInstance,
  makeInstance,
  messageOf,
  releasesOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

const ref = () => ({ namespace: world.namespace, name: world.instance })

/** The environment of this test's own. */
async function makeEnv(type: string, defaults: object = {}): Promise<void> {
  await world.hands.apply({
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppEnv',
    metadata: { name: world.app },
    spec: { type, defaults },
  })
}

afterEach(async () => {
  if (await world.hands.find('AppInstance', ref())) {
    await world.hands.patch('AppInstance', ref(), { spec: { deletionProtection: false } })
  }
})

const resourcesOf = async (service: string): Promise<unknown> =>
  (await world.hands.get('Deployment', { namespace: world.instance, name: service }))['spec'].template.spec
    .containers[0].resources

describe('defaults of an AppEnv', () => {
  it('hold for what an instance says nothing of, and a change of them is pending, or deployed, as any other', async () => {
    const { hands, operator, app, instance } = world
    await makeEnv('dev', {
      deploy: { trigger: 'Manual' },
      resources: { requests: { cpu: '20m' }, limits: { cpu: '1', memory: '256Mi' } },
    })
    const own = { requests: { cpu: '300m' } }
    const jobs = { name: 'jobs', type: 'Worker', image: 'hello:1', resources: own }
    await createRunning(world, { stack: [{ name: 'web', ports: [{ port: 8080 }] }, jobs], spec: { env: app } })
    expect(await resourcesOf('web')).toEqual({
      requests: { cpu: '20m' },
      limits: { cpu: '1', memory: '256Mi' },
    })
    // What the service says of the CPU is its own as a whole; a limit of the environment could be below it.
    expect(await resourcesOf('jobs')).toEqual({
      requests: { cpu: '300m' },
      limits: { memory: '256Mi' },
    })

    await makeEnv('dev', {
      deploy: { trigger: 'Manual' },
      resources: { requests: { cpu: '30m' }, limits: { cpu: '1', memory: '256Mi' } },
    })
    await operator.settle()
    expect((await getInstance(world))['status'].pendingChanges).toEqual([
      expect.objectContaining({
        path: 'services[web].resources.requests.cpu',
        from: '20m',
        to: '30m',
        source: `AppEnv/${app}`,
      }),
    ])
    await hands.patch('AppInstance', ref(), { metadata: { annotations: { 'appstead.dev/deploy': 'now' } } })
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect(await resourcesOf('web')).toMatchObject({ requests: { cpu: '30m' } })
  }, 60_000)

  it('protect from deletion, unless the instance says otherwise; in prod that is so by itself', async () => {
    const { hands, operator, app, namespace } = world
    await makeEnv('prod')
    await createRunning(world, { spec: { env: app } })
    const { status } = await getInstance(world)
    expect(status.effective).toMatchObject({ deletionPolicy: 'Retain', deletionProtection: true })
    expect(status.blocked).toEqual([expect.objectContaining({ operation: 'Delete', reason: 'Protected' })])
    const remove = () =>
      hands.admin({ method: 'DELETE', path: `${objectPath(typeOf('AppInstance'), ref())}?dryRun=All` })
    const refused = await remove()
    expect(refused.status).toBe(403)
    const { message } = refused.body as { message: string }
    expect(message).toContain('is protected from deletion (its AppEnv, as it says nothing itself)')
    expect(message).toContain(`kubectl patch appinstance ${world.instance} -n ${namespace}`)

    await makeEnv('prod', { deletionProtection: false, deletionPolicy: 'Delete' })
    await operator.settle()
    const now = (await getInstance(world))['status']
    expect([now.effective.deletionPolicy, now.effective.deletionProtection, now.blocked]).toEqual([
      'Delete',
      false,
      undefined,
    ])
    await operator.until('it may be deleted', async () => (await remove()).status === 200)

    await makeEnv('prod', { deletionProtection: true })
    await operator.until('it may not be deleted again', async () => (await remove()).status === 403)
    await hands.apply(makeInstance(world, { env: app, deletionProtection: false }))
    expect((await remove()).status).toBe(200)
  }, 60_000)
})

/** Resolves when the API server counts by these amounts, and, where it is said, has counted so much. */
async function untilQuota(hard: object, used: object = {}): Promise<void> {
  const quotaRef = { namespace: world.instance, name: 'instance' }
  await world.operator.until(`the quota is ${JSON.stringify([hard, used])}`, async () => {
    const { status } = await world.hands.get('ResourceQuota', quotaRef)
    return isDeepStrictEqual([status?.hard, { ...status?.used, ...used }], [hard, status?.used])
  })
}

/** As if a node had taken them: they leave slowly from then on. */
async function bindPods(): Promise<void> {
  const { hands, instance } = world
  for (const { metadata, spec } of await hands.list('Pod', instance)) {
    if (spec.nodeName !== undefined) continue
    const path = `/api/v1/namespaces/${instance}/pods/${metadata.name}/binding`
    const target = { apiVersion: 'v1', kind: 'Node', name: 'nowhere' }
    await hands.admin({ method: 'POST', path, body: { apiVersion: 'v1', kind: 'Binding', metadata, target } })
  }
}

describe('the quota of an AppEnv', () => {
  const jobs = { name: 'jobs', type: 'Worker', image: 'hello:1' }
  const quota = { requests: { cpu: '200m', memory: '1Gi' }, pods: 4 }

  it('leaves room for a roll-out in which the old replicas are long in leaving, and a change of it restarts nothing', async () => {
    const { hands, operator, app, instance } = world
    await makeEnv('dev', { quota })
    await createRunning(world, { stack: [web, jobs], spec: { env: app, replicas: 3 } })
    const hard = { 'requests.cpu': '400m', 'requests.memory': '1536Mi', pods: '8' }
    await bindPods()
    await untilQuota(hard, { pods: '4', 'requests.cpu': '200m' })
    const [before] = await releasesOf(world)
    await hands.apply(makeInstance(world, { env: app, replicas: 3, image: 'hello:2' }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    const pods = await hands.list('Pod', instance)
    expect(pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)).toHaveLength(3)
    expect(pods).toHaveLength(7)

    await makeEnv('dev', { quota: { pods: 10 } })
    await operator.settle()
    await untilQuota({ pods: '14' })
    await makeEnv('dev', { autoUpgrade: false })
    await operator.settle()
    expect(await hands.list('ResourceQuota', instance)).toEqual([])
    const { status } = await getInstance(world)
    expect([status.phase, status.pendingChanges, (await releasesOf(world)).length]).toEqual(['Running', undefined, 2])
    expect(before!['spec'].number).toBe(1)
    expect((await world.hands.list('Event', world.namespace)).map((event) => event['reason'])).not.toContain(
      'DriftCorrected',
    )
  }, 60_000)

  it('is said before anything is deployed that would take more, and what runs has room when it is lowered', async () => {
    const { hands, operator, app, instance } = world
    await makeEnv('dev', { quota })
    await createRunning(world, { stack: [web, jobs], spec: { env: app, replicas: 3 } })
    await hands.apply(makeInstance(world, { env: app, replicas: 4, deploy: { replicaChanges: 'Immediate' } }))
    await operator.settle()
    const refused = await getInstance(world)
    expect(conditionsOf(refused)).toMatchObject({ Accepted: 'False QuotaExceeded', Available: 'True Serving' })
    expect(messageOf(refused, 'Ready')).toContain(
      `spec.defaults.quota.requests.cpu of AppEnv '${app}' is '200m', but '${instance}' would take 250m in all (web: 4 of 50m, jobs: 1 of 50m): lower replicas or resources.requests.cpu, or have the quota raised`,
    )
    expect((await hands.get('Deployment', { namespace: instance, name: 'web' }))['spec'].replicas).toBe(3)

    await hands.apply(makeInstance(world, { env: app, replicas: 3 }))
    await makeEnv('dev', { quota: { pods: 2 } })
    await operator.settle()
    expect(messageOf(await getInstance(world), 'Ready')).toContain(
      `spec.defaults.quota.pods of AppEnv '${app}' is '2', but '${instance}' would have 4 replicas in all (web: 3, jobs: 1)`,
    )
    await untilQuota({ pods: '8' })
    // The way down is open: there is room for what runs beside what takes its place.
    await hands.apply(makeInstance(world, { env: app, replicas: 1, image: 'hello:2' }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    await untilQuota({ pods: '4' })
    expect((await getInstance(world))['status'].phase).toBe('Running')
  }, 60_000)
})

const saidOfWeb = (size: string): object => ({
  name: 'web',
  volumes: ['data', 'media'].map((name) => ({ name, size, storageClassName: 'slow' })),
})

describe('defaults of an App', () => {
  it('hold for environments of a type, and what the instance says itself wins, field by field', async () => {
    const { hands, operator, app, namespace, instance } = world
    await makeEnv('dev')
    const data = { name: 'data', path: '/data', size: '2Gi', accessMode: 'ReadWriteMany' }
    const volumes = [data, { ...data, name: 'media', path: '/media' }]
    const jobs = { name: 'jobs', type: 'Worker', image: 'hello:1', replicas: 3 }
    const stack = { services: [{ ...web, volumes }, jobs] }
    const makeApp = (size: string, replicas: number): Promise<unknown> =>
      hands.apply({
        apiVersion: 'appstead.dev/v1alpha1',
        kind: 'App',
        metadata: { namespace, name: app },
        spec: {
          stack,
          defaults: [
            { envTypes: ['prod', 'staging'], services: [{ name: 'jobs', replicas: 9 }] },
            { envTypes: ['dev'], services: [saidOfWeb(size), { name: 'jobs', replicas }] },
          ],
        },
      })
    await makeApp('1Gi', 1)
    const spec = { env: app, services: [{ name: 'web', volumes: [{ name: 'media', size: '3Gi' }] }] }
    await hands.apply(makeInstance(world, spec))
    await operator.settle()
    const claims = await hands.list('PersistentVolumeClaim', instance)
    expect(
      claims.map(({ metadata, spec: of }) => [metadata.name, of.storageClassName, of.resources.requests.storage]),
    ).toEqual([
      ['web-data', 'slow', '1Gi'],
      ['web-media', 'slow', '3Gi'],
    ])
    const deployment = await hands.get('Deployment', { namespace: instance, name: 'jobs' })
    expect(deployment['spec'].replicas).toBe(1)

    await hands.apply(makeInstance(world, { ...spec, deploy: { trigger: 'Manual' } }))
    await makeApp('2Gi', 2)
    await operator.settle()
    expect((await getInstance(world))['status'].pendingChanges).toEqual([
      expect.objectContaining({ path: 'services[web].volumes[data].size', to: '2Gi', source: `App/${app}` }),
      expect.objectContaining({ path: 'services[jobs].replicas', from: '1', to: '2', source: `App/${app}` }),
    ])
    await makeApp('500Mi', 1)
    await operator.settle()
    const ready = (await getInstance(world))['status'].conditions.find(
      (each: { type: string }) => each.type === 'Ready',
    )
    expect([ready.reason, ready.message]).toEqual(['VolumeShrunk', expect.stringContaining('500Mi')])
  }, 60_000)
})
