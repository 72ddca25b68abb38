import { beforeEach, describe, expect, it } from '@jest/globals'
import { demand } from '../../support/apiserver.ts'
import { rollOut } from '../../support/kubelet.ts'
import { childWrites, getInstance, makeApp, makeInstance, releasesOf, useWorld, web } from './world.ts'

const world = useWorld()

beforeEach(async () => {
  const { hands, operator, instance } = world
  const files = [{ path: '/etc/motd', content: 'hi' }]
  await hands.apply(makeApp(world, [{ ...web, files, generatedSecrets: [{ name: 'TOKEN' }] }]))
  await hands.apply(makeInstance(world, { replicas: 2 }))
  await operator.settle()
  await rollOut(hands, operator, instance)
  operator.writes.splice(0)
}, 30_000)

const deployment = () => ({ namespace: world.instance, name: 'web' })

/** The name of the ConfigMap with the files of the service; what they hold is in it. */
async function filesName(): Promise<string> {
  const maps = await world.hands.list('ConfigMap', world.instance)
  return maps.find(({ metadata }) => metadata.name.startsWith('web-'))?.metadata.name ?? ''
}

const advice = 'put back as declared. What is to stay is said in the AppInstance or its stack.'

/** The Events that tell of drift, as `type message`. */
async function told(): Promise<readonly string[]> {
  const events = await world.hands.list('Event', world.namespace)
  return events
    .filter(({ reason, involvedObject }) => reason === 'DriftCorrected' && involvedObject.name === world.instance)
    .map(({ type, message }) => `${type} ${message}`)
}

