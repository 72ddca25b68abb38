import { describe, expect, it } from '@jest/globals'
import { apiVersion } from '../../../operator/api/meta.ts'
import { collectionPath, objectPath } from '../../../operator/kube/paths.ts'
import type { Call } from '../../support/apiserver.ts'
import type { Anything } from '../../support/hands.ts'
import { typeOf } from '../../support/hands.ts'
import { endPods, makePodsReady } from '../../support/kubelet.ts'
import { askedFor, madeUpTask } from './madeUpRecords.ts'
import {
  conditionsOf,
  createRunning,
  getInstance,
  holdNamespace,
  makeInstance,
  messageOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

const seed = { name: 'seed', command: ['seed'], run: 'Manual' }
const migrate = { name: 'migrate', command: ['migrate'], run: 'BeforeDeploy' }

const pathOf = (kind: string): string => collectionPath(typeOf(kind), world.namespace)

/** Makes an AppTask as a user does, by create, and resolves to its name. */
async function ask(task: object): Promise<string> {
  const { status, body } = await world.hands.admin({ method: 'POST', path: pathOf('AppTask'), body: task })
  if (status !== 201) throw new Error(JSON.stringify(body))
  return (body as Anything).metadata.name
}

const taskOf = (name: string): Promise<Anything> => world.hands.get('AppTask', { namespace: world.namespace, name })

async function succeeded(name: string): Promise<string> {
  return conditionsOf(await taskOf(name))['Succeeded'] ?? ''
}

/** Names of the Jobs made for AppTasks. */
async function jobs(): Promise<readonly Anything[]> {
  const all = await world.hands.list('Job', world.instance)
  return all.filter(({ metadata }) => metadata.annotations?.['appstead.dev/task'] !== undefined)
}

/** The pods of this AppTask's Job end; resolves when that is recorded. */
async function end(name: string, exitCode = 0, message = ''): Promise<void> {
  const { hands, operator, instance } = world
  await operator.until(`${name} has ended`, async () => {
    const job: string = (await taskOf(name))['status']?.job?.name ?? 'none yet'
    const isOf = (pod: Anything): boolean => pod.metadata.labels?.['batch.kubernetes.io/job-name'] === job
    await endPods(hands, instance, { exitCode, message }, isOf)
    return /^(True|False)/.test(await succeeded(name))
  })
  await operator.settle()
}

const isReplica = ({ metadata }: Anything): boolean => metadata.labels?.['appstead.dev/action'] === undefined
const isOfMigrate = ({ metadata }: Anything): boolean => metadata.labels?.['appstead.dev/action'] === 'web.migrate'

async function eventsOf(reason: string): Promise<number> {
  const events = await world.hands.list('Event', world.namespace)
  return events.filter((event) => event.reason === reason).length
}

describe('an action with run: Manual', () => {
  it('is run by no release, once when an AppTask asks, one after another, and tells how it ended', async () => {
    const { hands, operator, instance } = world
    await createRunning(world, { stack: [{ ...web, actions: [seed] }] })
    expect(await hands.list('Job', instance)).toEqual([])
    const found = await getInstance(world)
    const first = await ask(askedFor(found))
    await operator.until('the first runs', async () => (await succeeded(first)) === 'Unknown RunningActions')
    const second = await ask(askedFor(found, 'seed', { instanceUid: found.metadata.uid, cause: 'again' }))
    await operator.settle()
    expect(await succeeded(second)).toBe('Unknown Queued')
    expect(messageOf(await taskOf(second), 'Succeeded')).toContain(`waits for AppTask '${first}', which comes first`)
    const [job] = await jobs()
    expect(await jobs()).toHaveLength(1)
    const { image } = (await hands.get('Deployment', { namespace: instance, name: 'web' }))['spec'].template.spec
      .containers[0]
    expect(job?.['spec']).toMatchObject({ suspend: false, backoffLimit: 0 })
    expect(job?.['spec'].template.spec.containers[0]).toMatchObject({ image, command: ['seed'] })
    await end(first)
    expect(messageOf(await taskOf(first), 'Succeeded')).toContain(
      `Action 'seed' of service 'web' succeeded; for its log: kubectl logs -n ${instance} job/`,
    )
    await end(second, 3, 'loading\nno such table')
    expect(await succeeded(second)).toBe('False ActionFailed')
    expect(messageOf(await taskOf(second), 'Succeeded')).toContain(
      "Action 'seed' of service 'web' failed: exit code 3, last line: no such table; see kubectl logs -n ",
    )
    expect((await taskOf(second))['status'].steps).toMatchObject([
      { name: 'queue', state: 'Succeeded' },
      { name: 'run', state: 'Failed' },
    ])
    expect(await jobs()).toHaveLength(2)
    expect((await getInstance(world))['status'].phase).toBe('Running')
    await operator.until('it is told', async () => (await eventsOf('ActionSucceeded')) === 1)
    expect([await eventsOf('ActionStarted'), await eventsOf('ActionFailed')]).toEqual([2, 1])
    operator.writes.splice(0)
    await world.whileDown(() => Promise.resolve())
    await world.operator.settle()
    const places = [world.namespace, instance]
    expect(world.operator.writes.filter(({ ref }) => places.includes(ref.namespace))).toEqual([])
    expect(await jobs()).toHaveLength(2)
  }, 90_000)

  it('writes its Job, whose pod starts only then, and its AppTask, twice each', async () => {
    const { operator } = world
    await createRunning(world, { stack: [{ ...web, actions: [seed] }] })
    const name = await ask(askedFor(await getInstance(world)))
    await end(name)
    const own = operator.writes.filter(({ kind }) => ['Job', 'AppTask'].includes(kind))
    const writes = own.map(({ verb, kind }) => `${verb} ${kind}`)
    expect(writes).toEqual(['create Job', 'patchStatus AppTask', 'apply Job', 'patchStatus AppTask'])
  }, 60_000)

  it('is not run where it is unknown, suspended, or for another instance; and ends with its AppTask', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world, { stack: [{ ...web, actions: [seed] }] })
    const found = await getInstance(world)
    const unknown = await ask(askedFor(found, 'sed'))
    const stranger = await ask(askedFor(found, 'seed', { instanceUid: crypto.randomUUID() }))
    const missing = await ask(askedFor({ ...found, metadata: { ...found.metadata, name: `${instance}x` } }))
    await operator.settle()
    expect([await succeeded(unknown), await succeeded(stranger), await succeeded(missing)]).toEqual([
      'False ActionNotFound',
      'False InstanceDeleted',
      'Unknown InstanceNotFound',
    ])
    expect(messageOf(await taskOf(missing), 'Succeeded')).toContain(`there is '${instance}'`)
    const running = await ask(askedFor(found))
    await operator.until('it runs', async () => (await succeeded(running)) === 'Unknown RunningActions')
    await makePodsReady(hands, instance)
    await hands.remove('AppTask', { namespace, name: running })
    await operator.until('its Job is gone', async () => (await jobs()).length === 0)
    await operator.settle()
    await hands.apply(makeInstance(world, { suspend: true }))
    await operator.until('it is suspended', async () => (await getInstance(world))['status'].phase === 'Suspended')
    const refused = await ask(askedFor(found))
    await operator.settle()
    expect(await succeeded(refused)).toBe('False NotAllowed')
    expect(await jobs()).toEqual([])
  }, 60_000)

  it('is not run for what is on its way, which says so', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world, { stack: [{ ...web, actions: [seed] }] })
    const letGo = await holdNamespace(world)
    await hands.remove('AppInstance', { namespace, name: instance })
    await operator.until('it is going', async () => (await getInstance(world))['status'].phase === 'Deleting')
    const asked = await ask(askedFor(await getInstance(world)))
    await operator.settle()
    expect(await succeeded(asked)).toBe('False InstanceDeleted')
    expect(messageOf(await taskOf(asked), 'Succeeded')).toContain(`AppInstance '${instance}' is being deleted`)
    expect(await jobs()).toEqual([])
    await letGo()
  }, 60_000)

  it('is waited for by the actions of a release, and waits for them; what is deleted ends it', async () => {
    const { hands, operator, namespace, instance } = world
    await hands.apply({
      apiVersion,
      kind: 'App',
      metadata: { namespace, name: world.app },
      spec: { stack: { services: [{ ...web, actions: [seed, migrate] }] } },
    })
    await hands.apply(makeInstance(world))
    await operator.settle()
    const name = await ask(askedFor(await getInstance(world)))
    await operator.settle()
    expect(messageOf(await taskOf(name), 'Succeeded')).toContain('waits for release')
    await operator.until('it runs', async () => {
      await endPods(hands, instance, { exitCode: 0, message: '' }, isOfMigrate)
      await makePodsReady(hands, instance, isReplica)
      return (await succeeded(name)) === 'Unknown RunningActions'
    })
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    await operator.until('the release waits', async () =>
      messageOf(await getInstance(world), 'Ready').includes(
        `waits for the action of AppTask '${name}', which still runs`,
      ),
    )
    await hands.remove('AppInstance', { namespace, name: instance })
    await operator.until('it has ended', async () => (await succeeded(name)) === 'False InstanceDeleted')
  }, 90_000)
})

