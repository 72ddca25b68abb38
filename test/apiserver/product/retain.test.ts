import { describe, expect, it } from '@jest/globals'
import { annotations, labels } from '../../../operator/api/meta.ts'
import type { Anything } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import {
  conditionsOf,
  createRunning,
  eventsTold,
  getInstance,
  makeInstance,
  messageOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

const ref = () => ({ namespace: world.namespace, name: world.instance })
const namespaceRef = () => ({ namespace: '', name: world.instance })
const isGone = async (): Promise<boolean> => (await world.hands.find('AppInstance', ref())) === undefined
const names = (objects: readonly Anything[]): readonly string[] => objects.map(({ metadata }) => metadata.name)

const kinds = [
  'HorizontalPodAutoscaler',
  'Job',
  'Deployment',
  'Pod',
  'Service',
  'PodDisruptionBudget',
  'ConfigMap',
  'Secret',
  'NetworkPolicy',
  'ServiceAccount',
  'PersistentVolumeClaim',
] as const

/** What there is in the instance's namespace that is the instance's, by kind. */
async function contents(): Promise<Readonly<Record<string, readonly string[]>>> {
  const lists = kinds.map(async (kind) => {
    const objects = await world.hands.list(kind, world.instance)
    return [
      kind,
      names(objects.filter(({ metadata }) => metadata.labels?.[labels.instance] === world.instance)),
    ] as const
  })
  return Object.fromEntries((await Promise.all(lists)).filter(([, found]) => found.length > 0))
}

const eventsOf = async (reason: string): Promise<readonly string[]> =>
  (await eventsTold(world)).filter((event) => event['reason'] === reason).map((event) => String(event['message']))

async function taskOf(type: string): Promise<Anything> {
  const tasks = await world.hands.list('AppTask', world.namespace)
  return tasks.find(({ spec }) => spec.type === type)!
}

const stateful = {
  ...web,
  files: [{ path: '/etc/motd', content: 'hi' }],
  generatedSecrets: [{ name: 'TOKEN' }],
  volumes: [{ name: 'data', path: '/data', size: '1Gi' }],
  actions: [{ name: 'warm', command: ['true'], run: 'AfterDeploy' }],
}
const jobs = { name: 'jobs', type: 'Worker', image: 'hello:1', autoscaling: { min: 1, max: 2, cpu: 50 } }

/** A claim, as people make one. */
async function makeClaim(name: string): Promise<void> {
  await world.hands.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: world.instance, name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  })
}

const setPolicy = (deletionPolicy: string): Promise<unknown> =>
  world.hands.patch('AppInstance', ref(), { spec: { deletionPolicy } })

