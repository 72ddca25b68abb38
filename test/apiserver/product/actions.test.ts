import { describe, expect, it } from '@jest/globals'
import type { Anything } from '../../support/hands.ts'
import { endPods, makePodsReady, rollOut } from '../../support/kubelet.ts'
import { childWrites, conditionsOf, getInstance, makeApp, makeInstance, messageOf, releasesOf } from './world.ts'
import { useWorld, web } from './world.ts'

const world = useWorld()

const migrate = { name: 'migrate', command: ['migrate'], run: 'BeforeDeploy' }
const warm = { name: 'warm', command: ['warm'], run: 'AfterDeploy' }
const reindex = { name: 'reindex', command: ['reindex'], run: 'AfterUpgrade' }

const actionLabel = 'appstead.dev/action'
const isOf = (action: string) => (pod: Anything) => pod.metadata.labels?.[actionLabel] === `web.${action}`

const jobLabel = 'batch.kubernetes.io/job-name'
const isOfRelease = (action: string, number: number) => (pod: Anything) =>
  isOf(action)(pod) && pod.metadata.labels?.[jobLabel]?.includes(`-r${number}-`) === true

/** The Jobs there are, oldest first, as `action-r<number>`. */
async function jobsIn(): Promise<readonly string[]> {
  const jobs = await world.hands.list('Job', world.instance)
  const names = jobs.map(({ metadata }) => /^web-(\w+-r\d+)-\w{5}$/.exec(metadata.name)?.[1] ?? metadata.name)
  return names.toSorted((a, b) => Number(a.split('-r')[1]) - Number(b.split('-r')[1]) || (a < b ? -1 : 1))
}

async function podsOf(action: string): Promise<readonly Anything[]> {
  return (await world.hands.list('Pod', world.instance)).filter(isOf(action))
}

async function imageOfWeb(): Promise<string | undefined> {
  const found = await world.hands.find('Deployment', { namespace: world.instance, name: 'web' })
  return found?.['spec'].template.spec.containers[0].image
}

async function recordsOf(number: number): Promise<Readonly<Record<string, string>>> {
  const release = (await releasesOf(world)).find(({ spec }) => spec['number'] === number)
  const actions: { name: string; state: string }[] = release?.['status']?.actions ?? []
  return Object.fromEntries(actions.map(({ name, state }) => [name, state]))
}

/** The pod of an action is there and ends; resolves when that is recorded and acted on. */
async function end(action: string, number: number, exitCode = 0, message = ''): Promise<void> {
  const { hands, operator, instance } = world
  await operator.until(`${action} of release ${number} has ended`, async () => {
    // The next release's Job of this action may have begun, since this one has ended.
    await endPods(hands, instance, { exitCode, message }, isOfRelease(action, number))
    return ['Succeeded', 'Failed'].includes((await recordsOf(number))[action] ?? '')
  })
  await operator.settle()
}

const isReplica = ({ metadata }: Anything): boolean => metadata.labels?.[actionLabel] === undefined

/** The replicas become ready, until this image runs everywhere. */
async function runs(image: string): Promise<void> {
  const { hands, operator, instance } = world
  await operator.until(`${image} is rolled out`, async () => {
    await makePodsReady(hands, instance, isReplica)
    const { status } = await getInstance(world)
    return status.phase === 'Running' && (await imageOfWeb()) === image
  })
  await operator.settle()
}

async function create(actions: readonly object[]): Promise<void> {
  const { hands, operator } = world
  await hands.apply(makeApp(world, [{ ...web, actions }]))
  await hands.apply(makeInstance(world))
  await operator.settle()
}

async function change(spec: object): Promise<void> {
  await world.hands.apply(makeInstance(world, spec))
  await world.operator.settle()
}

/** An instance with a migration that has succeeded once, running. */
async function createMigrated(): Promise<void> {
  await create([migrate])
  await end('migrate', 1)
  await rollOut(world.hands, world.operator, world.instance)
}

