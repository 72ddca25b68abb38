import { afterEach, describe, expect, it } from '@jest/globals'
import { annotations, labels } from '../../../operator/api/meta.ts'
import type { Anything } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import { accountsRefusal, allowAccounts, refuseAccounts } from './accounts.ts'
import { jumpingClock } from './fastClock.ts'
import {
  childWrites,
  conditionsOf,
  create,
  createRunning,
  eventsTold,
  getInstance,
  holdNamespace,
  makeApp,
  makeInstance,
  messageOf,
  removeInVain,
  untilErrored,
  useWorld,
  web,
} from './world.ts'

const clock = jumpingClock()
const world = useWorld({ clock })
/** Long enough, on a busy machine too, for what is to be seen before, and for the controller-manager to say what holds a namespace. */
const deadlines = { creationDeadlineSeconds: 15, deletionDeadlineSeconds: 20 }

const ref = () => ({ namespace: world.namespace, name: world.instance })
const namespaceRef = () => ({ namespace: '', name: world.instance })
const phase = async (): Promise<string> => (await getInstance(world))['status']?.phase
const isGone = async (): Promise<boolean> => (await world.hands.find('AppInstance', ref())) === undefined
const eventsOf = async (reason: string) => (await eventsTold(world)).filter((event) => event['reason'] === reason)

/** Why the API server lets nobody connect into the namespace's pods. */
const lockOf = async (): Promise<string | undefined> =>
  (await world.hands.get('Namespace', namespaceRef())).metadata.labels?.[labels.locked]

const stepsOf = (task: Anything): unknown =>
  (task['status'].steps as readonly Anything[]).map((step) => [step['name'], step['state']])

/** As the messages of an Errored instance say. */
async function annotate(key: string, value: string): Promise<void> {
  await world.hands.patch('AppInstance', ref(), { metadata: { annotations: { [key]: value } } })
}

afterEach(() => allowAccounts(world))

