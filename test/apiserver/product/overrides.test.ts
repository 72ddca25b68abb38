import { describe, expect, it } from '@jest/globals'
import type { Anything } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import { childWrites, createRunning, getInstance, makeInstance, releasesOf, useWorld, web } from './world.ts'

const world = useWorld()

const stack = [
  { name: 'cache', image: 'cache:1', ports: [{ name: 'cache', port: 6379, protocol: 'UDP' }] },
  { ...web, main: true, variables: [{ name: 'MODE', value: 'stack' }] },
  { name: 'worker', type: 'Worker', from: 'web', command: ['work'], healthCheck: { command: ['alive'] } },
]

const deployed = async (name: string): Promise<Anything> =>
  world.hands.get('Deployment', { namespace: world.instance, name })
const containerOf = async (name: string) => (await deployed(name))['spec'].template.spec.containers[0]

const many = (prefix: string): object[] =>
  Array.from({ length: 100 }, (_, index) => ({ name: `${prefix}${index}`, value: 'x' }))

describe('what an instance says otherwise about a service', () => {
  it('is in its pods alone; a Worker runs the image the instance gives; what is disabled goes, and comes back', async () => {
    const { hands, operator, instance } = world
    await createRunning(world, { stack })
    expect(await containerOf('worker')).toMatchObject({
      image: 'hello:1',
      command: ['work'],
      env: expect.arrayContaining([{ name: 'MODE', value: 'stack' }]),
      readinessProbe: { exec: { command: ['alive'] } },
    })

    const override = { name: 'worker', replicas: 2, variables: [{ name: 'MODE', value: 'own' }] }
    await hands.apply(makeInstance(world, { services: [override] }))
    await operator.settle()
    expect(childWrites(world).toSorted()).toEqual(['apply Deployment worker', 'apply PodDisruptionBudget worker'])
    expect((await containerOf('worker')).env).toContainEqual({ name: 'MODE', value: 'own' })
    expect((await deployed('worker'))['spec'].replicas).toBe(2)
    await rollOut(hands, operator, instance)
    operator.writes.splice(0)

    const without = { image: 'hello:2', services: [{ name: 'cache', enabled: false }, override] }
    await hands.apply(makeInstance(world, without))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect(new Set(childWrites(world))).toEqual(
      new Set(['apply Deployment web', 'apply Deployment worker', 'delete Deployment cache', 'delete Service cache']),
    )
    expect((await containerOf('worker')).image).toBe('hello:2')
    const status = (await getInstance(world))['status']
    expect(status).toMatchObject({ phase: 'Running', counts: { summary: '3/3' } })
    expect(status.services.map(({ name }: { name: string }) => name)).toEqual(['web', 'worker'])

    await hands.apply(makeInstance(world, { image: 'hello:2', services: [override] }))
    await operator.settle()
    expect((await deployed('cache'))['spec'].replicas).toBe(1)
    expect((await releasesOf(world)).at(-1)?.['spec'].cause).toBe('services[cache]')
  }, 60_000)

  it('may be among 200 variables, of which each list has 100', async () => {
    await createRunning(world, { stack: [{ ...web, variables: many('A') }], spec: { variables: many('B') } })
    expect((await containerOf('web')).env.length).toBeGreaterThanOrEqual(200)
  }, 60_000)
})
