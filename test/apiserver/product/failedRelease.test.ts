import { describe, expect, it } from '@jest/globals'
import type { Anything } from '../../support/hands.ts'
import { breakPods, rollOut } from '../../support/kubelet.ts'
import {
  childWrites,
  conditionsOf,
  createRunning,
  getInstance,
  makeInstance,
  messageOf,
  releasesOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

/** The shortest deadline there is. */
const hasty = { ...web, rollout: { progressDeadlineSeconds: 10 } }

const pullError = { state: { waiting: { reason: 'ErrImagePull', message: 'manifest unknown' } } }
const runsBad = (pod: Anything): boolean => pod['spec'].containers[0].image === 'hello:bad'

const livingPods = async (): Promise<readonly string[]> => {
  const pods = await world.hands.list('Pod', world.instance)
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name)
}

const results = async (): Promise<readonly (string | undefined)[]> =>
  (await releasesOf(world)).map((release) => conditionsOf(release)['Succeeded'])

/** Asks for an image that no node can pull, and waits until the deadline of its release is missed. */
async function failWith(spec: object, stays: () => Promise<boolean>): Promise<void> {
  const { hands, operator, instance } = world
  await hands.apply(makeInstance(world, spec))
  await operator.until(
    'the deadline is missed',
    async () => {
      await breakPods(hands, instance, pullError, runsBad)
      return stays()
    },
    40,
  )
  await operator.settle()
}

describe('a release that misses its deadline', () => {
  it('is stopped for good; the last good one serves on, untouched, and nothing is tried again by itself', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world, { stack: [hasty], spec: { replicas: 2 } })
    const serving = await livingPods()
    const isRestored = async (): Promise<boolean> =>
      (await getInstance(world))['status'].failedRelease !== undefined && (await livingPods()).length === 2
    await failWith({ replicas: 2, image: 'hello:bad' }, isRestored)

    expect((await livingPods()).toSorted()).toEqual(serving.toSorted())
    expect(childWrites(world)).toEqual(['apply Deployment web', 'apply Deployment web'])
    const cause = "Service 'web' did not become ready within 10 seconds: the image cannot be pulled: manifest unknown."
    expect(await results()).toEqual(['True RolledOut', 'False ImagePullFailed'])
    expect(messageOf((await releasesOf(world))[1]!, 'Succeeded')).toBe(cause)
    const failed = await getInstance(world)
    expect(failed['status']).toMatchObject({
      phase: 'Degraded',
      observedGeneration: 2,
      deployedGeneration: 1,
      counts: { summary: '2/2' },
      currentRelease: { number: 1, image: 'hello:1' },
      failedRelease: { number: 2, reason: 'ImagePullFailed', message: cause },
      pendingSummary: 'services[web].image',
    })
    expect(conditionsOf(failed)).toEqual({
      Accepted: 'True Accepted',
      Available: 'True Serving',
      ChangesPending: 'True ReleaseFailed',
      Deployed: 'False ImagePullFailed',
      Ready: 'False ImagePullFailed',
      Stalled: 'True ImagePullFailed',
      ZeroDowntime: 'True NoInterruption',
    })
    const retry = `kubectl annotate appinstance ${instance} -n ${namespace} appstead.dev/deploy=release-3 --overwrite`
    expect(messageOf(failed, 'ChangesPending')).toMatch(/^services\[web\]\.image hello:1 → hello:\S+ \(Restart\): /)
    expect(messageOf(failed, 'ChangesPending')).toContain(
      `: release 2 of it failed, and it is not tried again by itself; now: ${retry}`,
    )
    expect(messageOf(failed, 'Ready')).toBe(
      `Release 2 failed: ${cause} Release 1 serves; not tried again until the spec changes or appstead.dev/deploy asks: ${retry}`,
    )
    expect(await hands.columns('AppInstance', { namespace, name: instance })).toMatchObject({
      Release: '1 (2 failed)',
      Image: 'hello:1 (wanted: hello:bad)',
    })
    const events = (await hands.list('Event', namespace)).map((event) => event['reason'])
    expect(events).not.toContain('DriftCorrected')

    // What is declared runs: there is nothing to do, and nothing is wrong.
    await hands.apply(makeInstance(world, { replicas: 2 }))
    await operator.settle()
    const back = await getInstance(world)
    expect(back['status']).toMatchObject({ phase: 'Running', deployedGeneration: 3, releaseSummary: '1' })
    expect(back['status'].pendingChanges).toBeUndefined()
    // The same that failed, also after a restart.
    await hands.apply(makeInstance(world, { replicas: 2, image: 'hello:bad' }))
    await operator.settle()
    await world.whileDown(() =>
      hands.patch('AppInstance', { namespace, name: instance }, { metadata: { labels: { a: 'b' } } }),
    )
    await world.operator.settle()
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Degraded', failedRelease: { number: 2 } })
    expect(await results()).toHaveLength(2)

    await hands.apply(makeInstance(world, { replicas: 2, image: 'hello:2' }))
    await world.operator.settle()
    await rollOut(hands, world.operator, instance)
    const healed = await getInstance(world)
    expect(healed['status']).toMatchObject({ phase: 'Running', releaseSummary: '3', imageSummary: 'hello:2' })
    expect(healed['status'].failedRelease).toBeUndefined()
    expect(await results()).toEqual(['True RolledOut', 'False ImagePullFailed', 'True RolledOut'])
  }, 90_000)

  it('without a good one before it stays, and has succeeded when it is completed after all', async () => {
    const { hands, operator, instance, namespace } = world
    const isGivenUp = async (): Promise<boolean> => (await results())[0] === 'False ImagePullFailed'
    await hands.apply({
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'App',
      metadata: { namespace, name: world.app },
      spec: { stack: { services: [hasty] } },
    })
    await failWith({ image: 'hello:bad' }, isGivenUp)
    expect((await getInstance(world))['status']).toMatchObject({
      phase: 'Down',
      releaseSummary: '1 (failed)',
      failedRelease: { number: 1, reason: 'ImagePullFailed' },
    })
    expect(await livingPods()).toHaveLength(1)
    await rollOut(hands, operator, instance)
    expect(await results()).toEqual(['True RolledOut'])
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', releaseSummary: '1' })
  }, 90_000)
})