describe('deletionPolicy Retain', () => {
  it('removes what runs; the next of the name takes namespace, claim and generated secrets over', async () => {
    const { hands, operator, instance, namespace } = world
    await createRunning(world, {
      stack: [stateful, jobs],
      spec: { env: 'prod', replicas: 2, deletionProtection: false },
    })
    expect(Object.keys(await contents()).toSorted()).toEqual(kinds.toSorted())
    const [secret] = (await hands.list('Secret', instance)) as [Anything]
    const claim = await hands.get('PersistentVolumeClaim', { namespace: instance, name: 'web-data' })
    const before = await hands.get('Namespace', namespaceRef())

    await hands.remove('AppInstance', ref())
    await operator.until('it is let go', isGone)
    expect(await contents()).toEqual({ Secret: [secret.metadata.name], PersistentVolumeClaim: ['web-data'] })
    const released = await hands.get('Namespace', namespaceRef())
    expect(released.metadata.labels).toMatchObject({ [labels.released]: 'true', [labels.instance]: instance })
    const [message] = await eventsOf('NamespaceReleased')
    expect(message).toContain("with PersistentVolumeClaim 'web-data', since deletionPolicy is Retain")
    expect(message).toContain("by default, as AppEnv 'prod' is of type prod")
    const task = await taskOf('Delete')
    expect(task['status'].steps).toMatchObject([
      { name: 'workloads', state: 'Succeeded' },
      { name: 'namespace', state: 'Succeeded' },
    ])
    expect(messageOf(task, 'Succeeded')).toBe(message)

    await hands.apply(makeInstance(world, { env: 'prod', replicas: 2 }))
    await operator.until('it is made', async () => (await hands.list('Deployment', instance)).length > 0)
    await rollOut(hands, operator, instance)
    const after = await hands.get('Namespace', namespaceRef())
    const { uid } = (await getInstance(world)).metadata
    expect([after.metadata.uid, after.metadata.labels?.[labels.released]]).toEqual([before.metadata.uid, undefined])
    expect(after.metadata.annotations?.[annotations.instanceUid]).toBe(uid)
    expect(await eventsOf('NamespaceTakenOver')).toHaveLength(1)
    const again = await hands.get('PersistentVolumeClaim', { namespace: instance, name: 'web-data' })
    const same = await hands.get('Secret', { namespace: instance, name: secret.metadata.name })
    expect([again.metadata.uid, same.metadata.uid, same['data']]).toEqual([
      claim.metadata.uid,
      secret.metadata.uid,
      secret['data'],
    ])
    const running = await getInstance(world)
    expect([running['status'].phase, running['status'].namespace]).toEqual(['Running', instance])
    expect(namespace).not.toBe(instance)
  }, 90_000)

  it('waits for what does not go, and is Errored when it never does; changed to Delete, that is done', async () => {
    const { hands, operator, instance } = world
    await createRunning(world, { spec: { deletionPolicy: 'Retain', deletionDeadlineSeconds: 10 } })
    const service = { namespace: instance, name: 'web' }
    await hands.patch('Service', service, { metadata: { finalizers: ['test/slow'] } })
    await hands.remove('AppInstance', ref())
    await operator.until('the rest is gone', async () => Object.keys(await contents()).join() === 'Service')
    expect(conditionsOf(await getInstance(world))).toMatchObject({ Ready: 'Unknown Terminating' })
    const errored = async () => (await getInstance(world))['status'].phase === 'Errored'
    await operator.until('it is given up', errored, 40)
    const { error } = (await getInstance(world))['status']
    expect(error).toMatchObject({ class: 'Cleanup', failedStep: 'workloads' })
    expect(error.message).toContain("does not go: Service 'web'")
    // May be changed in every state, by anybody who may change the instance.
    await setPolicy('Delete')
    await operator.until('the namespace goes, too', async () => {
      return (await hands.get('Namespace', namespaceRef())).metadata.deletionTimestamp !== undefined
    })
    await hands.patch('Service', service, { metadata: { finalizers: null } })
    await operator.until('it is let go', isGone)
    expect(await hands.find('Namespace', namespaceRef())).toBeUndefined()
  }, 90_000)

  it('needs neither App, stack nor AppEnv; where the AppEnv is gone, it is what is done', async () => {
    const { hands, operator, namespace, app, instance } = world
    const env = { apiVersion: 'appstead.dev/v1alpha1', kind: 'AppEnv', metadata: { name: app }, spec: { type: 'dev' } }
    await hands.apply(env)
    await createRunning(world, { spec: { env: app } })
    await world.whileDown(async () => {
      const revisions = names(await hands.list('AppStackRevision', namespace))
      const needed = [
        ['AppEnv', { namespace: '', name: app }],
        ['App', { namespace, name: app }],
        ...revisions.map((name) => ['AppStackRevision', { namespace, name }] as const),
      ] as const
      for (const [kind, named] of needed) {
        await hands.patch(kind, named, { metadata: { finalizers: null } })
        await hands.remove(kind, named)
      }
      await hands.remove('AppInstance', ref())
    })
    await world.operator.until('it is let go', isGone)
    expect(operator).not.toBe(world.operator)
    expect((await hands.get('Namespace', namespaceRef())).metadata.labels?.[labels.released]).toBe('true')
    expect(await contents()).toEqual({})
    expect((await eventsOf('NamespaceReleased'))[0]).toContain(`AppEnv '${app}' is gone`)
    expect(await hands.list('Deployment', instance)).toEqual([])
  }, 60_000)

  it('is kept to by force-delete, which waits for nothing', async () => {
    const { hands, operator, instance } = world
    await createRunning(world, { stack: [stateful], spec: { deletionPolicy: 'Retain' } })
    const service = { namespace: instance, name: 'web' }
    await hands.patch('Service', service, { metadata: { finalizers: ['test/slow'] } })
    await hands.remove('AppInstance', ref())
    const { uid } = (await getInstance(world)).metadata
    await hands.patch('AppInstance', ref(), { metadata: { annotations: { [annotations.forceDelete]: uid } } })
    await operator.until('it is let go', isGone)
    const [message] = await eventsOf('ForceDeleted')
    expect(message).toMatch(/PersistentVolumeClaim 'web-data',.* Service 'web'$/)
    const left = await hands.get('Namespace', namespaceRef())
    expect([left.metadata.deletionTimestamp, left.metadata.labels?.[labels.released]]).toEqual([undefined, 'true'])
    await hands.patch('Service', service, { metadata: { finalizers: null } })
  }, 60_000)
})

