import { describe, expect, it } from '@jest/globals'
import { collectionPath } from '../../../operator/kube/paths.ts'
import { demand } from '../../support/apiserver.ts'
import { typeOf } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import {
  childWrites,
  conditionsOf,
  create,
  createRunning,
  getInstance,
  holdNamespace,
  makeInstance,
  makeStack,
  messageOf,
  releasesOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

/** An instance of an App on the stack `shop`, running. */
async function createFromStack(): Promise<void> {
  await world.hands.apply(makeStack(world, 'shop', [web]))
  await createRunning(world, { stack: 'shop' })
}

const ref = () => ({ namespace: world.namespace, name: world.instance })

/** Deletes the instance and holds its namespace up, so that what is said meanwhile can be read. Out: what lets it go. */
async function removeSlowly(): Promise<() => Promise<unknown>> {
  const { hands, operator, instance } = world
  const letGo = await holdNamespace(world)
  await hands.remove('AppInstance', ref())
  await operator.until('the namespace is terminating', async () => {
    const namespace = await hands.find('Namespace', { namespace: '', name: instance })
    return namespace?.metadata.deletionTimestamp !== undefined
  })
  await operator.settle()
  return letGo
}

const phase = async (): Promise<string> => (await getInstance(world))['status'].phase

const isGone = async (): Promise<boolean> =>
  (await world.hands.find('AppInstance', ref())) === undefined &&
  (await world.hands.find('Namespace', { namespace: '', name: world.instance })) === undefined

describe('deletion', () => {
  it('removes the namespace, then lets the instance go; its releases go with it', async () => {
    const { hands, operator, instance, namespace } = world
    await createFromStack()
    const letGo = await removeSlowly()
    const deleting = await getInstance(world)
    expect(deleting['status'].phase).toBe('Deleting')
    expect(conditionsOf(deleting)).toMatchObject({
      Accepted: 'True Accepted',
      Ready: 'Unknown Terminating',
      Reconciling: 'True Terminating',
    })
    await operator.until('no replica is left', async () => {
      const { Replicas } = await hands.columns('AppInstance', ref())
      return Replicas === '0/1'
    })
    expect(await hands.columns('AppInstance', ref())).toMatchObject({
      Phase: 'Deleting',
      Ready: 'Unknown',
      Release: '1',
      Rev: expect.stringMatching(/^shop-r1-/),
    })
    await letGo()
    await operator.until('all is gone', isGone)
    await operator.until('its releases are gone', async () => (await releasesOf(world)).length === 0, 40)
    expect(childWrites(world)).toEqual([`delete Namespace ${instance}`])
    expect((await hands.list('AppStackRevision', namespace)).length).toBe(1)
  }, 60_000)

  it('needs neither App, stack nor environment to be there, where it says itself what it leaves', async () => {
    const { hands, namespace, app } = world
    await hands.apply({
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'AppEnv',
      metadata: { name: app },
      spec: { type: 'feature' },
    })
    await create(world, { spec: { env: app, deletionPolicy: 'Delete' } })
    await world.whileDown(async () => {
      const revisions = await hands.list('AppStackRevision', namespace)
      const needed = [
        ['AppEnv', { namespace: '', name: app }],
        ['App', { namespace, name: app }],
        ...revisions.map(({ metadata }) => ['AppStackRevision', { namespace, name: metadata.name }] as const),
      ] as const
      for (const [kind, named] of needed) {
        await hands.patch(kind, named, { metadata: { finalizers: null } })
        await hands.remove(kind, named)
      }
    })
    await world.operator.settle()
    await hands.remove('AppInstance', ref())
    await world.operator.until('all is gone', isGone)
  }, 30_000)

  it.each([
    ['during a roll-out', () => world.operator.until('it rolls out', async () => (await phase()) === 'Deploying')],
    ['in the moment of a change', () => Promise.resolve()],
  ])(
    '%s wins: the namespace goes, and nothing of it is made again',
    async (_, begun) => {
      const { hands, operator, instance } = world
      await createRunning(world)
      // It stays while what is in it goes, under the operator's eyes.
      const letGo = await holdNamespace(world)
      await hands.apply(makeInstance(world, { image: 'hello:2' }))
      await begun()
      await hands.remove('AppInstance', ref())
      await operator.until('the workload is gone', async () => {
        const left = await Promise.all(['Deployment', 'Pod', 'Service'].map((kind) => hands.list(kind, instance)))
        return left.every((objects) => objects.length === 0)
      })
      // Nor does a change of one that is leaving bring anything back.
      await hands.apply(makeInstance(world, { image: 'hello:3', replicas: 3 }))
      await operator.settle()
      const leaving = await getInstance(world)
      expect(leaving['status'].phase).toBe('Deleting')
      expect(conditionsOf(leaving)).toMatchObject({ Ready: 'Unknown Terminating', Available: 'False NotServing' })
      expect(await hands.list('Deployment', instance)).toEqual([])
      await letGo()
      await operator.until('all is gone', isGone)
      await operator.settle()
      const writes = childWrites(world)
      expect(writes.indexOf(`delete Namespace ${instance}`)).toBe(writes.length - 1)
      expect(writes.length).toBeLessThanOrEqual(2)
      expect(operator.log.filter(({ thrown }) => thrown !== undefined && thrown !== 'transient')).toEqual([])
      await operator.until('its releases are gone', async () => (await releasesOf(world)).length === 0, 40)
    },
    60_000,
  )

  it('while no operator ran is done by the next one, and what was changed meanwhile is not', async () => {
    const { hands } = world
    await createRunning(world)
    await world.whileDown(async () => {
      await hands.apply(makeInstance(world, { image: 'hello:2', replicas: 2 }))
      await hands.remove('AppInstance', ref())
    })
    await world.operator.until('all is gone', isGone)
    expect(childWrites(world)).toEqual([`delete Namespace ${world.instance}`])
  }, 60_000)

  it('of the whole project takes its instances and their namespaces with it', async () => {
    const { hands, operator, namespace } = world
    await createFromStack()
    await hands.remove('Namespace', { namespace: '', name: namespace })
    await operator.until(
      'all is gone',
      async () => (await isGone()) && (await hands.find('Namespace', { namespace: '', name: namespace })) === undefined,
      40,
    )
  }, 60_000)

  it('followed by a new instance of the same name waits for the old namespace to be gone', async () => {
    const { hands, operator, instance } = world
    await createFromStack()
    const before = await hands.get('Namespace', { namespace: '', name: instance })
    const first = await getInstance(world)
    const letGo = await removeSlowly()
    // Someone is impatient and takes our finalizer off.
    await hands.patch('AppInstance', ref(), { metadata: { finalizers: null } })
    await operator.until('the old one is gone', async () => (await hands.find('AppInstance', ref())) === undefined)
    await hands.apply(makeInstance(world))
    await operator.settle()
    const waiting = await getInstance(world)
    expect(waiting.metadata.uid).not.toBe(first.metadata.uid)
    expect(conditionsOf(waiting)).toMatchObject({
      Ready: 'Unknown NamespaceTerminating',
      Reconciling: 'True NamespaceTerminating',
    })
    expect(waiting['status'].phase).toBe('Creating')

    await letGo()
    await operator.until('there is a new namespace', async () => {
      const now = await hands.find('Namespace', { namespace: '', name: instance })
      return now !== undefined && now.metadata.uid !== before.metadata.uid
    })
    await operator.settle()
    await rollOut(hands, operator, instance)
    const running = await getInstance(world)
    expect(running['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 1 } })
    expect(
      (await hands.get('Namespace', { namespace: '', name: instance })).metadata.annotations?.[
        'appstead.dev/instance-uid'
      ],
    ).toBe(running.metadata.uid)
  }, 60_000)

  it('that a pod holds up names the pod, of which the namespace itself says nothing', async () => {
    const { hands, operator, instance } = world
    await createRunning(world, { spec: { deletionDeadlineSeconds: 5 } })
    const path = collectionPath(typeOf('Pod'), instance)
    const [pod] = await hands.list('Pod', instance)
    const { name } = pod!.metadata
    // No kubelet is there to say that it has ended.
    const target = { apiVersion: 'v1', kind: 'Node', name: 'nowhere' }
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target }
    await demand(hands.admin, { method: 'POST', path: `${path}/${name}/binding`, body: binding })
    await hands.remove('AppInstance', ref())
    await operator.until('it is Errored', async () => (await phase()) === 'Errored')
    expect(messageOf(await getInstance(world), 'Stalled')).toContain(
      `Namespace '${instance}' does not go: Pod '${name}'. `,
    )
    await hands.admin({ method: 'DELETE', path: `${path}/${name}`, body: { gracePeriodSeconds: 0 } })
    await operator.until('all is gone', isGone)
  }, 60_000)

  it('while the namespace was already gone just lets the instance go', async () => {
    const { hands, operator } = world
    await hands.apply(makeInstance(world))
    await operator.settle()
    await hands.remove('AppInstance', ref())
    await operator.until('all is gone', isGone)
    expect(childWrites(world)).toEqual([])
  }, 30_000)
})