describe('a creation that admission refuses', () => {
  it('is Errored at its deadline, also for the next operator; nothing is torn down; a retry makes it', async () => {
    const { hands, operator, namespace, instance } = world
    await refuseAccounts(world)
    await create(world, { spec: deadlines })
    expect(await phase()).toBe('Creating')
    expect(messageOf(await getInstance(world), 'Ready')).toContain(accountsRefusal)
    await untilErrored(world)
    await operator.settle()
    const errored = await getInstance(world)
    expect(errored['status'].error).toMatchObject({
      class: 'Creation',
      reason: 'CreationDeadlineExceeded',
      failedStep: 'configuration',
    })
    expect(errored['status'].error.message).toContain(accountsRefusal)
    const { task } = errored['status'].error
    expect(conditionsOf(await hands.get('AppTask', { namespace, name: task }))).toEqual({
      Succeeded: 'False CreationDeadlineExceeded',
    })
    expect(await eventsOf('CreationDeadlineExceeded')).toHaveLength(1)
    expect(await lockOf()).toBe('CreationDeadlineExceeded')

    // Nobody who has not asked is served, whatever becomes possible.
    await allowAccounts(world)
    world.operator.writes.splice(0)
    await world.whileDown(() => Promise.resolve())
    await world.operator.settle()
    expect(childWrites(world)).toEqual([])
    expect(await phase()).toBe('Errored')

    await annotate(annotations.retry, 'the audit is over')
    await world.operator.until('it is made', async () => (await hands.list('Deployment', instance)).length === 1)
    await rollOut(hands, world.operator, instance)
    const running = await getInstance(world)
    expect(running['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 1 } })
    expect(running['status'].error).toBeUndefined()
    expect(await lockOf()).toBeUndefined()
    const second = await hands.get('AppTask', { namespace, name: task.replace(/1$/, '2') })
    expect(second['spec']).toMatchObject({ attempt: 2, cause: 'the audit is over' })
    expect(conditionsOf(second)).toEqual({ Succeeded: 'True Completed' })
    const before = ['release', 'namespace'].map((step) => [step, 'Succeeded'])
    expect(stepsOf(await hands.get('AppTask', { namespace, name: task }))).toEqual([
      ...before,
      ['configuration', 'Failed'],
    ])
    expect(stepsOf(second)).toEqual([...before, ['configuration', 'Succeeded']])
    expect([await eventsOf('Retrying'), await eventsOf('Recovered')].map(({ length }) => length)).toEqual([1, 1])
  }, 120_000)

  it('lets the instance be deleted, and what there is of it goes', async () => {
    const { hands, operator } = world
    await refuseAccounts(world)
    await create(world, { spec: deadlines })
    await untilErrored(world)
    await hands.remove('AppInstance', ref())
    await operator.until('it is gone', isGone)
    expect(await hands.find('Namespace', namespaceRef())).toBeUndefined()
  }, 120_000)
})

describe('a removal that a finalizer holds up', () => {
  it('is Errored at its deadline, says what is left and who holds it, and ends by itself when that goes', async () => {
    const { hands, operator, namespace } = world
    await createRunning(world, { spec: deadlines })
    const letGo = await removeInVain(world)
    const errored = await getInstance(world)
    expect(conditionsOf(errored)).toMatchObject({
      Ready: 'False CleanupDeadlineExceeded',
      Stalled: 'True CleanupDeadlineExceeded',
      OperationsBlocked: 'True CleanupDeadlineExceeded',
    })
    expect(errored['status'].error).toMatchObject({ class: 'Cleanup', failedStep: 'namespace' })
    expect(messageOf(errored, 'Stalled')).toContain('test/slow in 1 resource instances')
    expect(messageOf(errored, 'Stalled')).toContain(`${annotations.forceDelete}=${errored.metadata.uid}`)
    expect(await eventsOf('CleanupDeadlineExceeded')).toHaveLength(1)
    expect(await lockOf()).toBe('CleanupDeadlineExceeded')
    const { task } = errored['status'].error
    await letGo()
    await operator.until('it is gone', isGone)
    expect(conditionsOf(await hands.get('AppTask', { namespace, name: task }))).toEqual({ Succeeded: 'True Completed' })
  }, 120_000)

  it('is forced by the uid of the object alone; the next of the name waits for the namespace', async () => {
    const { hands, operator, instance } = world
    await createRunning(world, { spec: deadlines })
    const letGo = await removeInVain(world)
    const { uid = '' } = (await getInstance(world)).metadata
    await annotate(annotations.forceDelete, 'true')
    await operator.settle()
    expect(await phase()).toBe('Errored')
    const [refused] = await eventsOf('ForceDeleteRefused')
    expect(refused?.['message']).toContain(uid)
    await annotate(annotations.forceDelete, uid)
    await operator.until('it is let go', isGone)
    expect((await eventsOf('ForceDeleted'))[0]?.['message']).toContain('test/slow')
    expect((await hands.find('Namespace', namespaceRef()))?.metadata.deletionTimestamp).toBeDefined()

    await hands.apply(makeInstance(world))
    await operator.settle()
    expect(conditionsOf(await getInstance(world))).toMatchObject({ Ready: 'Unknown NamespaceTerminating' })
    await letGo()
    await operator.until('it is made', async () => (await hands.list('Deployment', instance)).length === 1)
    await rollOut(hands, operator, instance)
    expect(await phase()).toBe('Running')
  }, 120_000)
})

describe('a removal whose record somebody deletes', () => {
  it('goes on, and is recorded anew', async () => {
    const { hands, operator, namespace } = world
    await createRunning(world, { spec: { deletionDeadlineSeconds: 5 } })
    const letGo = await removeInVain(world)
    const { task } = (await getInstance(world))['status'].error
    await hands.remove('AppTask', { namespace, name: task })
    await operator.settle()
    await letGo()
    await operator.until('it is gone', isGone)
    const removals = (await hands.list('AppTask', namespace)).filter(({ spec }) => spec['type'] === 'Delete')
    expect(removals.map(conditionsOf)).toEqual([{ Succeeded: 'True Completed' }])
  }, 120_000)
})

describe('a removal with its whole project', () => {
  it('is Errored at its deadline, without a record, and both go when what holds it up does', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world, { spec: deadlines })
    const letGo = await holdNamespace(world)
    await hands.remove('Namespace', { namespace: '', name: namespace })
    await untilErrored(world)
    const { error } = (await getInstance(world))['status']
    expect(error).toMatchObject({ class: 'Cleanup', failedStep: 'namespace' })
    expect(error.message).toContain('test/slow in 1 resource instances')
    // In a namespace that goes nothing can be made.
    expect(error.task).toBeUndefined()
    expect(await lockOf()).toBe('CleanupDeadlineExceeded')
    await letGo()
    const areGone = async (): Promise<boolean> => {
      const left = [namespace, instance].map((name) => hands.find('Namespace', { namespace: '', name }))
      return (await Promise.all(left)).every((each) => each === undefined)
    }
    await operator.until('both are gone', areGone, 40)
  }, 120_000)
})

