import { describe, expect, it } from '@jest/globals'
import type { Anything } from '../../support/hands.ts'
import { breakPods, rollOut } from '../../support/kubelet.ts'
import {
  childWrites,
  conditionsOf,
  create,
  createRunning,
  eventsTold,
  getInstance,
  makeInstance,
  releasesOf,
  useWorld,
} from './world.ts'

const world = useWorld()

const hello = () => world.hands.get('Deployment', { namespace: world.instance, name: 'web' })

/** Throws when Ready claims what is not so. */
async function checkReadiness(): Promise<void> {
  const { status, spec, metadata } = await getInstance(world)
  const ready = status.conditions.find(({ type }: { type: string }) => type === 'Ready')
  if (ready.status !== 'True' || ready.observedGeneration !== metadata.generation) return
  const { spec: live, status: counts } = await hello()
  expect(live.template.spec.containers[0].image).toBe(spec['image'])
  expect(counts).toMatchObject({ updatedReplicas: live.replicas, replicas: live.replicas })
}

describe('an image there and back', () => {
  it('in one roll-out ends where it began, with two writes, and none of the pods that serve is touched', async () => {
    const { hands, operator, instance } = world
    await createRunning(world, { spec: { replicas: 2 } })
    const before = await hello()
    const serving = (await hands.list('Pod', instance)).map(({ metadata }) => metadata.name).toSorted()
    await hands.apply(makeInstance(world, { replicas: 2, image: 'hello:2' }))
    await operator.until('the new one starts', async () => (await hands.list('Pod', instance)).length === 3)
    await operator.settle()
    expect(conditionsOf(await getInstance(world))).toMatchObject({
      Ready: 'Unknown RollingOut',
      Available: 'True Serving',
    })
    await hands.apply(makeInstance(world, { replicas: 2 }))
    await operator.until('it runs as before', async () => {
      await checkReadiness()
      const { phase, deployedGeneration } = (await getInstance(world))['status']
      return phase === 'Running' && deployedGeneration === 3
    })
    await operator.settle()
    const after = await hello()
    expect(after['spec']).toEqual(before['spec'])
    expect(after.metadata.generation).toBe((before.metadata.generation ?? 0) + 2)
    expect(childWrites(world)).toEqual(['apply Deployment web', 'apply Deployment web'])
    expect((await hands.list('Pod', instance)).map(({ metadata }) => metadata.name).toSorted()).toEqual(serving)
    const releases = await releasesOf(world)
    expect(releases.map(({ spec }) => spec['services'][0].image)).toEqual(['hello:1', 'hello:2', 'hello:1'])
    expect(releases.map((release) => conditionsOf(release)['Succeeded'])).toEqual([
      'True RolledOut',
      'False Superseded',
      'True RolledOut',
    ])
    expect((await getInstance(world))['status'].currentRelease).toMatchObject({ number: 3, image: 'hello:1' })
  }, 30_000)

  it('without a pause ends where it began', async () => {
    const { hands, operator } = world
    await createRunning(world)
    const before = await hello()
    for (const image of ['hello:2', 'hello:1', 'hello:2', 'hello:1']) await hands.apply(makeInstance(world, { image }))
    await operator.until('it runs as before', async () => {
      await checkReadiness()
      const { phase, deployedGeneration } = (await getInstance(world))['status']
      return phase === 'Running' && deployedGeneration === 5
    })
    await operator.settle()
    expect((await hello())['spec']).toEqual(before['spec'])
    const releases = await releasesOf(world)
    expect(releases.at(-1)?.['spec'].services[0].image).toBe('hello:1')
    expect(conditionsOf(releases.at(-1)!)['Succeeded']).toBe('True RolledOut')
  }, 30_000)

  it('before anybody looks makes no release, and writes nothing but the generation that is in place', async () => {
    const { hands } = world
    await createRunning(world)
    const before = await hello()
    await world.whileDown(async () => {
      await hands.apply(makeInstance(world, { image: 'hello:2' }))
      await hands.apply(makeInstance(world))
    })
    await world.operator.settle()
    expect((await hello()).metadata.generation).toBe(before.metadata.generation)
    expect(childWrites(world)).toEqual([])
    expect(await releasesOf(world)).toHaveLength(1)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', deployedGeneration: 3 })
  }, 30_000)
})

const runs = (image: string) => (pod: Anything) => pod['spec'].containers[0].image === image

describe('an image that is put right', () => {
  it('is not blamed for the pods of the wrong one, which stay until it is ready', async () => {
    const { hands, operator, instance } = world
    const pullError = { state: { waiting: { reason: 'ErrImagePull', message: 'manifest unknown' } } }
    const told = async () => JSON.stringify((await getInstance(world))['status'])
    await create(world, { spec: { image: 'hello:bad' } })
    await operator.until('the pull error is told', async () => {
      await breakPods(hands, instance, pullError)
      return (await told()).includes('manifest unknown')
    })
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    const blamed: boolean[] = []
    await operator.until('the new one starts', async () => {
      const { status } = await getInstance(world)
      blamed.push(status.currentRelease.number === 2 && JSON.stringify(status).includes('manifest unknown'))
      return (await hands.list('Pod', instance)).some(runs('hello:2'))
    })
    await operator.settle()
    expect((await hands.list('Pod', instance)).filter(runs('hello:bad'))).toHaveLength(1)
    expect(blamed).not.toContain(true)
    expect(await told()).not.toContain('manifest unknown')
    await rollOut(hands, operator, instance)
    const alarms = (await eventsTold(world)).filter(({ type }) => type === 'Warning').map((event) => event['message'])
    expect(alarms).toEqual([expect.stringContaining('-r1 rolls out')])
  }, 30_000)
})
