import { describe, expect, it } from '@jest/globals'
import { auditMark, describeRequest, requestsOf } from '../../support/auditLog.ts'
import { rollOut } from '../../support/kubelet.ts'
import { objectPath } from '../../../operator/kube/paths.ts'
import { typeOf } from '../../support/hands.ts'
import {
  childWrites,
  conditionsOf,
  createRunning,
  getInstance,
  makeInstance,
  messageOf,
  releasesOf,
  useWorld,
} from './world.ts'

const world = useWorld()

describe('kubectl scale', () => {
  it('waits for the next deployment and says so; the next release applies it', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world)
    const ref = { namespace, name: instance }
    expect(await hands.get('AppInstance', ref)).toMatchObject({ spec: { replicas: 1 } })
    await hands.patch('AppInstance', ref, { spec: { replicas: 3 } }, 'scale')
    await operator.settle()

    expect(childWrites(world)).toEqual([])
    const waiting = await getInstance(world)
    // Of what nothing is said.
    const base = { cpu: '50m', memory: '128Mi' }
    expect(waiting['status']).toMatchObject({
      phase: 'Running',
      cost: { perReplica: base, replicas: 1, total: base },
      observedGeneration: 2,
      deployedGeneration: 1,
      pendingSummary: 'services[web].replicas',
      pendingChanges: [
        { path: 'services[web].replicas', from: '1', to: '3', effect: 'Scale', source: `AppInstance/${instance}` },
      ],
    })
    expect(conditionsOf(waiting)).toMatchObject({ Ready: 'True AllReady', ChangesPending: 'True WaitsForDeployment' })
    const pending = messageOf(waiting, 'ChangesPending')
    expect(pending).toBe(
      `services[web].replicas 1 → 3 (Scale): takes effect with the next deployment, for example a change of spec.image or spec.variables; now: kubectl annotate appinstance ${instance} -n ${namespace} appstead.dev/deploy=release-2 --overwrite`,
    )
    expect(await hands.columns('AppInstance', ref)).toMatchObject({
      Message: `All services are ready. ${pending}`,
      Pending: 'services[web].replicas',
      Replicas: '1/1',
    })
    const { body } = await hands.admin({
      path: `/apis/appstead.dev/v1alpha1/namespaces/${namespace}/appinstances/${instance}/scale`,
    })
    expect(body).toMatchObject({
      spec: { replicas: 3 },
      status: { replicas: 1, selector: `appstead.dev/instance=${instance},appstead.dev/service=web` },
    })
    const events = await hands.list('Event', namespace)
    expect(events.map((event) => event['message'])).toContain(messageOf(waiting, 'ChangesPending'))

    await hands.patch('AppInstance', ref, { spec: { image: 'hello:2' } })
    await operator.settle()
    expect(childWrites(world).toSorted()).toEqual(['apply Deployment web', 'apply PodDisruptionBudget web'])
    await rollOut(hands, operator, instance)
    const scaled = await getInstance(world)
    expect(scaled['status']).toMatchObject({
      phase: 'Running',
      replicas: 3,
      counts: { summary: '3/3' },
      cost: { perReplica: base, replicas: 3, total: { cpu: '150m', memory: '384Mi' } },
      currentRelease: { number: 2 },
      deployedGeneration: 3,
    })
    expect(scaled['status'].pendingChanges).toBeUndefined()
    expect(conditionsOf(scaled)['ChangesPending']).toBeUndefined()
    expect((await releasesOf(world)).at(-1)?.['spec'].services[0].replicas).toBe(3)
  }, 30_000)

  it('back before the next deployment leaves nothing pending', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world, { spec: { replicas: 2 } })
    for (const replicas of [1, 2]) {
      await hands.patch('AppInstance', { namespace, name: instance }, { spec: { replicas } }, 'scale')
      await operator.settle()
    }
    const calm = await getInstance(world)
    expect(calm['status'].pendingChanges).toBeUndefined()
    expect(calm['status'].deployedGeneration).toBe(3)
    expect(childWrites(world)).toEqual([])
  }, 30_000)

  it('down to one with the next deployment removes the PodDisruptionBudget', async () => {
    const { hands, operator, instance } = world
    await createRunning(world, { spec: { replicas: 2 } })
    await hands.apply(makeInstance(world, { replicas: 1, image: 'hello:2' }))
    await operator.settle()
    expect(childWrites(world).toSorted()).toEqual(['apply Deployment web', 'delete PodDisruptionBudget web'])
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', replicas: 1 })
  }, 30_000)

  it('takes effect at once where the instance says so: no release, no pod is replaced, nothing is read', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world, { spec: { deploy: { replicaChanges: 'Immediate' } } })
    const ref = { namespace, name: instance }
    const [before] = (await hands.list('Pod', instance)).map(({ metadata }) => metadata.name)
    const mark = auditMark(world.cluster)
    await hands.patch('AppInstance', ref, { spec: { replicas: 3 } }, 'scale')
    await operator.settle()
    expect(childWrites(world).toSorted()).toEqual(['apply Deployment web', 'apply PodDisruptionBudget web'])
    const scaling = await getInstance(world)
    expect(scaling['status'].phase).toBe('Deploying')
    expect(conditionsOf(scaling)).toMatchObject({ Ready: 'Unknown Scaling', Available: 'True Serving' })
    await rollOut(hands, operator, instance)
    const scaled = await getInstance(world)
    expect(scaled['status']).toMatchObject({ phase: 'Running', deployedGeneration: 2, counts: { summary: '3/3' } })
    expect(conditionsOf(scaled)).not.toHaveProperty('ChangesPending')
    expect(await releasesOf(world)).toHaveLength(1)
    expect((await hands.list('Pod', instance)).map(({ metadata }) => metadata.name)).toContain(before)
    const reads = requestsOf(world.cluster, world.operatorUser, mark).filter(({ verb }) =>
      ['get', 'list'].includes(verb),
    )
    expect(reads.filter(({ objectRef }) => objectRef?.resource !== 'leases').map(describeRequest)).toEqual([])
    // Another release takes the number along; the one before had another, and that stays so.
    await hands.patch('AppInstance', ref, { spec: { image: 'hello:2' } })
    await rollOut(hands, operator, instance)
    expect((await releasesOf(world)).map(({ spec }) => spec['services'][0].replicas)).toEqual([1, 3])
    const events = await hands.list('Event', namespace)
    expect(events.filter(({ type, reason }) => type === 'Warning' || reason === 'DriftCorrected')).toEqual([])
  })

  it('is not warned of in an edit where the AppEnv has it take effect at once', async () => {
    const { hands, namespace, instance, operator } = world
    const spec = { type: 'dev', defaults: { deploy: { replicaChanges: 'Immediate' } } }
    await hands.apply({ apiVersion: 'appstead.dev/v1alpha1', kind: 'AppEnv', metadata: { name: 'quick' }, spec })
    await createRunning(world, { spec: { env: 'quick' } })
    const path = `${objectPath(typeOf('AppInstance'), { namespace, name: instance })}?dryRun=All`
    await operator.until('the API server has read the AppEnv', async () => {
      const { status, warnings } = await hands.admin({ method: 'PATCH', path, body: { spec: { replicas: 3 } } })
      expect(status).toBe(200)
      return warnings.length === 0
    })
  }, 60_000)
})
