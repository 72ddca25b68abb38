import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from '@jest/globals'
import { demand } from '../../support/apiserver.ts'
import { auditMark, describeRequest, requestsOf } from '../../support/auditLog.ts'
import { rollOut } from '../../support/kubelet.ts'
import { startOperator } from '../../support/steppedOperator.ts'
import { layCable } from './cable.ts'
import { fastClock, patientConfig } from './fastClock.ts'
import {
  conditionsOf,
  createRunning,
  getInstance,
  makeApp,
  makeInstance,
  messageOf,
  releasesOf,
  useWorld,
  web,
  type World,
} from './world.ts'

/** So many times faster than life: what was refused is tried again after half a minute. */
const speed = 10
const options = { clock: fastClock(speed), config: patientConfig(speed) }
const world = useWorld(options)

const role = { namespace: '', name: 'appstead' }

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

let all: readonly Rule[] | undefined

/** Takes verbs on a resource out of the operator's role; resolves when the API server goes by it. */
async function takeAway(group: string, resource: string, ...verbs: readonly string[]): Promise<void> {
  all ??= (await world.hands.get('ClusterRole', role))['rules'] as readonly Rule[]
  const rules = all.map((rule) =>
    rule.resources.includes(resource) ? { ...rule, verbs: rule.verbs.filter((verb) => !verbs.includes(verb)) } : rule,
  )
  await world.hands.patch('ClusterRole', role, { rules: rules.filter((rule) => rule.verbs.length > 0) })
  for (const verb of verbs) await inForce(false, group, resource, verb)
}

async function giveBack(group: string, resource: string, ...verbs: readonly string[]): Promise<void> {
  await world.hands.patch('ClusterRole', role, { rules: all })
  for (const verb of verbs) await inForce(true, group, resource, verb)
}

async function inForce(isAllowed: boolean, group: string, resource: string, verb: string): Promise<void> {
  const [plural, subresource = ''] = resource.split('/')
  const spec = { user: world.operatorUser, resourceAttributes: { group, resource: plural, subresource, verb } }
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }
  await world.operator.until(`${verb} ${resource} is ${isAllowed ? 'allowed' : 'forbidden'}`, async () => {
    const review = await demand<{ status: { allowed: boolean } }>(world.hands.admin, { method: 'POST', path, body })
    return review.status.allowed === isAllowed
  })
}

afterEach(async () => {
  if (all) await world.hands.patch('ClusterRole', role, { rules: all })
})

/** What the API server refused the operator since a mark, such as `patch deployments`. */
const refusals = (mark: number): readonly string[] =>
  requestsOf(world.cluster, world.operatorUser, mark)
    .filter(({ responseStatus }) => responseStatus.code === 403)
    .map(describeRequest)

/** How often each of so many objects may have been tried since: at once, and every half minute of the operator's time. */
const allowedSince = (startedAt: number, objects: number): number =>
  objects * (1 + Math.ceil(((performance.now() - startedAt) / 1000) * (speed / 30)))

const phaseOf = async (of: World): Promise<string> => (await getInstance(of))['status']?.phase

/** What happens around an object wakes its instance, and is no reason to try again what was refused. */
async function poke(kind: string, name: string): Promise<void> {
  for (const foreign of ['a', 'b', 'c', 'd', 'e']) {
    await world.hands.patch(kind, { namespace: world.instance, name }, { metadata: { labels: { foreign } } })
    await world.operator.settle()
  }
}

