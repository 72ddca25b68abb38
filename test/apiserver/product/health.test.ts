import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { makeCanary } from '../../support/canaries.ts'
import type { Anything } from '../../support/hands.ts'
import { breakPods, makePodsReady } from '../../support/kubelet.ts'
import {
  conditionsOf,
  createRunning,
  getInstance,
  makeApp,
  makeInstance,
  makeSecret,
  messageOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

const waiting = (reason: string, message: string): object => ({ state: { waiting: { reason, message } } })
const crashing = {
  ...waiting('CrashLoopBackOff', 'back-off'),
  lastState: { terminated: { exitCode: 3, message: 'no database' } },
}
const isReplica = ({ metadata }: Anything): boolean => metadata.labels?.['appstead.dev/action'] === undefined
const phaseIs = (phase: string) => async (): Promise<boolean> => (await getInstance(world))['status'].phase === phase

async function toldReasons(): Promise<readonly string[]> {
  await world.operator.settle()
  return (await world.hands.list('Event', world.namespace)).map((event) => String(event['reason']))
}

describe('pods that fail', () => {
  it.each([
    ['ImagePullFailed', waiting('ImagePullBackOff', 'no such image'), 'the image cannot be pulled: no such image'],
    [
      'ConfigurationError',
      waiting('CreateContainerConfigError', 'no user'),
      'the container cannot be created: no user',
    ],
    [
      'CrashLoop',
      {
        ...waiting('CrashLoopBackOff', 'back-off'),
        lastState: { terminated: { exitCode: 137, message: 'line one\nout of memory\n' } },
      },
      'the process ended with exit code 137, last line: out of memory',
    ],
  ])(
    'with %s make the instance Down, with the cause, until they are ready again',
    async (reason, container, cause) => {
      const { hands, operator, instance } = world
      await createRunning(world)
      await breakPods(hands, instance, container)
      await operator.until('it is told', async () => (await getInstance(world))['status'].phase === 'Down')
      await operator.settle()
      const down = await getInstance(world)
      expect(conditionsOf(down)).toMatchObject({ Ready: `False ${reason}`, Available: 'False NotServing' })
      expect(messageOf(down, 'Ready')).toContain(`ervice 'web' has too few ready replicas: ${cause}`)
      expect(down['status'].counts).toMatchObject({ failed: 1, summary: '0/1' })
      await makePodsReady(hands, instance)
      await operator.until('it is well', async () => (await getInstance(world))['status'].phase === 'Running')
    },
    30_000,
  )

  it('are told of each time that they do', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    for (const times of [1, 2]) {
      // The times of conditions are in seconds.
      await pause(1100)
      await breakPods(hands, instance, crashing)
      await operator.until('it is told', phaseIs('Down'))
      await makePodsReady(hands, instance)
      await operator.until('it is well', phaseIs('Running'))
      const reasons = await toldReasons()
      for (const reason of ['CrashLoop', 'AllReady'])
        expect(reasons.filter((each) => each === reason)).toHaveLength(times)
    }
  }, 30_000)

  it('are told of before what is missing, which is not why nobody is served', async () => {
    const { hands, operator, namespace, instance } = world
    const name = 'db'
    await hands.apply(makeSecret(world, name, { password: makeCanary('password') }))
    const variables = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name, key: 'password' } } }]
    await createRunning(world, { stack: [{ ...web, variables }] })
    await hands.remove('Secret', { namespace, name })
    await operator.until('it is missed', phaseIs('Degraded'))
    await breakPods(hands, instance, crashing)
    await operator.until('it is told', phaseIs('Down'))
    const told = messageOf(await getInstance(world), 'Ready')
    expect(told).toMatch(
      /^Nobody is served; service 'web' has too few ready replicas: .*exit code 3, last line: no database/,
    )
    expect(await toldReasons()).toContain('CrashLoop')
  }, 30_000)

  it('are told of before the action of the next release', async () => {
    const { hands, operator, instance } = world
    const stack = [{ ...web, actions: [{ name: 'migrate', run: 'BeforeDeploy', command: ['migrate'] }] }]
    await createRunning(world, { spec: { stack: { autoUpgrade: true } } })
    await hands.apply(makeApp(world, stack))
    await operator.settle()
    await breakPods(hands, instance, crashing, isReplica)
    const told = async (): Promise<string> => messageOf(await getInstance(world), 'Ready')
    await operator.until('it is told', async () => (await told()).startsWith('Nobody is served'))
    expect(await told()).toMatch(/exit code 3, last line: no database.* Action 'migrate'/)
  }, 30_000)

  it('of a new release leave the old ones serving', async () => {
    const { hands, operator, instance } = world
    await createRunning(world, { spec: { replicas: 2 } })
    await hands.apply(makeInstance(world, { replicas: 2, image: 'nowhere:1' }))
    await operator.until('a new pod is made', async () => (await hands.list('Pod', instance)).length === 3)
    await breakPods(
      hands,
      instance,
      waiting('ErrImagePull', 'not found'),
      (pod) => pod['spec'].containers[0].image === 'nowhere:1',
    )
    await operator.until('it is told', async () => messageOf(await getInstance(world), 'Ready').includes('not found'))
    const stuck = await getInstance(world)
    expect(conditionsOf(stuck)).toMatchObject({ Ready: 'Unknown ImagePullFailed', Available: 'True Serving' })
    expect((await hands.get('Deployment', { namespace: instance, name: 'web' }))['status'].readyReplicas).toBe(2)
  }, 30_000)
})
