import { describe, expect, it } from '@jest/globals'
import type { AppInstance, AppInstanceStatus } from '../../../operator/api/appInstance.ts'
import type { Attempt } from '../../../operator/api/appTask.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { appInstance } from '../../../operator/controllers/appInstance/controller.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { makeTask } from '../../../operator/render/task.ts'
import type { Ctx, Report, Writer } from '../../../operator/runtime/controller.ts'
import { ctxOf, decide, now, readerOf, withRevisions } from '../../render/world.ts'
import { objects } from './instance.ts'

/** What the API server makes of a write; throws what it answers otherwise. */
type Answer = (kind: string) => void

interface Given {
  readonly tasks?: readonly Attempt[]
  readonly more?: readonly KubeObject[]
  readonly instance?: object
  readonly workingSeconds?: number
  readonly answer?: Answer
}

interface Reconciled extends Report<AppInstanceStatus> {
  /** Kinds in the order in which they were written; a status as `Kind/status`. */
  readonly writes: readonly string[]
  readonly tasks: readonly Attempt[]
}

const secondsAgo = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString()

function instanceWith(more: object = {}): AppInstance {
  const { metadata = {}, spec = {} } = more as { metadata?: object; spec?: object }
  const { instance } = objects
  return {
    ...instance,
    metadata: { ...instance.metadata, ...metadata },
    spec: { ...instance.spec, creationDeadlineSeconds: 600, ...spec },
  } as unknown as AppInstance
}

/** A try that began so long ago, and failed if it is said. */
function taskOf(startedSecondsAgo: number, failed = '', attempt = 1): Attempt {
  const made = makeTask(instanceWith(), 'Create', undefined)
  const metadata = { ...made.metadata, uid: `task-${attempt}`, creationTimestamp: secondsAgo(startedSecondsAgo) }
  const condition = { type: 'Succeeded', status: 'False', reason: failed, message: 'why', lastTransitionTime: '' }
  const status = { observedGeneration: 1, instanceGeneration: 1, conditions: [condition] }
  return { ...made, metadata, spec: { ...made.spec, attempt }, ...(failed !== '' && { status }) } as Attempt
}

async function worldOf({ tasks = [], more = [], instance }: Given): Promise<readonly KubeObject[]> {
  const { system, project, env, app } = objects
  return withRevisions([system, project, env, app, instanceWith(instance), ...tasks, ...more])
}

/** One reconcile of the instance in such a world. */
async function reconcile(given: Given): Promise<Reconciled> {
  const writes: string[] = []
  const tasks: Attempt[] = []
  const reader = readerOf(await worldOf(given))
  const base = ctxOf(reader, () => undefined)
  const write = async (object: KubeObject, what = object.kind): Promise<KubeObject> => {
    writes.push(what)
    given.answer?.(what)
    if (object.kind === 'AppTask') tasks.push(object as Attempt)
    return object
  }
  const kube: Writer = {
    ...base.kube,
    create: (_type, object) => write(object),
    apply: (_type, object) => write(object),
    writeStatus: (_type, object, status) => write({ ...object, status } as KubeObject, `${object.kind}/status`),
    delete: (_type, { name }) => {
      writes.push(`delete ${name}`)
      return Promise.resolve()
    },
  }
  const ctx: Ctx = { ...base, kube, target: { cache: reader, kube }, workingSeconds: given.workingSeconds ?? 10_000 }
  const report = await appInstance.reconcile(ctx, instanceWith(given.instance))
  return { ...report, writes, tasks }
}

const refusing =
  (kind: string, error: Error = new KubeError('Forbidden', 'exceeded quota: small')): Answer =>
  (written) => {
    if (written === kind) throw error
  }

const nothing: Answer = (kind) => {
  throw new Error(`wrote ${kind}`)
}

const foreign = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'hello-dev', uid: 'theirs' } }
const deadlineExceeded = {
  phase: 'Errored',
  error: { reason: 'CreationDeadlineExceeded', failedStep: 'configuration' },
}

