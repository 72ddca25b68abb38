import { describe, expect, it } from '@jest/globals'
import { apiVersion } from '../../../operator/api/meta.ts'
import { rollOut } from '../../support/kubelet.ts'
import {
  conditionsOf,
  create,
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

const withVariable = (value: string): object[] => [{ ...web, variables: [{ name: 'V', value }] }]

const versioned = (version: string, value: string): object => {
  const stack = makeStack(world, 'shop', withVariable(value)) as { spec: object }
  return { ...stack, spec: { ...stack.spec, version } }
}

const ofGit = (name: string, value: string): object => ({
  apiVersion,
  kind: 'AppStackRevision',
  metadata: { namespace: world.namespace, name },
  spec: { stack: 'shop', services: withVariable(value) },
})

const revisionNames = async (): Promise<string[]> =>
  (await world.hands.list('AppStackRevision', world.namespace)).map(({ metadata }) => metadata.name).toSorted()

const stackStatus = async () => (await getInstance(world))['status'].stack

describe('a version', () => {
  it('names the revision; used again with other content it is refused, and nothing changes; a new one mends it', async () => {
    const { hands, operator, namespace } = world
    const shop = { namespace, name: 'shop' }
    await hands.apply(versioned('1.4', 'a'))
    await createRunning(world, { stack: 'shop' })
    expect(await revisionNames()).toEqual(['shop-1.4'])

    await hands.apply(versioned('1.4', 'b'))
    await operator.settle()
    const refused = await hands.get('AppStack', shop)
    expect(conditionsOf(refused)).toEqual({
      Ready: 'False RevisionNameTaken',
      Accepted: 'False RevisionNameTaken',
      Stalled: 'True RevisionNameTaken',
    })
    for (const part of [
      "'shop-1.4'",
      'another spec.version',
      `kubectl get appstackrevision shop-1.4 -n ${namespace}`,
    ]) {
      expect(messageOf(refused, 'Ready')).toContain(part)
    }
    expect(refused['status'].latestRevision).toBe('shop-1.4')
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', stack: { outdated: false } })

    await hands.apply(versioned('1.5', 'b'))
    await operator.settle()
    expect(conditionsOf(await hands.get('AppStack', shop))).toEqual({
      Ready: 'True Published',
      Accepted: 'True Accepted',
    })
    expect(await stackStatus()).toEqual({ current: 'shop-1.4', latest: 'shop-1.5', outdated: true })

    await hands.apply(versioned('1.4', 'a'))
    await operator.settle()
    expect(await revisionNames()).toEqual(['shop-1.4', 'shop-1.5'])
    expect(await stackStatus()).toEqual({ current: 'shop-1.4', latest: 'shop-1.4', outdated: false })
  }, 30_000)
})

describe('a revision from git', () => {
  it('is run without an AppStack, and found again under its name by the AppStack that comes with it', async () => {
    const { hands, operator } = world
    await hands.apply(ofGit('shop-1.4', 'a'))
    await createRunning(world, { stack: 'shop', spec: { stack: { revision: 'shop-1.4' } } })
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', stack: { current: 'shop-1.4' } })
    await hands.apply(versioned('1.4', 'a'))
    await operator.settle()
    expect(await revisionNames()).toEqual(['shop-1.4'])
    expect(await stackStatus()).toEqual({ current: 'shop-1.4', latest: 'shop-1.4', outdated: false })
  }, 30_000)
})

describe('a revision from git with the largest number there is', () => {
  it('is the newest, and does not keep the next edit from being published after it', async () => {
    const { hands, operator, namespace } = world
    const given = ofGit('shop-1.4', 'a') as { spec: object }
    await hands.apply({ ...given, spec: { ...given.spec, number: 2_147_483_647 } })
    await hands.apply(makeStack(world, 'shop', withVariable('b')))
    await operator.settle()
    const { status } = await hands.get('AppStack', { namespace, name: 'shop' })
    expect(status.conditions[0]).toMatchObject({ status: 'True' })
    const { spec } = await hands.get('AppStackRevision', { namespace, name: status.latestRevision })
    expect(spec).toMatchObject({ number: 2_147_483_647, services: [{ variables: [{ name: 'V', value: 'b' }] }] })
  }, 30_000)
})

describe('an instance that upgrades itself', () => {
  it.each([
    ['', () => ({ stack: { autoUpgrade: true } })],
    [', as its AppEnv says', () => ({ env: world.app })],
  ])(
    'moves to each new revision with a release%s, and goes back when it pins the old one',
    async (_, specOf) => {
      const { hands, operator, instance, app } = world
      const following = { type: 'staging', defaults: { autoUpgrade: true } }
      await hands.apply({ apiVersion, kind: 'AppEnv', metadata: { name: app }, spec: following })
      await hands.apply(versioned('1.0', 'a'))
      await createRunning(world, { stack: 'shop', spec: specOf() })
      await hands.apply(versioned('1.1', 'b'))
      await operator.settle()
      await rollOut(hands, operator, instance)
      expect((await getInstance(world))['status']).toMatchObject({
        phase: 'Running',
        stack: { current: 'shop-1.1', outdated: false },
        currentRelease: { number: 2 },
      })
      await hands.apply(makeInstance(world, { ...specOf(), stack: { revision: 'shop-1.0' } }))
      await operator.settle()
      await rollOut(hands, operator, instance)
      expect(await stackStatus()).toEqual({ current: 'shop-1.0', latest: 'shop-1.1', outdated: true })
      expect((await releasesOf(world)).map(({ spec }) => spec['stackRevision'])).toEqual([
        'shop-1.0',
        'shop-1.1',
        'shop-1.0',
      ])
    },
    30_000,
  )

  it('is refused in an environment of type prod, with what to do', async () => {
    await create(world, { spec: { env: 'prod', stack: { autoUpgrade: true } } })
    const refused = await getInstance(world)
    expect(refused['status'].phase).toBe('Invalid')
    expect(conditionsOf(refused)['Accepted']).toBe('False AutoUpgradeInProd')
    expect(messageOf(refused, 'Accepted')).toContain('name the revision in spec.stack.revision')
  })
})

it('a new instance that comes with an edit of its stack begins with what the edit says', async () => {
  const { hands, namespace } = world
  await hands.apply(versioned('1.0', 'a'))
  await hands.apply(makeApp(world, 'shop'))
  await world.operator.settle()
  await world.whileDown(async () => {
    await hands.apply(makeInstance(world))
    await hands.apply(versioned('1.1', 'b'))
  })
  await world.operator.settle()
  expect((await releasesOf(world)).map(({ spec }) => spec['stackRevision'])).toEqual(['shop-1.1'])
  expect(await hands.list('AppStackRevision', namespace)).toHaveLength(2)
})

it('of more than 20 revisions, those that nobody needs are removed, but none from git', async () => {
  const { hands, operator } = world
  await hands.apply(ofGit('shop-old', 'git'))
  await hands.apply(makeStack(world, 'shop', withVariable('0')))
  await createRunning(world, { stack: 'shop' })
  const first = (await stackStatus()).current
  for (let edit = 1; edit <= 23; edit += 1) {
    await hands.apply(makeStack(world, 'shop', withVariable(`${edit}`)))
    await operator.settle()
  }
  const kept = await revisionNames()
  expect(kept).toHaveLength(22)
  expect(kept).toEqual(expect.arrayContaining(['shop-old', first]))
  expect(kept.filter((name) => /-r[23]-/.test(name))).toEqual([])
}, 60_000)