describe('the policy on AppTasks', () => {
  it('lets users ask for actions, and keeps the records of creations to the operator, whose status nobody writes', async () => {
    const { hands, namespace } = world
    await createRunning(world, { stack: [{ ...web, actions: [seed] }] })
    const found = await getInstance(world)
    const as = { user: 'jane', groups: ['team-a', 'system:masters'] }
    const post = (body: object): Call => ({ method: 'POST', path: pathOf('AppTask'), body, as })
    const made = await hands.admin(post(madeUpTask(found)))
    expect([made.status, (made.body as { message: string }).message]).toEqual([
      403,
      expect.stringContaining(
        "an AppTask of type 'Create' is a record of the operator, which alone makes it; ask for an action instead: spec: {instance: ",
      ),
    ])
    const asked = await hands.admin(post(askedFor(found)))
    expect(asked.status).toBe(201)
    const { name } = (asked.body as Anything).metadata
    await end(name)
    const path = objectPath(typeOf('AppTask'), { namespace, name })
    const changed = await hands.admin({ method: 'PATCH', path, body: { spec: { action: { name: 'other' } } }, as })
    expect([changed.status, (changed.body as { message: string }).message]).toEqual([
      422,
      expect.stringContaining('make another one'),
    ])
    const forged = await hands.admin({ method: 'PATCH', path: `${path}/status`, body: { status: { job: null } }, as })
    expect(forged.status).toBe(403)
  }, 60_000)
})
