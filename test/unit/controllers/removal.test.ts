import { describe, expect, it } from '@jest/globals'
import type { AppInstance, AppInstanceStatus } from '../../../operator/api/appInstance.ts'
import type { Attempt } from '../../../operator/api/appTask.ts'
import { annotations } from '../../../operator/api/meta.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { cleanup } from '../../../operator/controllers/appInstance/cleanup.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { makeTask } from '../../../operator/render/task.ts'
import type { Ctx, Report, Writer } from '../../../operator/runtime/controller.ts'
import { ctxOf, now, readerOf, stored } from '../../render/world.ts'
import { objects } from './instance.ts'

const uid = objects.instance.metadata.uid
const secondsAgo = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString()

interface Given {
  /** Since when the instance and its namespace are being deleted. */
  readonly startedSecondsAgo?: number
  readonly workingSeconds?: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly tasks?: readonly Attempt[]
  /** The namespace of its name is somebody else's. */
  readonly isTaken?: boolean
  /** Nobody has asked for the namespace's removal yet. */
  readonly isStaying?: boolean
  /** The namespace is gone. */
  readonly isGone?: boolean
  /** The project is being removed, too. */
  readonly isProjectLeaving?: boolean
  /** What the API server answers to a write of this kind. */
  readonly refuses?: string
  /** How often it was tried before, a minute after each other. */
  readonly triesBefore?: number
}

interface Removed extends Report<AppInstanceStatus> {
  readonly writes: readonly string[]
  readonly tasks: readonly Attempt[]
}

function leaving(given: Given): AppInstance {
  const metadata = {
    ...objects.instance.metadata,
    deletionTimestamp: secondsAgo(given.startedSecondsAgo ?? 10),
    annotations: given.annotations ?? {},
  }
  return stored({ ...objects.instance, metadata }) as unknown as AppInstance
}

function namespaceOf(given: Given): KubeObject {
  const claim = { instanceUid: uid, projectUid: 'project', hubUid: 'hub' } as const
  if (given.isTaken) return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'hello-dev', uid: 'theirs' } }
  const recorded = Object.entries(claim).map(([key, value]) => [annotations[key as keyof typeof claim], value])
  const condition = { type: 'NamespaceFinalizersRemaining', status: 'True', reason: 'SomeFinalizersRemain' }
  const message = 'Some content in the namespace has finalizers remaining: test/slow in 1 resource instances'
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: 'hello-dev',
      uid: 'namespace',
      ...(!given.isStaying && { deletionTimestamp: secondsAgo(given.startedSecondsAgo ?? 10) }),
      annotations: Object.fromEntries(recorded),
    },
    status: { conditions: [{ ...condition, message }] },
  } as KubeObject
}

function taskOf(instance: AppInstance, startedSecondsAgo: number): Attempt {
  const made = makeTask(instance, 'Delete', undefined)
  return { ...made, metadata: { ...made.metadata, uid: 'task', creationTimestamp: secondsAgo(startedSecondsAgo) } }
}

