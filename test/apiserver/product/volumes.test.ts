import { describe, expect, it } from '@jest/globals'
import type { Anything } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import {
  childWrites,
  conditionsOf,
  create,
  createRunning,
  eventsTold,
  getInstance,
  makeApp,
  makeInstance,
  messageOf,
  releasesOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

const data = { name: 'data', path: '/data', size: '1Gi', accessMode: 'ReadWriteMany' }
const withVolume = (more: object = {}): object => ({ ...web, volumes: [{ ...data, ...more }] })

const claim = (name = 'web-data'): Promise<Anything> =>
  world.hands.get('PersistentVolumeClaim', { namespace: world.instance, name })

/** A volume made by hand that only a claim of this class fits, and the class: volumes of it grow. */
async function offerVolume(storageClassName: string): Promise<void> {
  const { hands } = world
  await hands.apply({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: storageClassName },
    provisioner: 'example.com/none',
    allowVolumeExpansion: true,
  })
  await hands.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: `pv-${storageClassName}`,
      annotations: { 'pv.kubernetes.io/provisioned-by': 'example.com/none' },
    },
    spec: {
      storageClassName,
      accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      hostPath: { path: '/nowhere' },
    },
  })
}

async function dropVolume(storageClassName: string): Promise<void> {
  await world.hands.remove('PersistentVolume', { namespace: '', name: `pv-${storageClassName}` })
  await world.hands.remove('StorageClass', { namespace: '', name: storageClassName })
}

/** Changes the services and lets the instance move to them. */
async function upgrade(...services: object[]): Promise<void> {
  const { hands, operator, namespace, app } = world
  await hands.apply(makeApp(world, services))
  await operator.settle()
  const { latestRevision } = (await hands.get('App', { namespace, name: app }))['status']
  await hands.apply(makeInstance(world, { stack: { revision: latestRevision } }))
  await operator.settle()
}

