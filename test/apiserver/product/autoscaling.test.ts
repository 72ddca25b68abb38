import { expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import type { Anything } from '../../support/hands.ts'
import { childWrites, createRunning, getInstance, makeApp, messageOf, releasesOf, useWorld, web } from './world.ts'

const world = useWorld()

/** Declares how web scales, and moves the instance to the revision that says so. */
async function scaleBy(min: number, max: number): Promise<void> {
  const { hands, operator, namespace, app } = world
  await hands.apply(makeApp(world, [{ ...web, autoscaling: { min, max, cpu: 70 } }]))
  await operator.settle()
  const { status } = await hands.get('App', { namespace, name: app })
  await setSpec({ stack: { revision: status.latestRevision } })
}

async function setSpec(spec: object): Promise<void> {
  const { hands, operator, namespace, instance } = world
  await hands.patch('AppInstance', { namespace, name: instance }, { spec })
  await operator.settle()
}

const deployment = (): Promise<Anything> => world.hands.get('Deployment', { namespace: world.instance, name: 'web' })

async function untilAsked(replicas: number): Promise<void> {
  await world.operator.until(`the Deployment asks for ${replicas}`, async () => {
    return (await deployment())['spec'].replicas === replicas
  })
  await world.operator.settle()
}

it('a service that begins to scale itself keeps its replicas until its autoscaler, which is never fought, decides', async () => {
  const { hands, operator, namespace, instance } = world
  await createRunning(world, { spec: { replicas: 5 } })
  await scaleBy(2, 6)
  // Nothing about its replicas is written, let alone that there be one.
  expect(childWrites(world)).toEqual(['apply HorizontalPodAutoscaler web'])
  expect((await deployment())['spec'].replicas).toBe(5)
  expect(messageOf(await getInstance(world), 'Ready')).toContain('2 to 6 at 70% CPU: spec.replicas is ignored.')

  // Without metrics an autoscaler keeps to its bounds.
  await scaleBy(2, 3)
  await untilAsked(3)
  await rollOut(hands, operator, instance)
  operator.writes.splice(0)
  await operator.settle()
  expect(childWrites(world)).toEqual([])
  const scaled = await getInstance(world)
  expect(scaled['status']).toMatchObject({ phase: 'Running', replicas: 3, services: [{ ready: 3, desired: 3 }] })
  await setSpec({ image: 'hello:2' })
  expect(childWrites(world)).toEqual(['apply Deployment web'])
  expect((await deployment())['spec'].replicas).toBe(3)
  await rollOut(hands, operator, instance)

  // At no replica it does nothing, and what comes back begins with the least.
  await setSpec({ suspend: true })
  const ref = { namespace: instance, name: 'web' }
  await operator.until('the autoscaler has seen it', async () => {
    const { status } = await hands.get('HorizontalPodAutoscaler', ref)
    const conditions: { reason: string }[] = status?.conditions ?? []
    return conditions.some(({ reason }) => reason === 'ScalingDisabled')
  })
  await operator.settle()
  expect((await getInstance(world))['status']).toMatchObject({ phase: 'Suspended', counts: { total: 0 } })
  expect((await deployment())['spec'].replicas).toBe(0)
  await setSpec({ suspend: false })
  expect((await deployment())['spec'].replicas).toBe(2)
  await rollOut(hands, operator, instance)

  // And back to a number.
  await hands.apply(makeApp(world, [web]))
  await operator.settle()
  const { status } = await hands.get('App', { namespace, name: world.app })
  await setSpec({ stack: { revision: status.latestRevision }, replicas: 4 })
  expect((await deployment())['spec'].replicas).toBe(4)
  expect(await hands.find('HorizontalPodAutoscaler', ref)).toBeUndefined()
  await rollOut(hands, operator, instance)
  const events = await hands.list('Event', namespace)
  const alarms = events.filter(({ type, reason }) => type === 'Warning' || reason === 'DriftCorrected')
  expect(alarms.map((event) => event['message'])).toEqual([])
})

it('a change of the bounds that takes effect at once reaches the autoscaler within the release', async () => {
  const { hands, operator, instance } = world
  const stack = [{ ...web, autoscaling: { min: 2, max: 6, cpu: 70 } }]
  await createRunning(world, { stack, spec: { deploy: { replicaChanges: 'Immediate' } } })
  await setSpec({ services: [{ name: 'web', autoscaling: { min: 2, max: 8, cpu: 70 } }] })
  await operator.until('the autoscaler goes up to 8', async () => {
    const autoscaler = await hands.get('HorizontalPodAutoscaler', { namespace: instance, name: 'web' })
    return autoscaler['spec'].maxReplicas === 8
  })
  expect(await releasesOf(world)).toHaveLength(1)
}, 60_000)