describe('deletionPolicy Delete', () => {
  it('has what others made in the namespace on record before it goes', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    const metadata = { namespace: instance, name: 'notes' }
    await hands.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
    await hands.remove('AppInstance', ref())
    await operator.until('it is let go', isGone)
    const [contentsStep] = (await taskOf('Delete'))['status'].steps
    expect(contentsStep).toMatchObject({ name: 'contents', state: 'Succeeded' })
    expect(contentsStep.message).toMatch(/: ConfigMap 'notes'$/)
    expect((await eventsOf('NamespaceDeleted'))[0]).toContain("also with what others made there: ConfigMap 'notes'")
    const order = operator.writes.map(({ verb, kind }) => `${verb} ${kind}`)
    const [recorded = -1, removed = -1] = ['patchStatus AppTask', 'delete Namespace'].map((each) => order.indexOf(each))
    expect([recorded >= 0, recorded < removed]).toEqual([true, true])
    expect(await hands.find('Namespace', namespaceRef())).toBeUndefined()
  }, 60_000)

  it('does not remove a claim of others: it says so and how to go on, and goes on when the claim is asked to go', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    await makeClaim('theirs')
    await hands.remove('AppInstance', ref())
    await operator.until('it waits', async () => {
      return conditionsOf(await getInstance(world))['Ready'] === 'Unknown ForeignClaim'
    })
    expect((await getInstance(world))['status'].phase).toBe('Deleting')
    const message = messageOf(await getInstance(world), 'Ready')
    for (const way of [
      `kubectl delete pvc theirs -n ${instance}`,
      '"deletionPolicy":"Retain"',
      annotations.forceDelete,
    ])
      expect(message).toContain(way)
    expect(await hands.list('Deployment', instance)).toHaveLength(1)
    expect(await eventsOf('ForeignClaim')).toHaveLength(1)
    await hands.remove('PersistentVolumeClaim', { namespace: instance, name: 'theirs' })
    await operator.until('it is let go', isGone)
    expect(await hands.find('Namespace', namespaceRef())).toBeUndefined()
  }, 60_000)

  it('leaves a claim of others to force-delete and to Retain', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    await makeClaim('theirs')
    await hands.remove('AppInstance', ref())
    await operator.until('it waits', async () => (await eventsOf('ForeignClaim')).length > 0)
    const { uid } = (await getInstance(world)).metadata
    await hands.patch('AppInstance', ref(), { metadata: { annotations: { [annotations.forceDelete]: uid } } })
    await operator.until('it is let go', isGone)
    expect((await eventsOf('ForceDeleted'))[0]).toContain("PersistentVolumeClaim 'theirs'")
    expect(await contents()).toEqual({})

    await hands.apply(makeInstance(world))
    await operator.until('it is made', async () => (await hands.list('Deployment', instance)).length > 0)
    await hands.remove('AppInstance', ref())
    await operator.until('it waits again', async () => {
      return conditionsOf(await getInstance(world))['Ready'] === 'Unknown ForeignClaim'
    })
    await setPolicy('Retain')
    await operator.until('it is let go', isGone)
    const left = await hands.get('PersistentVolumeClaim', { namespace: instance, name: 'theirs' })
    expect(left.metadata.deletionTimestamp).toBeUndefined()
  }, 90_000)
})