describe('drift by hand', () => {
  it.each([
    ['the number of replicas', { spec: { replicas: 5 } }, 'spec.replicas'],
    [
      'the image',
      { spec: { template: { spec: { containers: [{ name: 'web', image: 'evil:1' }] } } } },
      'spec.template.spec.containers[web].image',
    ],
    ['a label', { metadata: { labels: { 'appstead.dev/service': null } } }, 'metadata.labels[appstead.dev/service]'],
    [
      'the update strategy',
      { spec: { strategy: { rollingUpdate: { maxUnavailable: 1 } } } },
      'spec.strategy.rollingUpdate.maxUnavailable',
    ],
  ])(
    'of %s of the Deployment is put back with one write, and told with the fields, by whom, and once',
    async (_, change, paths) => {
      const { hands, operator, instance } = world
      const before = await hands.get('Deployment', deployment())
      const path = `/apis/apps/v1/namespaces/${instance}/deployments/web?fieldManager=kubectl-edit`
      // As kubectl edit does: what the list of containers says of others stays.
      const contentType = 'application/strategic-merge-patch+json'
      await demand(hands.admin, { method: 'PATCH', path, body: change, contentType })
      await operator.settle()
      expect(childWrites(world)).toEqual(['apply Deployment web'])
      const after = await hands.get('Deployment', deployment())
      expect(after['spec']).toEqual(before['spec'])
      expect(after.metadata.labels).toEqual(before.metadata.labels)
      await rollOut(hands, operator, instance)
      expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 1 } })
      expect(await releasesOf(world)).toHaveLength(1)
      // What was taken away belongs to nobody.
      const who = JSON.stringify(change).includes('null') ? 'somebody who left no name' : "field manager 'kubectl-edit'"
      expect(await told()).toEqual([`Normal Deployment 'web': ${who} changed ${paths}; ${advice}`])
    },
    30_000,
  )

  it('that takes our label off, so that we cannot find the object by it, is put back', async () => {
    const { hands, operator } = world
    await hands.patch('Deployment', deployment(), { metadata: { labels: { 'appstead.dev/instance': null } } })
    await operator.settle()
    expect((await hands.get('Deployment', deployment())).metadata.labels).toMatchObject({
      'appstead.dev/instance': world.instance,
    })
    expect((await getInstance(world))['status'].phase).toBe('Running')
    const what = 'somebody who left no name changed metadata.labels[appstead.dev/instance]'
    expect(await told()).toEqual([`Normal Deployment 'web': ${what}; ${advice}`])
  }, 30_000)

  it.each([
    // It is never written again, be it for its labels.
    ['the generated Secret', 'Secret', false],
    ['the namespace', 'Namespace', true],
  ])(
    'that takes all our labels off %s does not keep the next image from being rolled out',
    async (_, kind, isRepaired) => {
      const { hands, operator, instance } = world
      const [secret] = await hands.list('Secret', instance)
      const ref =
        kind === 'Secret' ? { namespace: instance, name: secret!.metadata.name } : { namespace: '', name: instance }
      const before = await hands.get(kind, ref)
      const ours = Object.keys(before.metadata.labels ?? {}).filter((key) => key.includes('appstead.dev/'))
      expect(ours).not.toEqual([])
      const labels = Object.fromEntries([...ours, 'app.kubernetes.io/managed-by'].map((key) => [key, null]))
      // Those of a namespace the API server lets nobody else take.
      const taker = kind === 'Namespace' ? hands.as({ user: world.operatorUser }) : hands
      await taker.patch(kind, ref, { metadata: { labels } })
      await operator.settle()
      await hands.apply(makeInstance(world, { replicas: 2, image: 'hello:2' }))
      await operator.settle()
      await rollOut(hands, operator, instance)
      expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 2 } })
      const after = await hands.get(kind, ref)
      expect(after.metadata.uid).toBe(before.metadata.uid)
      expect(after['data']).toEqual(before['data'])
      expect(after.metadata.labels ?? {}).toEqual(isRepaired ? before.metadata.labels : {})
    },
    30_000,
  )

  it.each(['Deployment', 'Service', 'ConfigMap', 'PodDisruptionBudget', 'ServiceAccount', 'NetworkPolicy'])(
    'that deletes the %s is undone',
    async (kind) => {
      const { hands, operator, instance } = world
      const named = { ServiceAccount: 'app', NetworkPolicy: 'same-namespace', ConfigMap: await filesName() }
      const name = kind in named ? named[kind as keyof typeof named] : 'web'
      const before = await hands.get(kind, { namespace: instance, name })
      await hands.remove(kind, { namespace: instance, name })
      await operator.until('it is there again', async () => {
        const now = await hands.find(kind, { namespace: instance, name })
        return now !== undefined && now.metadata.uid !== before.metadata.uid
      })
      await operator.settle()
      expect(childWrites(world)).toEqual([`apply ${kind} ${name}`])
      await rollOut(hands, operator, instance)
      expect((await getInstance(world))['status'].phase).toBe('Running')
      expect(await told()).toEqual([`Normal ${kind} '${name}' was deleted; it is made again.`])
    },
    30_000,
  )

  it('that puts another immutable ConfigMap in the place of the one with the files is undone: ours is made anew', async () => {
    const { hands, instance } = world
    const ref = { namespace: instance, name: await filesName() }
    const before = await hands.get('ConfigMap', ref)
    await world.whileDown(async () => {
      await hands.remove('ConfigMap', ref)
      const { labels } = before.metadata
      const theirs = { metadata: { name: ref.name, labels }, data: { 'file-0': 'theirs' }, immutable: true }
      const path = `/api/v1/namespaces/${instance}/configmaps?fieldManager=kubectl-create`
      await demand(hands.admin, { method: 'POST', path, body: theirs })
    })
    await world.operator.settle()
    const after = await hands.get('ConfigMap', ref)
    expect([after['data'], after['immutable']]).toEqual([before['data'], true])
    // The new operator looks at the instances of earlier tests, too.
    const writes = childWrites(world).filter((write) => write.endsWith(` ConfigMap ${ref.name}`))
    expect(writes.map((write) => write.split(' ')[0])).toEqual(['apply', 'delete', 'apply'])
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 1 } })
    expect(await told()).toEqual([
      `Normal ConfigMap '${ref.name}': field manager 'kubectl-create' changed data.file-0; ${advice}`,
    ])
  }, 30_000)

  it('of what somebody made under the name of a child before there was one is told when it becomes the child', async () => {
    const { hands, operator, namespace, app, instance } = world
    const path = `/api/v1/namespaces/${instance}/services?fieldManager=kubectl-create`
    const theirs = {
      metadata: { name: 'admin', labels: { mine: 'y' } },
      spec: { ports: [{ port: 8080, name: 'theirs' }] },
    }
    await demand(hands.admin, { method: 'POST', path, body: theirs })
    await hands.apply(makeApp(world, [web, { ...web, name: 'admin', image: 'hello:1' }]))
    await operator.settle()
    const { latestRevision } = (await hands.get('App', { namespace, name: app }))['status']
    await hands.apply(makeInstance(world, { replicas: 2, stack: { revision: latestRevision } }))
    await operator.settle()
    const service = await hands.get('Service', { namespace: instance, name: 'admin' })
    expect(service.metadata.labels).toMatchObject({ mine: 'y', 'appstead.dev/service': 'admin' })
    expect(service['spec'].ports).toMatchObject([{ port: 8080 }])
    expect(await told()).toEqual([
      "Normal Service 'admin' was there before it was to be made, with values of field manager 'kubectl-create'; it is this instance's now, as declared.",
    ])
  }, 30_000)

  it('that takes our finalizer off the instance is undone, and that of others stays', async () => {
    const { hands, operator, namespace, instance } = world
    const ref = { namespace, name: instance }
    await hands.patch('AppInstance', ref, { metadata: { finalizers: ['test/others'] } })
    await operator.settle()
    const { finalizers } = (await getInstance(world)).metadata as { finalizers?: readonly string[] }
    expect(finalizers?.toSorted()).toEqual(['appstead.dev/instance-cleanup', 'test/others'])
    expect(childWrites(world)).toEqual([])
    await hands.patch('AppInstance', ref, { metadata: { finalizers: ['appstead.dev/instance-cleanup'] } })
  }, 30_000)

  it('that deletes the namespace is undone with the same release', async () => {
    const { hands, operator, instance } = world
    const before = await hands.get('Namespace', { namespace: '', name: instance })
    await hands.remove('Namespace', { namespace: '', name: instance })
    await operator.until('it is there again', async () => {
      const now = await hands.find('Namespace', { namespace: '', name: instance })
      return now !== undefined && now.metadata.uid !== before.metadata.uid
    })
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 1 } })
    expect(await releasesOf(world)).toHaveLength(1)
    const refused = operator.log.filter(
      ({ thrown, key }) => thrown !== undefined && thrown !== 'transient' && key?.endsWith(instance),
    )
    expect(refused).toEqual([])
    expect(await told()).toEqual([
      `Normal Namespace '${instance}' was deleted; it is made again, with everything in it.`,
    ])
  }, 60_000)

  it('of a generated Secret that is deleted is told: its values are new', async () => {
    const { hands, operator, instance } = world
    const [before] = await hands.list('Secret', instance)
    const { name } = before!.metadata
    await hands.remove('Secret', { namespace: instance, name })
    await operator.until('it is there again', async () => {
      return (await hands.find('Secret', { namespace: instance, name })) !== undefined
    })
    await operator.settle()
    expect((await hands.get('Secret', { namespace: instance, name }))['data']).not.toEqual(before!['data'])
    expect(await told()).toEqual([`Normal Secret '${name}' was deleted; it is made again, with new values.`])
  }, 30_000)

  it('of two objects at once is told of each, also after a restart', async () => {
    const { hands, instance } = world
    await world.whileDown(() => Promise.resolve())
    await world.operator.settle()
    await hands.remove('Service', { namespace: instance, name: 'web' })
    await hands.patch('Deployment', deployment(), { spec: { replicas: 7 } }, 'scale')
    await world.operator.settle()
    expect((await told()).toSorted()).toEqual([
      expect.stringMatching(/^Normal Deployment 'web': field manager '.+' changed spec\.replicas; put back/),
      "Normal Service 'web' was deleted; it is made again.",
    ])
  }, 30_000)

  it('is not what a user changes in the instance, nor what others add to its objects', async () => {
    const { hands, operator, instance } = world
    await hands.patch('Deployment', deployment(), { metadata: { annotations: { foreign: 'x' } } })
    await operator.settle()
    await hands.apply(makeInstance(world, { replicas: 3, image: 'hello:2' }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 2 } })
    expect(await told()).toEqual([])
  }, 30_000)
})
