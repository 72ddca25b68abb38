import { describe, expect, it } from '@jest/globals'
import { breakPods, makePodsReady } from '../../support/kubelet.ts'
import { conditionsOf, createRunning, getInstance, makeInstance, messageOf, useWorld } from './world.ts'

const world = useWorld()

const waiting = (reason: string, message: string): object => ({ state: { waiting: { reason, message } } })

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