describe('a namespace that a former instance left behind', () => {
  it('under a quota that is too small for the next one is said with its numbers', async () => {
    const { hands, operator, instance } = world
    await create(world, { spec: { deletionPolicy: 'Retain' } })
    await hands.remove('AppInstance', ref())
    await operator.until('it is gone', isGone)
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { namespace: instance, name: 'small' } }
    await hands.apply({ ...quota, spec: { hard: { configmaps: '1' } } })
    await operator.until('the quota counts', async () => {
      const { status } = await hands.get('ResourceQuota', { namespace: instance, name: 'small' })
      return status?.used?.configmaps === '1'
    })
    await hands.apply(makeApp(world, [{ ...web, files: [{ path: '/etc/motd', content: 'hi' }] }]))
    await operator.settle()
    await hands.apply(makeInstance(world, { creationDeadlineSeconds: 10 }))
    await untilErrored(world)
    const { error } = (await getInstance(world))['status']
    expect(error).toMatchObject({ class: 'Creation', failedStep: 'configuration' })
    const numbers = 'exceeded quota: small, requested: configmaps=1, used: configmaps=1, limited: configmaps=1'
    expect(error.message).toContain(numbers)
    expect(error.message).toContain(`ConfigMap 'web-`)
    expect(messageOf(await getInstance(world), 'Ready')).toContain(numbers)
    await hands.apply({ ...quota, spec: { hard: { configmaps: '9' } } })
    await annotate(annotations.retry, 'quota raised')
    await operator.until('it is made', async () => (await hands.list('Deployment', instance)).length === 1, 60)
  }, 120_000)
})

/** Somebody changes something that matters to nobody: the instance is looked at. */
async function look(): Promise<string> {
  await world.hands.patch('AppInstance', ref(), { metadata: { labels: { looked: String(clock.now()) } } })
  await world.operator.settle()
  return phase()
}

describe('an operator that was down for 20 minutes', () => {
  const seconds = 600

  it.each([
    [
      'creation',
      'Creating',
      async () => {
        await refuseAccounts(world)
        await create(world, { spec: { creationDeadlineSeconds: seconds } })
      },
    ],
    [
      'removal',
      'Deleting',
      async () => {
        await createRunning(world, { spec: { deletionDeadlineSeconds: seconds } })
        await holdNamespace(world)
        await world.hands.remove('AppInstance', ref())
        await world.operator.until('it is going', async () => (await phase()) === 'Deleting')
      },
    ],
  ])(
    'gives a %s its whole time again',
    async (_, underWay, begin) => {
      // The API server's time does not jump: only an operator that is new makes nothing of the difference.
      await world.whileDown(() => Promise.resolve())
      await begin()
      expect(await look()).toBe(underWay)
      await world.whileDown(async () => clock.pass(1200))
      expect(await look()).toBe(underWay)
      clock.pass(seconds - 60)
      expect(await look()).toBe(underWay)
      clock.pass(60)
      expect(await look()).toBe('Errored')
    },
    120_000,
  )
})
