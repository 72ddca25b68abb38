import { describe, expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import {
  childWrites,
  conditionsOf,
  createRunning,
  getInstance,
  makeApp,
  makeInstance,
  makeStack,
  messageOf,
  releasesOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

describe('change', () => {
  it('of the image makes the next release with exactly one write in the namespace', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    await operator.settle()
    expect(childWrites(world)).toEqual(['apply Deployment web'])
    const rolling = await getInstance(world)
    expect(rolling['status']).toMatchObject({
      phase: 'Deploying',
      currentRelease: { number: 2 },
      deployedGeneration: 1,
    })
    expect(conditionsOf(rolling)).toMatchObject({
      Ready: 'Unknown RollingOut',
      Available: 'True Serving',
      Deployed: 'False RollingOut',
    })
    await rollOut(hands, operator, instance)
    expect(childWrites(world)).toEqual(['apply Deployment web'])
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', deployedGeneration: 2 })
    const releases = await releasesOf(world)
    expect(releases.map(({ spec }) => spec['cause'])).toEqual([
      'instance created',
      'services[web].image hello:1 → hello:2',
    ])
    expect(releases.map((release) => conditionsOf(release)['Succeeded'])).toEqual(['True RolledOut', 'True RolledOut'])
  }, 30_000)

  it('of a variable makes the next release, and the pods get it', async () => {
    const { hands, operator, instance } = world
    const inStack = [
      { name: 'GREETING', value: 'stack' },
      { name: 'OTHER', value: 'stays' },
    ]
    await createRunning(world, { stack: [{ ...web, variables: inStack }] })
    await hands.apply(makeInstance(world, { variables: [{ name: 'GREETING', value: 'instance' }] }))
    await operator.settle()
    expect(childWrites(world)).toEqual(['apply Deployment web'])
    const deployment = await hands.get('Deployment', { namespace: instance, name: 'web' })
    expect(deployment['spec'].template.spec.containers[0].env).toEqual(
      expect.arrayContaining([
        { name: 'GREETING', value: 'instance' },
        { name: 'OTHER', value: 'stays' },
      ]),
    )
    expect((await releasesOf(world)).at(-1)?.['spec'].cause).toBe('services[web].variables[GREETING]')
  }, 30_000)

  it('that is overtaken before it was rolled out is marked so', async () => {
    const { hands, operator } = world
    await createRunning(world)
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    await operator.settle()
    await hands.apply(makeInstance(world, { image: 'hello:3' }))
    await operator.settle()
    const [, second, third] = await releasesOf(world)
    expect(conditionsOf(second!)).toEqual({ Succeeded: 'False Superseded' })
    expect(messageOf(second!, 'Succeeded')).toContain(third!.metadata.name)
    expect(conditionsOf(third!)).toEqual({ Succeeded: 'Unknown RollingOut' })
  }, 30_000)

  it('made twice before it is looked at makes one release, of the last', async () => {
    const { hands } = world
    await createRunning(world)
    await world.whileDown(async () => {
      await hands.apply(makeInstance(world, { image: 'hello:2' }))
      await hands.apply(makeInstance(world, { image: 'hello:3', replicas: 2 }))
    })
    await world.operator.settle()
    const services = (await releasesOf(world)).map(({ spec }) => spec['services'][0])
    expect(services.map(({ image, replicas }) => `${image} x${replicas}`)).toEqual(['hello:1 x1', 'hello:3 x2'])
  }, 30_000)
})

describe('releases', () => {
  it('are kept ten, and the last good one however old it is', async () => {
    const { hands, operator } = world
    await createRunning(world)
    const numbers = async (): Promise<number[]> => (await releasesOf(world)).map(({ spec }) => spec['number'])
    for (let number = 2; number <= 13; number += 1) {
      await hands.apply(makeInstance(world, { image: `hello:${number}` }))
      await operator.until('there is a release of it', async () => (await numbers()).includes(number))
    }
    await operator.settle()
    expect((await numbers()).toSorted((a, b) => a - b)).toEqual([1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  }, 60_000)
})

const stackRevisions = async (stack: string): Promise<string[]> =>
  (await world.hands.list('AppStackRevision', world.namespace))
    .filter(({ spec }) => spec['stack'] === stack)
    .toSorted((a, b) => a['spec'].number - b['spec'].number)
    .map(({ metadata }) => metadata.name)

const withVariable = (value: string): object[] => [{ ...web, variables: [{ name: 'V', value }] }]

describe('stack', () => {
  it('edited publishes a revision; the instance says it is outdated, and moves when it is pinned to it', async () => {
    const { hands, operator, instance } = world
    await hands.apply(makeStack(world, 'shop', withVariable('a')))
    await createRunning(world, { stack: 'shop' })
    await hands.apply(makeStack(world, 'shop', withVariable('b')))
    await operator.settle()
    const [first = '', second = ''] = await stackRevisions('shop')
    expect(first).toMatch(/^shop-r1-[0-9a-f]{6}$/)
    expect(second).toMatch(/^shop-r2-[0-9a-f]{6}$/)
    expect(childWrites(world)).toEqual([])
    const outdated = await getInstance(world)
    expect(outdated['status'].stack).toEqual({ current: first, latest: second, outdated: true })
    expect(outdated['status'].phase).toBe('Running')
    expect(messageOf(outdated, 'Ready')).toMatch(
      new RegExp(`; to move to it: kubectl patch .* -p '{"spec":{"stack":{"revision":"${second}"}}}'$`),
    )

    await hands.apply(makeInstance(world, { stack: { revision: second } }))
    await operator.settle()
    expect(childWrites(world)).toEqual(['apply Deployment web'])
    await rollOut(hands, operator, instance)
    const moved = await getInstance(world)
    expect(moved['status']).toMatchObject({
      phase: 'Running',
      stack: { current: second, latest: second, outdated: false },
      currentRelease: { number: 2 },
    })

    await hands.apply(makeInstance(world, { stack: { revision: first }, image: 'hello:2' }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({
      stack: { current: first, outdated: true },
      currentRelease: { number: 3 },
    })
  }, 30_000)

  it('applied again with the same content publishes nothing; there and back publishes three', async () => {
    const { hands, operator } = world
    await hands.apply(makeStack(world, 'shop', withVariable('a')))
    await operator.settle()
    await hands.patch(
      'AppStack',
      { namespace: world.namespace, name: 'shop' },
      { metadata: { labels: { touched: 'yes' } } },
    )
    await hands.apply(makeStack(world, 'shop', withVariable('a')))
    await operator.settle()
    expect(await stackRevisions('shop')).toHaveLength(1)
    await hands.apply(makeStack(world, 'shop', withVariable('b')))
    await operator.settle()
    await hands.apply(makeStack(world, 'shop', withVariable('a')))
    await operator.settle()
    const revisions = await stackRevisions('shop')
    expect(revisions.map((name) => name.slice(0, 8))).toEqual(['shop-r1-', 'shop-r2-', 'shop-r3-'])
    expect(revisions[0]?.slice(8)).toBe(revisions[2]?.slice(8))
    expect((await hands.get('AppStack', { namespace: world.namespace, name: 'shop' }))['status'].latestRevision).toBe(
      revisions[2],
    )
  }, 30_000)

  it('that is another one, by spec.stack.name of the App, is taken by the next release; a pin must be moved', async () => {
    const { hands, operator, instance, namespace, app } = world
    const pinned = { ...world, instance: `${app}-pinned` }
    await hands.apply(makeStack(world, 'shop', withVariable('a')))
    await hands.apply(makeStack(world, 'store', withVariable('b')))
    await createRunning(world, { stack: 'shop' })
    const [first = ''] = await stackRevisions('shop')
    await hands.apply(makeInstance(pinned, { stack: { revision: first } }))
    await operator.settle()
    await rollOut(hands, operator, pinned.instance)

    await hands.apply(makeApp(world, 'store'))
    await operator.settle()
    await rollOut(hands, operator, instance)
    const [store = ''] = await stackRevisions('store')
    const moved = await getInstance(world)
    expect(moved['status']).toMatchObject({
      phase: 'Running',
      stack: { current: store, latest: store, outdated: false },
      currentRelease: { number: 2, stackRevision: store },
    })
    const deployment = await hands.get('Deployment', { namespace: instance, name: 'web' })
    expect(deployment['spec'].template.spec.containers[0].env).toContainEqual({ name: 'V', value: 'b' })
    const left = await hands.get('AppInstance', { namespace, name: pinned.instance })
    expect(conditionsOf(left)).toMatchObject({ Ready: 'False RevisionOfOtherStack', Available: 'True Serving' })
    expect(messageOf(left, 'Ready')).toContain(store)
  }, 30_000)
})