async function remove(given: Given): Promise<Removed> {
  const instance = leaving(given)
  const writes: string[] = []
  const tasks: Attempt[] = []
  const crd = { apiVersion: 'v1', kind: 'CustomResourceDefinition', metadata: { name: 'appinstances.appstead.dev' } }
  const project = {
    ...objects.project,
    metadata: { ...objects.project.metadata, ...(given.isProjectLeaving && { deletionTimestamp: 'now' }) },
  }
  const held = [
    objects.system,
    objects.env,
    project,
    instance,
    ...(given.isGone ? [] : [namespaceOf(given)]),
    ...(given.tasks ?? []),
  ]
  const reader = readerOf(held)
  const base = ctxOf(reader, () => undefined)
  const write = async (object: KubeObject, what = object.kind): Promise<KubeObject> => {
    writes.push(what)
    if (given.refuses === what) throw new KubeError('Forbidden', `no ${what}`)
    if (object.kind === 'AppTask') tasks.push(object as Attempt)
    return object
  }
  const kube: Writer = {
    ...base.kube,
    create: (_type, object) => write(object),
    writeStatus: (_type, object, status) => write({ ...object, status } as KubeObject, `${object.kind}/status`),
    delete: async (type) => void (await write({ kind: type.kind } as KubeObject, `delete ${type.kind}`)),
    getLive: ({ kind }) =>
      Promise.resolve(
        kind === crd.kind ? crd : kind === 'AppInstance' ? instance : given.isGone ? undefined : namespaceOf(given),
      ),
  }
  const ctx: Ctx = { ...base, kube, target: { cache: reader, kube }, workingSeconds: given.workingSeconds ?? 10_000 }
  for (let left = given.triesBefore ?? 0; left > 0; left -= 1) {
    await cleanup({ ...ctx, now: new Date(now.getTime() - left * 60_000), workingSeconds: 0 }, instance)
  }
  return { ...(await cleanup(ctx, instance)), writes, tasks }
}

const conditionsIn = ({ status }: Removed): readonly string[] =>
  (status?.conditions ?? []).map(({ type, status: is, reason }) => `${type} ${is} ${reason}`)

describe('a namespace that does not go', () => {
  it('is Errored at the deadline: what is left, who holds it, how to force it; its Task keeps that', async () => {
    const removed = await remove({ startedSecondsAgo: 601, tasks: [taskOf(leaving({}), 601)] })
    expect(conditionsIn(removed)).toEqual([
      'Ready False CleanupDeadlineExceeded',
      'Available False NotServing',
      'Accepted True Accepted',
      'Deployed Unknown CleanupDeadlineExceeded',
      'Stalled True CleanupDeadlineExceeded',
      'OperationsBlocked True CleanupDeadlineExceeded',
    ])
    expect(removed.status?.phase).toBe('Errored')
    const { message = '' } = removed.status?.conditions?.find(({ type }) => type === 'Stalled') ?? {}
    expect(message).toContain('test/slow in 1 resource instances')
    expect(message).toContain(
      `kubectl annotate appinstance hello-dev -n team --overwrite appstead.dev/force-delete=${uid}`,
    )
    expect(removed.status?.error).toMatchObject({ class: 'Cleanup', task: expect.any(String), failedStep: 'namespace' })
    expect(removed.outcome).toMatchObject({ kind: 'failed', retryAfterSeconds: 300 })
    expect(removed.writes).toEqual(['AppTask/status'])
    expect(removed.events?.map(({ reason }) => reason)).toEqual(['CleanupDeadlineExceeded'])
  })

  it.each([
    ['before the deadline', 590, 10_000, 10],
    ['when the operator was down for 20 minutes', 1200, 5, 595],
  ])('is waited for %s', async (_, startedSecondsAgo, workingSeconds, retryAfterSeconds) => {
    const tasks = [taskOf(leaving({}), startedSecondsAgo)]
    const removed = await remove({ startedSecondsAgo, workingSeconds, tasks })
    expect(removed.status?.phase).toBe('Deleting')
    expect(removed.outcome).toMatchObject({ kind: 'progressing', retryAfterSeconds })
    expect(removed.writes).toEqual([])
  })

  it('that nobody may remove has its tries counted', async () => {
    const tasks = [taskOf(leaving({}), 601)]
    const refused = { isStaying: true, refuses: 'delete Namespace', triesBefore: 3 }
    const removed = await remove({ startedSecondsAgo: 601, tasks, ...refused })
    expect(removed.status?.phase).toBe('Errored')
    expect(removed.tasks.at(-1)?.status?.steps).toMatchObject([
      { name: 'contents', state: 'Succeeded', attempts: 1 },
      { name: 'namespace', state: 'Failed', attempts: 4 },
    ])
  })

  it('is Errored, and goes on, without a Task where none can be made', async () => {
    for (const hindered of [{ isProjectLeaving: true }, { refuses: 'AppTask' }]) {
      const removed = await remove({ startedSecondsAgo: 601, ...hindered })
      expect(removed.status?.phase).toBe('Errored')
      expect(removed.status?.error?.task).toBeUndefined()
      expect((await remove({ ...hindered, isGone: true })).outcome).toEqual({ kind: 'settled' })
    }
  })

  it('is tried again as asked for, in a Task of its own', async () => {
    const first = taskOf(leaving({}), 9000)
    const { tasks } = await remove({ startedSecondsAgo: 9000, tasks: [first] })
    const again = await remove({
      startedSecondsAgo: 9000,
      tasks: [tasks[0]!],
      annotations: { 'appstead.dev/retry': 'finalizer removed' },
    })
    expect(again.writes).toEqual(['AppTask'])
    expect(again.tasks[0]?.spec).toMatchObject({ attempt: 2, token: 'finalizer removed', type: 'Delete' })
  })
})

