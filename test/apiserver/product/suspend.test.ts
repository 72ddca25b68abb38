import { describe, expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import type { Anything } from '../../support/hands.ts'
import {
  childWrites,
  conditionsOf,
  create,
  createRunning,
  getInstance,
  messageOf,
  releasesOf,
  useWorld,
  web,
  type World,
} from './world.ts'

const world = useWorld()

const side = { name: 'side', type: 'Worker', image: 'side:1', replicas: 2 }

async function setSpec({ hands, operator, namespace, instance }: World, spec: object): Promise<void> {
  await hands.patch('AppInstance', { namespace, name: instance }, { spec })
  await operator.settle()
}

async function eventsOf({ hands, namespace }: World): Promise<readonly string[]> {
  const events = await hands.list('Event', namespace)
  return events.map(({ type, reason }: Anything) => `${type} ${reason}`)
}

describe('suspend', () => {
  it('takes every service to no replica, verified on the cluster, and brings them back in their order', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world, { stack: [{ ...web }, { ...side, dependsOn: ['web'] }], spec: { replicas: 2 } })
    await rollOut(hands, operator, instance)
    operator.writes.splice(0)
    await setSpec(world, { suspend: true })
    expect(childWrites(world).toSorted()).toEqual(['apply Deployment side', 'apply Deployment web'])
    await operator.until('no pod is left', async () => (await hands.list('Pod', instance)).length === 0)
    await operator.settle()

    const suspended = await getInstance(world)
    expect(suspended['status']).toMatchObject({
      phase: 'Suspended',
      deployedGeneration: 2,
      replicas: 0,
      counts: { total: 0, summary: '0/0' },
    })
    expect(conditionsOf(suspended)).toEqual({
      ZeroDowntime: 'True NoInterruption',
      Ready: 'True Suspended',
      Available: 'False Suspended',
      Accepted: 'True Accepted',
      Deployed: 'True RolledOut',
      Suspended: 'True Suspended',
    })
    expect(await hands.columns('AppInstance', { namespace, name: instance })).toMatchObject({
      Phase: 'Suspended',
      Ready: 'True',
      Available: 'False',
      Replicas: '0/0',
    })
    expect(messageOf(suspended, 'Suspended')).toContain(
      `To resume: kubectl patch appinstance ${instance} -n ${namespace} --type=merge`,
    )
    const kept = await Promise.all(['Service', 'PodDisruptionBudget'].map((kind) => hands.list(kind, instance)))
    expect(kept.map((list) => list.map(({ metadata }) => metadata.name))).toEqual([['web'], ['side', 'web']])

    operator.writes.splice(0)
    await setSpec(world, { suspend: false })
    // The one that depends on the other waits, as when it was made.
    expect(childWrites(world)).toEqual(['apply Deployment web'])
    const resuming = await getInstance(world)
    expect(resuming['status'].phase).toBe('Deploying')
    expect(conditionsOf(resuming)).toMatchObject({ Ready: 'Unknown Scaling', Reconciling: 'True Scaling' })
    await rollOut(hands, operator, instance)
    await rollOut(hands, operator, instance)
    expect(childWrites(world)).toEqual(['apply Deployment web', 'apply Deployment side'])
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', counts: { summary: '4/4' } })
    expect(await releasesOf(world)).toHaveLength(1)
    const events = await eventsOf(world)
    expect(events).toEqual(expect.arrayContaining(['Normal Suspended', 'Normal Resumed']))
    expect(events.filter((event) => event.startsWith('Warning') || event.endsWith('DriftCorrected'))).toEqual([])
  })

  it('makes no release of what is changed meanwhile, tells of it, and deploys it when it is resumed', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    await setSpec(world, { suspend: true, image: 'hello:2' })
    await operator.until('no pod is left', async () => (await hands.list('Pod', instance)).length === 0)
    await operator.settle()
    const suspended = await getInstance(world)
    expect(suspended['status']).toMatchObject({ phase: 'Suspended', pendingSummary: 'services[web].image' })
    expect(conditionsOf(suspended)).toMatchObject({ Ready: 'True Suspended', ChangesPending: 'True WaitsForResume' })
    const resume = `kubectl patch appinstance ${instance} -n ${world.namespace} --type=merge -p '{"spec":{"suspend":false}}'`
    expect(messageOf(suspended, 'ChangesPending')).toBe(
      `services[web].image hello:1 → hello:2 (Restart): takes effect when spec.suspend is false again: ${resume}`,
    )
    expect(await releasesOf(world)).toHaveLength(1)
    await setSpec(world, { suspend: false })
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 2 } })
    const images = (await hands.list('Pod', instance)).map(({ spec }) => spec['containers'][0].image)
    expect(images).toEqual(['hello:2'])
  })

  it('from the first makes nothing, and says so, until it is resumed', async () => {
    const { hands, operator, instance } = world
    await create(world, { spec: { suspend: true } })
    expect(await releasesOf(world)).toEqual([])
    expect(messageOf(await getInstance(world), 'Ready')).toMatch(
      /: nothing was deployed yet\. To resume: kubectl patch/,
    )
    await setSpec(world, { suspend: false })
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status'].phase).toBe('Running')
  }, 60_000)

  it('of a release that is under way neither completes it nor fails it', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    await setSpec(world, { image: 'hello:2' })
    await setSpec(world, { suspend: true })
    await operator.until('no pod is left', async () => (await hands.list('Pod', instance)).length === 0)
    await operator.settle()
    expect((await releasesOf(world)).map((release) => conditionsOf(release)['Succeeded'])).toEqual([
      'True RolledOut',
      'Unknown RollingOut',
    ])
    const suspended = await getInstance(world)
    expect(conditionsOf(suspended)).toMatchObject({ Ready: 'True Suspended', Deployed: 'False RollingOut' })
    expect(suspended['status'].deployedGeneration).toBe(1)
    await setSpec(world, { suspend: false })
    await rollOut(hands, operator, instance)
    expect(conditionsOf((await releasesOf(world)).at(-1)!)['Succeeded']).toBe('True RolledOut')
  })
})
