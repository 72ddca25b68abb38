import { describe, expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import {
  childWrites,
  conditionsOf,
  createRunning,
  getInstance,
  makeApp,
  makeInstance,
  messageOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

const jobs = { name: 'jobs', type: 'Worker', image: 'jobs:1' }

/** How often the operator tried to make the Deployment of `jobs`. */
const attempts = (): number => childWrites(world).filter((each) => each === 'apply Deployment jobs').length

async function setQuota(deployments: number): Promise<void> {
  await world.hands.apply({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { namespace: world.instance, name: 'small' },
    spec: { hard: { 'count/deployments.apps': `${deployments}` } },
  })
}

describe('a quota that is used up', () => {
  it('is told in its own words, not tried against again and again, and the roll-out resumes when it is raised', async () => {
    const { hands, operator, namespace, instance, app } = world
    await createRunning(world)
    await setQuota(1)
    await operator.until('the quota counts', async () => {
      const { status } = await hands.get('ResourceQuota', { namespace: instance, name: 'small' })
      return status?.used?.['count/deployments.apps'] === '1'
    })
    await hands.apply(makeApp(world, [web, jobs]))
    await operator.settle()
    const { latestRevision } = (await hands.get('App', { namespace, name: app }))['status']
    await hands.apply(makeInstance(world, { stack: { revision: latestRevision } }))
    await operator.settle()
    const refused = await getInstance(world)
    expect(conditionsOf(refused)).toMatchObject({ Available: 'True Serving', Reconciling: 'True Forbidden' })
    expect(messageOf(refused, 'Ready')).toContain("The API server refused Deployment 'jobs'")
    expect(messageOf(refused, 'Ready')).toContain('exceeded quota: small')
    // What happens around it is no reason to try again.
    for (const label of ['a', 'b', 'c', 'd', 'e']) {
      await hands.patch(
        'Deployment',
        { namespace: instance, name: 'web' },
        { metadata: { labels: { foreign: label } } },
      )
      await operator.settle()
    }
    expect(attempts()).toBe(1)
    expect((await getInstance(world))['status'].conditions).toEqual(refused['status'].conditions)
    await setQuota(2)
    await operator.until(
      'it is there',
      async () => (await hands.find('Deployment', { namespace: instance, name: 'jobs' })) !== undefined,
      45,
    )
    expect(attempts()).toBe(2)
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 2 } })
  }, 90_000)
})