describe('actions of a release', () => {
  it('run before any replica starts or changes and after the roll-out, each once, whoever deletes its Job', async () => {
    const { hands, operator, namespace, instance, app } = world
    await create([migrate, warm, reindex])
    expect([await jobsIn(), await imageOfWeb()]).toEqual([['migrate-r1'], undefined])
    const early = await getInstance(world)
    expect(conditionsOf(early)).toMatchObject({ Ready: 'Unknown RunningActions', Deployed: 'False RunningActions' })
    expect(messageOf(early, 'Ready')).toMatch(/Action 'migrate' of service 'web' runs; see kubectl describe job -n /)
    await end('migrate', 1)
    expect(await imageOfWeb()).toBe('hello:1')
    await runs('hello:1')
    expect(await jobsIn()).toEqual(['migrate-r1', 'warm-r1'])
    await operator.until('a pod of warm', async () => (await podsOf('warm')).length === 1)
    await makePodsReady(hands, instance)
    expect((await getInstance(world))['status'].counts).toMatchObject({ total: 1, summary: '1/1' })
    expect((await podsOf('warm'))[0]?.metadata.labels).not.toHaveProperty(['appstead.dev/service'])
    await end('warm', 1)
    for (const { metadata } of await hands.list('Job', instance)) {
      await hands.remove('Job', { namespace: instance, name: metadata.name })
    }
    await world.whileDown(() => Promise.resolve())
    await world.operator.settle()
    await hands.apply(makeApp(world, [{ ...web, actions: [migrate, warm, reindex], rollout: {} }]))
    await world.operator.settle()
    const { latestRevision } = (await hands.get('App', { namespace, name: app }))['status']
    await change({ image: 'hello:2', stack: { revision: latestRevision } })
    expect([await jobsIn(), await imageOfWeb()]).toEqual([['migrate-r2'], 'hello:1'])
    await end('migrate', 2)
    await runs('hello:2')
    expect(await jobsIn()).toEqual(['migrate-r2', 'warm-r2'])
    await end('warm', 2)
    expect(await jobsIn()).toEqual(['migrate-r2', 'reindex-r2', 'warm-r2'])
    await end('reindex', 2)
    expect(await recordsOf(2)).toEqual({ migrate: 'Succeeded', warm: 'Succeeded', reindex: 'Succeeded' })
  }, 120_000)

  it('that fail before the roll-out fail the release, leave what runs, and are tried again with the next change only', async () => {
    const { hands, operator, namespace, instance } = world
    await createMigrated()
    const before = await hands.get('Deployment', { namespace: instance, name: 'web' })
    await change({ image: 'hello:2' })
    operator.writes.splice(0)
    await end('migrate', 2, 3, 'applying 7\nno such column')
    const failed = await getInstance(world)
    expect(failed['status'].phase).toBe('Degraded')
    expect(conditionsOf(failed)).toMatchObject({
      Ready: 'False ActionFailed',
      Stalled: 'True ActionFailed',
      Deployed: 'False ActionFailed',
      Available: 'True Serving',
    })
    const job = (await hands.list('Job', instance)).find(({ metadata }) => metadata.name.includes('-r2-'))
    expect(messageOf(failed, 'Ready')).toContain(
      `Action 'migrate' of service 'web' failed: exit code 3, last line: no such column; see kubectl logs -n ${instance} job/${job?.metadata.name}`,
    )
    expect(conditionsOf((await releasesOf(world))[1]!)).toEqual({ Succeeded: 'False ActionFailed' })
    const events = await hands.list('Event', namespace)
    expect(events.filter(({ reason }) => reason === 'ActionFailed')).toHaveLength(1)
    await world.whileDown(() => Promise.resolve())
    await world.operator.settle()
    expect(childWrites(world)).toEqual([])
    expect((await hands.get('Deployment', { namespace: instance, name: 'web' })).metadata.generation).toBe(
      before.metadata.generation,
    )
    await change({ image: 'hello:3' })
    expect([await jobsIn(), await imageOfWeb()]).toEqual([['migrate-r1', 'migrate-r2', 'migrate-r3'], 'hello:1'])
    await end('migrate', 3)
    await runs('hello:3')
    await change({ image: 'hello:4' })
    await end('migrate', 4)
    await runs('hello:4')
    expect(await jobsIn()).toEqual(['migrate-r2', 'migrate-r3', 'migrate-r4'])
  }, 120_000)

  it('that fail after the roll-out leave the release as it is, and are told of', async () => {
    const { hands, operator, namespace, instance } = world
    await create([warm])
    await rollOut(hands, operator, instance)
    await end('warm', 1, 1, 'cold')
    const found = await getInstance(world)
    expect(conditionsOf(found)).toMatchObject({ Ready: 'True AllReady', Deployed: 'True RolledOut' })
    expect(messageOf(found, 'Ready')).toContain(
      "After the roll-out: Action 'warm' of service 'web' failed: exit code 1",
    )
    const events = await hands.list('Event', namespace)
    expect(events.filter(({ reason }) => reason === 'ActionFailed')).toHaveLength(1)
  }, 60_000)

  it('wait for one of an earlier release that has begun, end one that has not, and take a deleted one for failed', async () => {
    const { hands, operator, instance } = world
    await createMigrated()
    await change({ image: 'hello:2' })
    await change({ image: 'hello:3' })
    expect(await jobsIn()).toEqual(['migrate-r1', 'migrate-r3'])
    await operator.until('the action of release 3 has begun', async () => {
      await makePodsReady(hands, instance)
      const jobs = await hands.list('Job', instance)
      return jobs.some(({ metadata, status }) => metadata.name.includes('-r3-') && status?.ready === 1)
    })
    await operator.settle()
    await change({ image: 'hello:4' })
    expect(await jobsIn()).toEqual(['migrate-r1', 'migrate-r3'])
    expect(messageOf(await getInstance(world), 'Ready')).toContain('waits for an action of an earlier release')
    await end('migrate', 3)
    expect([await jobsIn(), await imageOfWeb()]).toEqual([['migrate-r1', 'migrate-r3', 'migrate-r4'], 'hello:1'])
    const running = (await hands.list('Job', instance)).find(({ metadata }) => metadata.name.includes('-r4-'))
    await operator.until('it is recorded', async () => (await recordsOf(4))['migrate'] === 'Running')
    await hands.remove('Job', { namespace: instance, name: running!.metadata.name })
    await operator.until('it has failed', async () => (await recordsOf(4))['migrate'] === 'Failed')
    await operator.settle()
    expect(messageOf(await getInstance(world), 'Ready')).toContain('its Job was deleted before it ended')
    expect(await imageOfWeb()).toBe('hello:1')
  }, 120_000)
})
