import { beforeEach, describe, expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import { childWrites, getInstance, makeApp, makeInstance, releasesOf, useWorld, web } from './world.ts'

const world = useWorld()

beforeEach(async () => {
  const { hands, operator, instance } = world
  await hands.apply(makeApp(world, [{ ...web, generatedSecrets: [{ name: 'TOKEN' }] }]))
  await hands.apply(makeInstance(world, { replicas: 2 }))
  await operator.settle()
  await rollOut(hands, operator, instance)
  operator.writes.splice(0)
}, 30_000)

const deployment = () => ({ namespace: world.instance, name: 'web' })

describe('drift by hand', () => {
  it.each([
    ['the number of replicas', { spec: { replicas: 5 } }],
    ['the image', { spec: { template: { spec: { containers: [{ name: 'web', image: 'evil:1' }] } } } }],
    ['a label', { metadata: { labels: { 'appstead.dev/service': null } } }],
    ['the update strategy', { spec: { strategy: { rollingUpdate: { maxUnavailable: 1 } } } }],
  ])(
    'of %s of the Deployment is put back with one write',
    async (_, change) => {
      const { hands, operator, instance } = world
      const before = await hands.get('Deployment', deployment())
      await hands.patch('Deployment', deployment(), change)
      await operator.settle()
      expect(childWrites(world)).toEqual(['apply Deployment web'])
      const after = await hands.get('Deployment', deployment())
      expect(after['spec']).toEqual(before['spec'])
      expect(after.metadata.labels).toEqual(before.metadata.labels)
      await rollOut(hands, operator, instance)
      expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 1 } })
      expect(await releasesOf(world)).toHaveLength(1)
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
      await hands.patch(kind, ref, { metadata: { labels } })
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

  it.each(['Deployment', 'Service', 'PodDisruptionBudget', 'ServiceAccount', 'NetworkPolicy'])(
    'that deletes the %s is undone',
    async (kind) => {
      const { hands, operator, instance } = world
      const name = { ServiceAccount: 'app', NetworkPolicy: 'same-namespace' }[kind] ?? 'web'
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
    },
    30_000,
  )

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
  }, 60_000)
})
