import { describe, expect, it } from '@jest/globals'
import { auditMark, describeRequest, requestsOf, type Request } from '../../support/auditLog.ts'
import { rollOut } from '../../support/kubelet.ts'
import { getInstance, makeApp, makeInstance, useWorld, web } from './world.ts'

/** The pace of life: how often a status is written is what is counted here. */
const world = useWorld({ statusIntervalMilliseconds: 1000 })

/** Writes of an AppInstance's status that promises.md T3 allows for what took so long: two, and one a second. */
function allowedSince(startedAt: number): number {
  return 2 + Math.ceil((performance.now() - startedAt) / 1000)
}

/** What the operator asked of the API server, watches excepted, since a mark; how often each. */
function counted(mark: number): { requests: readonly Request[]; counts: Readonly<Record<string, number>> } {
  const { namespace, instance } = world
  // What earlier tests left is on its way out, and still told about.
  const requests = requestsOf(world.cluster, world.operatorUser, mark).filter(
    ({ verb, objectRef }) =>
      ['get', 'list'].includes(verb) ||
      (verb !== 'watch' &&
        [objectRef?.namespace, objectRef?.name].some((name) => name === namespace || name === instance)),
  )
  const counts: Record<string, number> = {}
  for (const request of requests) counts[describeRequest(request)] = (counts[describeRequest(request)] ?? 0) + 1
  return { requests, counts }
}

describe('requests', () => {
  it('of a creation are one write per child, no GET and no LIST', async () => {
    const { hands, operator, cluster, instance } = world
    await operator.settle()
    const mark = auditMark(cluster)
    const startedAt = performance.now()
    await hands.apply(
      makeApp(world, [
        { ...web, files: [{ path: '/etc/motd', content: 'hi' }], generatedSecrets: [{ name: 'TOKEN' }] },
      ]),
    )
    await hands.apply(makeInstance(world, { replicas: 2 }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status'].phase).toBe('Running')
    const { requests, counts } = counted(mark)
    expect(requests.filter(({ verb }) => verb === 'get' || verb === 'list').map(describeRequest)).toEqual([])
    expect(requests.filter(({ responseStatus }) => responseStatus.code > 299).map(describeRequest)).toEqual([])
    expect(counts).toMatchObject({
      'create appstackrevisions': 1,
      'create appreleases': 1,
      'create apptasks': 1,
      'patch apptasks/status': 1,
      'create namespaces': 1,
      'patch serviceaccounts': 1,
      'patch networkpolicies': 2,
      'patch configmaps': 1,
      'create secrets': 1,
      'patch services': 1,
      'patch poddisruptionbudgets': 1,
      'patch deployments': 1,
      // The finalizer.
      'patch appinstances': 1,
    })
    expect(counts['patch namespaces']).toBeUndefined()
    expect(counts['patch appreleases/status']).toBeLessThanOrEqual(2)
    expect(counts['create events']).toBeLessThanOrEqual(4)
    expect(counts['patch appinstances/status']).toBeLessThanOrEqual(allowedSince(startedAt))
    expect(counts['patch appsteadapps/status']).toBeLessThanOrEqual(allowedSince(startedAt))
    const log = `requests of a creation: ${JSON.stringify(counts)}`
    process.stderr.write(`${log}\n`)
  }, 30_000)

  it('of a change of the image are one write in the namespace and one release', async () => {
    const { hands, operator, cluster, instance } = world
    await hands.apply(makeApp(world))
    await hands.apply(makeInstance(world))
    await operator.settle()
    await rollOut(hands, operator, instance)
    const mark = auditMark(cluster)
    const startedAt = performance.now()
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    const { counts } = counted(mark)
    const {
      'patch appinstances/status': statuses,
      'patch appsteadapps/status': apps = 0,
      'create events': events,
      ...others
    } = counts
    expect(others).toEqual({
      'create appreleases': 1,
      'patch deployments': 1,
      'patch appreleases/status': expect.any(Number),
    })
    expect(others['patch appreleases/status']).toBeLessThanOrEqual(2)
    expect(statuses).toBeLessThanOrEqual(allowedSince(startedAt))
    expect(events).toBeLessThanOrEqual(4)
    expect(apps).toBeLessThanOrEqual(2)
    process.stderr.write(
      `requests of a change of the image: ${JSON.stringify({ statuses, apps, events, ...others })}\n`,
    )
  }, 30_000)

  it('of what changes nothing are none', async () => {
    const { hands, operator, cluster, instance, namespace } = world
    await hands.apply(makeApp(world))
    await hands.apply(makeInstance(world))
    await operator.settle()
    await rollOut(hands, operator, instance)
    const mark = auditMark(cluster)
    await hands.apply(makeApp(world))
    await hands.apply(makeInstance(world))
    await hands.patch('AppInstance', { namespace, name: instance }, { metadata: { labels: { note: 'mine' } } })
    await hands.patch(
      'Deployment',
      { namespace: instance, name: 'web' },
      { metadata: { annotations: { note: 'mine' } } },
    )
    await operator.settle()
    expect(counted(mark).requests.map(describeRequest)).toEqual([])
  }, 30_000)

  it('share connections: at most one new one in a thousand', async () => {
    const { hands, operator } = world
    await hands.apply(makeApp(world))
    const create = async (round: number): Promise<void> => {
      const names = Array.from({ length: 20 }, (_, index) => `${world.app}-${round}x${index}`)
      await Promise.all(names.map((name) => hands.apply(makeInstance({ ...world, instance: name }))))
      await operator.settle()
    }
    await create(0)
    const before = operator.operator.client.stats()
    for (let round = 1; operator.operator.client.stats().requests - before.requests < 1000; round += 1)
      await create(round)
    const after = operator.operator.client.stats()
    const requests = after.requests - before.requests
    const opened = after.callConnections - before.callConnections
    process.stderr.write(`${requests} requests opened ${opened} connections\n`)
    expect(opened).toBeLessThanOrEqual(Math.floor(requests / 1000))
    // A watch that goes on takes the connection of the one that ended, and none has to begin anew.
    expect(after.watchConnections).toBe(before.watchConnections)
  }, 60_000)
})