describe('appstead.dev/force-delete', () => {
  it('with the uid of the object lets it go, and says what it leaves', async () => {
    const removed = await remove({ annotations: { 'appstead.dev/force-delete': uid } })
    expect(removed.outcome).toEqual({ kind: 'settled' })
    expect(removed.writes).toEqual(['AppTask', 'delete Namespace', 'AppTask/status'])
    expect(removed.events).toMatchObject([{ reason: 'ForceDeleted', message: expect.stringContaining('test/slow') }])
    expect(removed.tasks.at(-1)?.status?.conditions).toMatchObject([{ status: 'False', reason: 'ForceDeleted' }])
  })

  it('lets it go too when the API server does not let the namespace be deleted', async () => {
    const forced = { 'appstead.dev/force-delete': uid }
    const removed = await remove({ annotations: forced, refuses: 'delete Namespace' })
    expect(removed.outcome).toEqual({ kind: 'settled' })
    expect(removed.events).toMatchObject([{ reason: 'ForceDeleted', message: expect.stringContaining('no delete') }])
  })

  it('with another value is refused, which an Event says', async () => {
    const removed = await remove({ annotations: { 'appstead.dev/force-delete': 'true' } })
    expect(removed.outcome.kind).toBe('progressing')
    expect(removed.events).toMatchObject([
      { reason: 'ForceDeleteRefused', message: expect.stringContaining(`=${uid}`) },
    ])
  })
})

it('a namespace that is gone lets the instance go, and the Task says it was done', async () => {
  const removed = await remove({ isGone: true, tasks: [taskOf(leaving({}), 5)] })
  expect(removed.outcome).toEqual({ kind: 'settled' })
  expect(removed.writes).toEqual(['AppTask/status'])
  expect(removed.tasks[0]?.status?.conditions).toMatchObject([{ status: 'True', reason: 'Completed' }])
})

it('a creation that was under way ends with the deletion, and its Task says so', async () => {
  const creation = makeTask(leaving({}), 'Create', undefined)
  const removed = await remove({ isGone: true, tasks: [taskOf(leaving({}), 5), creation] })
  expect(removed.writes).toEqual(['AppTask/status', 'AppTask/status'])
  const verdicts = removed.tasks.map(({ spec, status }) => [spec.type, status?.conditions?.[0]?.reason])
  expect(verdicts).toEqual([
    ['Create', 'InstanceDeleted'],
    ['Delete', 'Completed'],
  ])
})

it('a namespace of somebody else is not said to be gone', async () => {
  const removed = await remove({ isTaken: true, tasks: [taskOf(leaving({}), 5)] })
  expect(removed.outcome).toEqual({ kind: 'settled' })
  expect(removed.tasks[0]?.status?.conditions).toMatchObject([
    { status: 'True', message: expect.stringContaining("namespace 'hello-dev' is somebody else's and stays") },
  ])
})