describe('a creation that something hinders', () => {
  const answer = refusing('ServiceAccount')

  it('is given up when its deadline has passed, and its Task keeps that', async () => {
    const { status, outcome, tasks } = await reconcile({ tasks: [taskOf(601)], answer })
    expect(outcome.kind).toBe('failed')
    expect(status).toMatchObject(deadlineExceeded)
    expect(tasks.at(-1)?.status?.conditions).toMatchObject([{ status: 'False', reason: 'CreationDeadlineExceeded' }])
    expect(tasks.at(-1)?.status?.steps).toMatchObject([
      { name: 'release', state: 'Succeeded' },
      { name: 'namespace', state: 'Succeeded' },
      { name: 'configuration', state: 'Failed', message: expect.stringContaining('exceeded quota: small') },
    ])
  })

  it.each([
    ['before the deadline', 590, 10_000, 10],
    ['when the operator was down for 20 minutes', 1200, 5, 30],
    ['when the clock was set back', -86_400, 10_000, 30],
  ])('goes on %s', async (_, startedSecondsAgo, workingSeconds, again) => {
    const { status, outcome } = await reconcile({ tasks: [taskOf(startedSecondsAgo)], workingSeconds, answer })
    expect(status?.error).toBeUndefined()
    expect(outcome).toMatchObject({ kind: 'progressing', reason: 'Forbidden', retryAfterSeconds: again })
  })

  it('counts for the operator that was down from when it works again', async () => {
    const { status } = await reconcile({ tasks: [taskOf(3000)], workingSeconds: 601, answer })
    expect(status).toMatchObject(deadlineExceeded)
  })

  it('begins anew without its Task, and with that of a predecessor alone', async () => {
    const theirs = taskOf(9000, 'CreationDeadlineExceeded')
    const { instance: name } = theirs.spec
    const ofOther = {
      ...theirs,
      spec: { ...theirs.spec, instance: name, instanceUid: theirs.spec.instanceUid.replace('3', '4') },
    }
    for (const tasks of [[], [ofOther]]) {
      const { status, writes } = await reconcile({ tasks, answer })
      expect(status?.error).toBeUndefined()
      expect(writes[0]).toBe('AppTask')
    }
  })

  it('by an API server that fails is given up at the deadline too, not before; that of a bug never', async () => {
    const failing = refusing('ServiceAccount', new KubeError('Unavailable', 'failed calling webhook "x"'))
    await expect(reconcile({ tasks: [taskOf(10)], answer: failing })).rejects.toThrow('failed calling webhook')
    const { status } = await reconcile({ tasks: [taskOf(601)], answer: failing })
    expect(status).toMatchObject({ phase: 'Errored', error: { message: expect.stringContaining('webhook "x"') } })
    const bug = refusing('ServiceAccount', new TypeError('a bug'))
    await expect(reconcile({ tasks: [taskOf(601)], answer: bug })).rejects.toThrow('a bug')
  })

  it('since the spec is at fault waits for another spec', async () => {
    const invalid = refusing('ServiceAccount', new KubeError('Invalid', 'spec.x: Invalid value'))
    const { status } = await reconcile({ tasks: [taskOf(9000)], answer: invalid })
    expect(status?.phase).toBe('Invalid')
  })
})

describe('an instance that is Errored', () => {
  const failed = taskOf(9000, 'CreationDeadlineExceeded')
  const spec = { image: 'registry.example/hello:2' }

  it('writes nothing, whatever is changed, and says what is blocked and what to do', async () => {
    const { status, writes } = await reconcile({
      tasks: [failed],
      instance: { metadata: { generation: 4 }, spec },
      more: [foreign],
      answer: nothing,
    })
    expect(writes).toEqual([])
    expect(status).toMatchObject({ phase: 'Errored', observedGeneration: 4 })
    const stalled = status?.conditions?.find(({ type }) => type === 'Stalled')
    expect(stalled?.message).toContain('Generation 4 is stored, not acted on.')
    expect(stalled?.message).toContain(
      'kubectl annotate appinstance hello-dev -n team --overwrite appstead.dev/retry=attempt-2',
    )
    expect(stalled?.message).toContain('kubectl delete appinstance hello-dev -n team')
  })

  it('begins another try when that is asked for, once', async () => {
    const annotations = { 'appstead.dev/retry': 'quota raised' }
    const { status, tasks, events } = await reconcile({
      tasks: [failed],
      instance: { metadata: { annotations }, spec },
    })
    expect(tasks[0]?.spec).toMatchObject({ attempt: 2, cause: 'quota raised', token: 'quota raised' })
    expect(tasks.at(-1)?.status?.conditions).toMatchObject([{ status: 'True', reason: 'Completed' }])
    expect(status?.error).toBeUndefined()
    expect(events?.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['Retrying', 'Recovered']))
    const second = { ...taskOf(10, 'CreationDeadlineExceeded', 2), spec: tasks[0]!.spec }
    const again = await reconcile({
      tasks: [failed, { ...second, metadata: { ...second.metadata, name: 'second' } }],
      instance: { metadata: { annotations } },
      answer: nothing,
    })
    expect(again.writes).toEqual([])
  })
})

it('of 20 tries and one more the oldest is forgotten', async () => {
  const tries = Array.from({ length: 20 }, (_, index) => {
    const attempt = index + 1
    const task = taskOf(9000 - attempt, 'CreationDeadlineExceeded', attempt)
    return { ...task, metadata: { ...task.metadata, name: `try-${attempt}` } }
  })
  const annotations = { 'appstead.dev/retry': 'again' }
  const { writes, tasks } = await reconcile({ tasks: tries, instance: { metadata: { annotations } } })
  expect(tasks[0]?.spec.attempt).toBe(21)
  expect(writes.filter((write) => write.startsWith('delete'))).toEqual(['delete try-1'])
})

describe('a namespace of somebody else', () => {
  it('is given up on at once', async () => {
    const { status, tasks, writes } = await reconcile({ more: [foreign] })
    expect(writes).toEqual(['AppTask', 'AppTask/status'])
    expect(tasks.at(-1)?.status?.conditions).toMatchObject([{ status: 'False', reason: 'NamespaceConflict' }])
    expect(status).toMatchObject({ phase: 'Errored', error: { reason: 'NamespaceConflict', failedStep: 'namespace' } })
  })

  it('is no failed creation of an instance that ran: it waits, and touches nothing', async () => {
    const release = decide(await worldOf({})).release!
    const succeeded = { type: 'Succeeded', status: 'True', reason: 'RolledOut', message: '', lastTransitionTime: '' }
    const good = { ...release, status: { observedGeneration: 1, conditions: [succeeded] } }
    const { status, writes } = await reconcile({ more: [foreign, good] })
    expect(writes).toEqual([])
    expect(status?.error).toBeUndefined()
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Reconciling', reason: 'NamespaceTaken' }),
    )
  })
})