describe('rights that are taken away while the operator runs', () => {
  it('to write Deployments: it says so, goes on with the rest, does not insist, and does it when they are back', async () => {
    const { hands, operator, instance, namespace, cluster } = world
    const second = { ...world, instance: `${world.app}-second` }
    await createRunning(world)
    await takeAway('apps', 'deployments', 'create', 'patch')
    const mark = auditMark(cluster)
    const startedAt = performance.now()
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    await hands.apply(makeInstance(second))
    await operator.settle()
    const refused = await getInstance(world)
    const words = `apply deployments ${instance}/web: User "${world.operatorUser}" cannot patch resource "deployments" in API group "apps" in the namespace "${instance}"`
    expect(messageOf(refused, 'Ready')).toContain(`The API server refused Deployment 'web': ${words}`)
    expect(conditionsOf(refused)).toMatchObject({
      Available: 'True Serving',
      Ready: 'Unknown Forbidden',
      Reconciling: 'True Forbidden',
    })
    const events = await hands.list('Event', namespace)
    expect(events.filter(({ reason, message }) => reason === 'Forbidden' && message.includes(words))).toHaveLength(1)
    expect(conditionsOf(await getInstance(second))['Ready']).toBe('Unknown Forbidden')
    expect(await hands.find('Service', { namespace: second.instance, name: 'web' })).toBeDefined()
    expect(await hands.list('Deployment', second.instance)).toEqual([])
    await poke('Service', 'web')
    expect(new Set(refusals(mark))).toEqual(new Set(['patch deployments']))
    expect(refusals(mark).length).toBeLessThanOrEqual(allowedSince(startedAt, 2))

    await giveBack('apps', 'deployments', 'create', 'patch')
    await operator.until('both are written', async () => {
      const [web1] = await hands.list('Deployment', instance)
      const isNew = web1?.['spec'].template.spec.containers[0].image === 'hello:2'
      return isNew && (await hands.list('Deployment', second.instance)).length === 1
    })
    await rollOut(hands, operator, instance)
    await rollOut(hands, operator, second.instance)
    expect([await phaseOf(world), await phaseOf(second)]).toEqual(['Running', 'Running'])
    expect([(await releasesOf(world)).length, (await releasesOf(second)).length]).toEqual([2, 1])
  }, 60_000)

  it('to delete Deployments: a service that was removed stays, is told of, and goes when they are back', async () => {
    const { hands, operator, instance, namespace, app, cluster } = world
    await createRunning(world, { stack: [web, { name: 'jobs', type: 'Worker', image: 'jobs:1' }] })
    await takeAway('apps', 'deployments', 'delete')
    const mark = auditMark(cluster)
    const startedAt = performance.now()
    await hands.apply(makeApp(world))
    await operator.settle()
    const { latestRevision } = (await hands.get('App', { namespace, name: app }))['status']
    await hands.apply(makeInstance(world, { stack: { revision: latestRevision } }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    const refused = await getInstance(world)
    const words = `delete deployments ${instance}/jobs: User "${world.operatorUser}"`
    expect(messageOf(refused, 'Ready')).toContain(`The API server refused Deployment 'jobs': ${words}`)
    expect(conditionsOf(refused)).toMatchObject({ Available: 'True Serving', Ready: 'Unknown Forbidden' })
    await poke('Service', 'web')
    expect(new Set(refusals(mark))).toEqual(new Set(['delete deployments']))
    expect(refusals(mark).length).toBeLessThanOrEqual(allowedSince(startedAt, 1))

    await giveBack('apps', 'deployments', 'delete')
    await operator.until('it is gone', async () => (await hands.list('Deployment', instance)).length === 1)
    await operator.settle()
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 2 } })
  }, 60_000)

  it('to delete namespaces: the deletion says so, nothing is let go, and it ends when they are back', async () => {
    const { hands, operator, instance, namespace, cluster } = world
    await createRunning(world)
    await takeAway('', 'namespaces', 'delete')
    const mark = auditMark(cluster)
    const startedAt = performance.now()
    await hands.remove('AppInstance', { namespace, name: instance })
    await operator.settle()
    await poke('Service', 'web')
    const held = await getInstance(world)
    const words = `delete namespaces ${instance}: User "${world.operatorUser}" cannot delete resource "namespaces"`
    expect(messageOf(held, 'Ready')).toContain(`The API server refused Namespace '${instance}': ${words}`)
    expect(held['status'].phase).toBe('Deleting')
    expect(conditionsOf(held)).toMatchObject({ Ready: 'Unknown Terminating', Reconciling: 'True Terminating' })
    expect(held.metadata).toMatchObject({ finalizers: ['appstead.dev/instance-cleanup'] })
    const events = await hands.list('Event', namespace)
    expect(events.filter(({ reason, message }) => reason === 'Forbidden' && message.includes(words))).toHaveLength(1)
    expect(new Set(refusals(mark))).toEqual(new Set(['delete namespaces']))
    expect(refusals(mark).length).toBeLessThanOrEqual(allowedSince(startedAt, 1))

    await giveBack('', 'namespaces', 'delete')
    await operator.until('all is gone', async () => {
      const left = [
        await hands.find('AppInstance', { namespace, name: instance }),
        await hands.find('Namespace', { namespace: '', name: instance }),
      ]
      return left.every((each) => each === undefined)
    })
  }, 60_000)

  it('to write statuses: an Event says so, the rest is done, and all is told when they are back', async () => {
    const { hands, operator, instance, namespace, cluster } = world
    await takeAway('appstead.dev', 'appinstances/status', 'patch')
    const mark = auditMark(cluster)
    await hands.apply(makeApp(world))
    await hands.apply(makeInstance(world))
    await operator.until('it is deployed', async () => (await hands.list('Deployment', instance)).length === 1)
    await operator.settle()
    const words = `User "${world.operatorUser}" cannot patch resource "appinstances/status"`
    const events = await hands.list('Event', namespace)
    expect(events.filter(({ reason, message }) => reason === 'Forbidden' && message.includes(words))).toHaveLength(1)
    expect(new Set(refusals(mark))).toEqual(new Set(['patch appinstances/status']))
    await giveBack('appstead.dev', 'appinstances/status', 'patch')
    await rollOut(hands, operator, instance)
    await operator.until('it is told', async () => (await phaseOf(world)) === 'Running')
  }, 60_000)

  it('to watch Deployments: it says which and why, the rest is watched, and what happened meanwhile is found', async () => {
    const { hands, instance, cluster } = world
    await createRunning(world)
    await world.operator.stop()
    const kubeconfig = readFileSync(world.operatorKubeconfig, 'utf8')
    const cable = await layCable(Number(/server: .*:(\d+)/.exec(kubeconfig)?.[1]))
    const operatorKubeconfig = `${world.operatorKubeconfig}.cable`
    writeFileSync(operatorKubeconfig, kubeconfig.replace(/server: .*/, `server: https://127.0.0.1:${cable.port}`))
    const operator = await startOperator({ ...world, operatorKubeconfig }, undefined, options)
    try {
      await operator.settle()
      await takeAway('apps', 'deployments', 'list', 'watch')
      const mark = auditMark(cluster)
      // Nobody is asked about a stream that is open.
      cable.cut('reset')
      cable.mend()
      const words = `deployments.apps is forbidden: User "${world.operatorUser}" cannot watch resource "deployments"`
      const isTold = () =>
        operator.log.some((line) => JSON.stringify(line).includes(JSON.stringify(words).slice(1, -1)))
      await operator.until('it is told', () => Promise.resolve(isTold()))
      const deployment = { namespace: instance, name: 'web' }
      await hands.patch('Deployment', deployment, { spec: { replicas: 5 } }, 'scale')
      await hands.remove('Service', deployment)
      await operator.until('the Service is there again', async () => {
        return (await hands.find('Service', deployment)) !== undefined
      })
      expect((await hands.get('Deployment', deployment))['spec'].replicas).toBe(5)
      expect(operator.operator.health().filter(({ error }) => error?.includes('forbidden'))).toEqual([
        expect.objectContaining({ type: 'deployments.apps/v1', error: expect.stringContaining(words), isAlive: true }),
      ])
      const tries = refusals(mark)
      expect(new Set(tries)).toEqual(new Set(['watch deployments']))
      expect(tries.length).toBeLessThanOrEqual(10)

      await giveBack('apps', 'deployments', 'list', 'watch')
      await operator.until('what was changed is put back', async () => {
        return (await hands.get('Deployment', deployment))['spec'].replicas === 1
      })
      await rollOut(hands, operator, instance)
      expect(await phaseOf(world)).toBe('Running')
      expect(await releasesOf(world)).toHaveLength(1)
    } finally {
      await operator.stop()
      await cable.close()
    }
  }, 60_000)
})