describe('the claim of a volume', () => {
  it('is made once, says why it is not bound, grows when it is, and stays when its service goes', async () => {
    const { hands, operator, instance, app } = world
    await create(world, { stack: [withVolume({ storageClassName: app })] })
    const waiting = await getInstance(world)
    expect(waiting['status'].phase).toBe('Creating')
    expect(messageOf(waiting, 'Ready')).toContain(
      `claim 'web-data' (storage class '${app}') is not bound: no StorageClass '${app}' makes volumes`,
    )
    expect(messageOf(waiting, 'Ready')).toContain(`see kubectl describe pvc web-data -n ${instance}`)
    expect(childWrites(world).filter((write) => write.includes('Claim'))).toEqual([
      'create PersistentVolumeClaim web-data',
    ])

    await offerVolume(app)
    await operator.until('it is bound', async () => (await claim())['status'].phase === 'Bound')
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status'].phase).toBe('Running')
    const { uid } = (await claim()).metadata
    operator.writes.splice(0)

    await upgrade(withVolume({ storageClassName: app, size: '2Gi' }))
    expect(childWrites(world)).toEqual(['apply PersistentVolumeClaim web-data'])
    expect((await claim())['spec'].resources.requests.storage).toBe('2Gi')
    // Nobody was restarted for it.
    expect((await hands.get('Deployment', { namespace: instance, name: 'web' })).metadata['generation']).toBe(1)

    operator.writes.splice(0)
    await upgrade({ ...web, name: 'other' })
    await rollOut(hands, operator, instance)
    await operator.until('the service is gone', async () => (await hands.list('Deployment', instance)).length === 1)
    await operator.settle()
    expect((await claim()).metadata).toMatchObject({ uid })
    expect((await claim()).metadata.deletionTimestamp).toBeUndefined()
    await dropVolume(app)
  }, 60_000)

  it('that is never bound is named when its release has failed, with the command; and heals by itself once there is a volume', async () => {
    const { hands, operator, instance, app } = world
    const className = `none-${app}`
    await hands.apply({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: className },
      provisioner: 'example.com/none',
      volumeBindingMode: 'Immediate',
    })
    const rollout = { progressDeadlineSeconds: 10 }
    await create(world, { stack: [{ ...withVolume({ storageClassName: className }), rollout }] })
    // Most volumes take some seconds: nobody is alarmed by that.
    expect(messageOf(await getInstance(world), 'Ready')).not.toContain('is not bound')
    const failed = async (): Promise<boolean> => (await getInstance(world))['status'].failedRelease !== undefined
    await operator.until('its deadline is missed', failed, 40)
    await operator.settle()
    const why = `claim 'web-data' (storage class '${className}') is not bound: no volume was made for it, and none that is there fits`
    const down = await getInstance(world)
    expect(down['status']).toMatchObject({
      phase: 'Down',
      releaseSummary: '1 (failed)',
      failedRelease: { number: 1, reason: 'ClaimUnbound' },
    })
    expect(conditionsOf(down)).toMatchObject({ Ready: 'False ClaimUnbound', Stalled: 'True ClaimUnbound' })
    // What a provisioner met stands in the Events of the claim.
    expect(messageOf(down, 'Ready')).toMatch(/^Release \S+-r1: service 'web' did not become ready in time: /)
    expect(messageOf(down, 'Ready')).toContain(`${why}; see kubectl describe pvc web-data -n ${instance}`)
    const release = (await releasesOf(world))[0]!
    expect(conditionsOf(release)).toEqual({ Succeeded: 'False ClaimUnbound' })
    expect(messageOf(release, 'Succeeded')).toBe(`Service 'web' did not become ready within 10 seconds: ${why}.`)
    // When it held the roll-out up, and when that was given up.
    const told = (await eventsTold(world)).filter((event) => event['reason'] === 'ClaimUnbound')
    const parts = ["rolls out; service 'web' is not ready yet: ", "service 'web' did not become ready in time: "]
    expect(parts.map((part) => told.filter(({ message }) => String(message).includes(part + why)).length)).toEqual([
      1, 1,
    ])
    expect(told).toHaveLength(2)

    await hands.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `pv-${className}` },
      spec: {
        storageClassName: className,
        accessModes: ['ReadWriteMany'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/nowhere' },
      },
    })
    await operator.until('it is bound', async () => (await claim())['status'].phase === 'Bound')
    operator.writes.splice(0)
    await rollOut(hands, operator, instance)
    expect(childWrites(world)).toEqual([])
    const healed = await getInstance(world)
    expect(healed['status']).toMatchObject({ phase: 'Running', releaseSummary: '1' })
    expect(healed['status'].failedRelease).toBeUndefined()
    expect(conditionsOf((await releasesOf(world))[0]!)).toEqual({ Succeeded: 'True RolledOut' })
    await dropVolume(className)
  }, 90_000)

  it('may not be smaller nor of another mode; what others let grow stays grown, what they mark is put right', async () => {
    const { hands, operator, instance, app } = world
    await offerVolume(app)
    await createRunning(world, { stack: [withVolume({ storageClassName: app })] })
    const ref = { namespace: instance, name: 'web-data' }
    await hands.patch('PersistentVolumeClaim', ref, {
      metadata: { labels: { 'appstead.dev/env': 'prod' } },
      spec: { resources: { requests: { storage: '3Gi' } } },
    })
    await operator.until(
      'the label is put right',
      async () => (await claim()).metadata.labels?.['appstead.dev/env'] === 'dev',
    )
    await operator.settle()
    expect((await claim())['spec'].resources.requests.storage).toBe('3Gi')
    expect((await getInstance(world))['status'].phase).toBe('Running')
    expect(childWrites(world)).toEqual(['apply PersistentVolumeClaim web-data'])

    await upgrade(withVolume({ storageClassName: app, size: '2Gi' }))
    const smaller = await getInstance(world)
    expect(conditionsOf(smaller)).toMatchObject({ Accepted: 'False VolumeShrunk', Available: 'True Serving' })
    expect(messageOf(smaller, 'Accepted')).toContain(
      "services[web].volumes[data].size is 2Gi, but claim 'web-data' has 3Gi",
    )
    await upgrade(withVolume({ storageClassName: app, size: '3Gi', accessMode: 'ReadWriteOncePod' }))
    expect(conditionsOf(await getInstance(world))).toMatchObject({ Accepted: 'False VolumeImmutable' })
    await upgrade(withVolume({ storageClassName: app, size: '3Gi' }))
    expect((await getInstance(world))['status'].phase).toBe('Running')
    await dropVolume(app)
  }, 60_000)

  it('made by others is waited for and never touched, under the name of one of ours too', async () => {
    const { hands, operator, instance, app } = world
    const existing = { name: 'old', path: '/old', existingClaim: 'old-data' }
    await create(world, { stack: [{ ...web, volumes: [existing] }] })
    const waiting = await getInstance(world)
    expect(waiting['status'].phase).toBe('Pending')
    expect(messageOf(waiting, 'Ready')).toContain("PersistentVolumeClaim 'old-data'")
    const made = await Promise.all(
      ['old-data', 'web-data'].map((name) =>
        hands.apply({
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { namespace: instance, name },
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
            storageClassName: app,
          },
        }),
      ),
    )
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status'].phase).toBe('Running')
    await upgrade({ ...web, volumes: [existing, { ...data, accessMode: 'ReadWriteOnce' }] })
    expect(messageOf(await getInstance(world), 'Accepted')).toContain('mount it with existingClaim: web-data')
    for (const before of made) {
      expect((await claim(before.metadata.name)).metadata.labels).toBeUndefined()
      expect((await claim(before.metadata.name)).metadata.uid).toBe(before.metadata.uid)
    }
  }, 60_000)
})

describe('the strategy of a service', () => {
  it('follows its volumes: to Recreate and back', async () => {
    const { hands, instance } = world
    const deployment = (): Promise<Anything> => hands.get('Deployment', { namespace: instance, name: 'web' })
    await create(world)
    expect(conditionsOf(await getInstance(world))).toMatchObject({ ZeroDowntime: 'False SingleReplica' })
    await upgrade(withVolume({ accessMode: 'ReadWriteOncePod' }))
    expect(conditionsOf(await getInstance(world))).toMatchObject({ ZeroDowntime: 'False ReplicaStopsFirst' })
    expect((await deployment())['spec'].strategy).toEqual({ type: 'Recreate' })
    await upgrade({ ...web, volumes: [{ ...data, name: 'local', accessMode: 'ReadWriteOnce' }] })
    const { strategy, template } = (await deployment())['spec']
    expect(strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } })
    expect(template.metadata.labels['appstead.dev/same-node']).toBe('web-local')
    expect(template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution).toHaveLength(1)
  }, 60_000)
})
