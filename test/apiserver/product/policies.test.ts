import { describe, expect, it } from '@jest/globals'
import { kinds } from '../../../operator/api/kinds.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { isThere, operationList } from '../../../operator/api/operations.ts'
import { collectionPath, objectPath } from '../../../operator/kube/paths.ts'
import type { Admin, Call, Reply, Requester } from '../../support/apiserver.ts'
import { typeOf } from '../../support/hands.ts'
import { askedFor, madeUpRelease, madeUpTask } from './madeUpRecords.ts'
import { createRunning, getInstance, makeApp, makeInstance, useWorld } from './world.ts'

const world = useWorld()

/** Who asks; all of them have every right, so that only the policies can be in the way. */
const person: Requester = { user: 'jane', groups: ['team-a', 'system:masters'] }
const account: Requester = {
  user: 'system:serviceaccount:argocd:argocd-application-controller',
  groups: ['system:serviceaccounts', 'system:masters'],
}
const requesters = { person, account }

const pathOf = (kind: string, namespace: string, name: string): string => objectPath(typeOf(kind), { namespace, name })

/** What became of a request: its status, and what of the server's words matters here. */
function said({ status, body, warnings }: Reply): string {
  const { message = '' } = body as { message?: string }
  const words = status > 299 ? message : warnings.join()
  const known = ['is Errored', 'may connect', 'record of the operator', 'protected from deletion', 'host assigned']
  return [status, ...known.filter((word) => words.includes(word))].join(' ')
}

const dryRun = '?dryRun=All'

/** Asks until the API server answers so: what policies go by takes a moment to reach it. */
async function until(what: string, call: Call, answer: string): Promise<Reply> {
  let reply: Reply | undefined
  await world.operator.until(what, async () => {
    reply = await world.hands.admin(call)
    return said(reply).startsWith(answer)
  })
  return reply!
}

/** An instance whose namespace is somebody else's; resolves when the API server knows that it is locked. */
async function makeErrored(): Promise<void> {
  const { hands, operator, namespace, instance } = world
  await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: instance } })
  await hands.apply(makeApp(world))
  const { metadata, ...made } = makeInstance(world) as KubeObject
  await hands.apply({ ...made, metadata: { ...metadata, annotations: { 'appstead.dev/retry': 'first' } } })
  await operator.settle()
  expect((await getInstance(world))['status'].phase).toBe('Errored')
  const path = pathOf('AppInstance', namespace, instance) + dryRun
  const change = { method: 'PATCH', path, body: { spec: { image: 'hello:9' } }, as: person } as const
  await until('the lock is in force', change, '403')
}

/** Names of a namespace with a pod whose connections are locked, as that of an instance that could not be created. */
async function makeLockedPod(): Promise<{ readonly namespace: string; readonly pod: string }> {
  const { hands, operatorUser, namespace: project, instance } = world
  const namespace = `${instance}-pods`
  const labels = Object.entries({ instance: namespace, project, locked: 'QuotaExceeded' })
  await hands.as({ user: operatorUser }).apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: Object.fromEntries(labels.map(([key, of]) => [`appstead.dev/${key}`, of])) },
  })
  await hands.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } })
  await hands.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: 'web' },
    spec: { containers: [{ name: 'web', image: 'hello:1' }] },
  })
  return { namespace, pod: 'web' }
}

type Rows = Readonly<Record<string, Readonly<Record<string, Call>>>>

/** How each row of the table of operations is tried, by its title; nothing is stored. */
async function attempts(): Promise<Rows> {
  const { namespace, instance } = world
  const locked = await makeLockedPod()
  const path = pathOf('AppInstance', namespace, instance)
  const pod = pathOf('Pod', locked.namespace, locked.pod)
  const patch = (body: object, subresource = ''): Call => ({ method: 'PATCH', path: path + subresource + dryRun, body })
  const errored = await getInstance(world)
  const other = { ...errored, metadata: { ...errored.metadata, uid: crypto.randomUUID() } }
  const post = (kind: string, body: object): Call => ({
    method: 'POST',
    path: collectionPath(typeOf(kind), namespace) + dryRun,
    body,
  })
  const [token, noToken] = ['quota raised', null].map((retry) => ({ annotations: { 'appstead.dev/retry': retry } }))
  return {
    'change deployable configuration, services, stack revision': {
      'spec.image': patch({ spec: { image: 'hello:2' } }),
      'spec.stack': patch({ spec: { stack: { revision: 'shop-r2-abcdef' } } }),
      'spec.image, without the retry token': patch({ metadata: noToken, spec: { image: 'hello:2' } }),
      scale: patch({ spec: { replicas: 3 } }, '/scale'),
    },
    'new AppBuild, AppRelease, AppTask': {
      AppRelease: post('AppRelease', madeUpRelease(errored)),
      AppTask: post('AppTask', askedFor(errored)),
      'AppTask with a made-up uid': post('AppTask', askedFor(errored, 'seed', { instanceUid: crypto.randomUUID() })),
      'AppTask of another type': post('AppTask', madeUpTask(other)),
    },
    'shell, live logs, pod queries': {
      exec: { method: 'POST', path: `${pod}/exec?command=ls&stdout=true` },
      attach: { method: 'POST', path: `${pod}/attach?stdout=true` },
      portforward: { method: 'POST', path: `${pod}/portforward` },
    },
    'history, task logs, evidence, status, diff, render': { get: { path }, scale: { path: `${path}/scale` } },
    'labels, annotations, retry, deletionPolicy, deletionProtection, deadlines': {
      labels: patch({ metadata: { labels: { team: 'a' } } }),
      retry: patch({ metadata: token }),
      'retry with a change of the spec': patch({ metadata: token, spec: { image: 'hello:2' } }),
      deletionProtection: patch({ spec: { deletionProtection: true } }),
      deletionPolicy: patch({ spec: { deletionPolicy: 'Retain' } }),
      deadlines: patch({ spec: { creationDeadlineSeconds: 900, deletionDeadlineSeconds: 900 } }),
    },
    delete: { delete: { method: 'DELETE', path: path + dryRun } },
  }
}

/** What the column Errored asks for, by the row or, where it differs, the way: of people, and of service accounts. */
const expected: Readonly<Record<string, readonly [person: string, account: string]>> = {
  'change deployable configuration, services, stack revision': ['403 is Errored', '200 is Errored'],
  'new AppBuild, AppRelease, AppTask': ['403 record of the operator', '403 record of the operator'],
  AppTask: ['403 is Errored', '403 is Errored'],
  'AppTask with a made-up uid': ['403 is Errored', '403 is Errored'],
  'AppTask of another type': ['403', '403'],
  'shell, live logs, pod queries': ['403 is Errored may connect', '403 is Errored may connect'],
  'history, task logs, evidence, status, diff, render': ['200', '200'],
  'labels, annotations, retry, deletionPolicy, deletionProtection, deadlines': ['200', '200'],
  delete: ['200', '200'],
}

/** What two policies refuse; the API server gives the reason of one of them, in no fixed order. */
const refusedTwice: readonly string[] = ['AppTask of another type']

async function answersTo(rows: Rows, admin: Admin): Promise<Readonly<Record<string, string>>> {
  const answers: Record<string, string> = {}
  for (const [row, ways] of Object.entries(rows)) {
    for (const [way, call] of Object.entries(ways)) {
      for (const [who, as] of Object.entries(requesters)) {
        const answer = await admin({ ...call, as })
        answers[`${row}: ${way}, ${who}`] = refusedTwice.includes(way) ? String(answer.status) : said(answer)
      }
    }
  }
  return answers
}

function expectedOf(rows: Rows): Readonly<Record<string, string>> {
  const cells = Object.entries(rows).flatMap(([row, ways]) =>
    Object.keys(ways).flatMap((way) =>
      Object.keys(requesters).map((who, index) => [
        `${row}: ${way}, ${who}`,
        (expected[way] ?? expected[row])?.[index] ?? '',
      ]),
    ),
  )
  return Object.fromEntries(cells) as Record<string, string>
}

describe('every cell of the column Errored that can be tried today', () => {
  it('is answered as the table of operations says, with the operator at work and without', async () => {
    await makeErrored()
    const rows = await attempts()
    const exec = { ...rows['shell, live logs, pod queries']!['exec']!, as: person }
    await until('the label of the namespace is in force', exec, '403')
    const there = operationList.filter(([, { ways }]) => ways.length === 0 || ways.some((way) => isThere(way, kinds)))
    expect(Object.keys(rows).toSorted()).toEqual(there.map(([, { title }]) => title).toSorted())
    const { admin } = world.hands
    expect(await answersTo(rows, admin)).toEqual(expectedOf(rows))
    await world.whileDown(async () => {
      expect(await answersTo(rows, admin)).toEqual(expectedOf(rows))
    })
  }, 90_000)

  it('says object, cause and the next command, and is open again when the cause is gone', async () => {
    const { hands, operator, namespace, instance } = world
    await makeErrored()
    const path = pathOf('AppInstance', namespace, instance) + dryRun
    const change: Call = { method: 'PATCH', path, body: { spec: { image: 'hello:2' } }, as: person }
    const { body } = await hands.admin(change)
    const { message } = body as { message: string }
    expect(message).toContain(`AppInstance '${instance}' is Errored (Creation, NamespaceConflict since 20`)
    expect(message).toContain(`kubectl describe appinstance ${instance} -n ${namespace}`)
    expect(message).toContain(
      `kubectl annotate appinstance ${instance} -n ${namespace} --overwrite appstead.dev/retry=`,
    )
    expect(message).toContain(`kubectl delete appinstance ${instance} -n ${namespace}`)
    await hands.remove('AppInstance', { namespace, name: instance })
    await operator.until('it is gone', async () => {
      return (await hands.find('AppInstance', { namespace, name: instance })) === undefined
    })
    await hands.remove('Namespace', { namespace: '', name: instance })
    // One made anew under the name is not locked, whatever the lock still says.
    await hands.apply(makeInstance(world))
    expect(said(await hands.admin(change))).toBe('200')
  }, 60_000)
})

describe('without an error', () => {
  it('only a change of the number of replicas alone is warned of, also by kubectl scale', async () => {
    const { hands, namespace, instance } = world
    await createRunning(world)
    const path = pathOf('AppInstance', namespace, instance)
    const send = async (body: object, subresource = ''): Promise<readonly string[]> => {
      const reply = await hands.admin({ method: 'PATCH', path: path + subresource + dryRun, body, as: person })
      expect(reply.status).toBe(200)
      return reply.warnings
    }
    const scaled = await send({ spec: { replicas: 3 } }, '/scale')
    expect(scaled).toEqual([
      expect.stringContaining(`is Immediate, the change from 1 to 3 replicas takes effect with the next deployment`),
    ])
    const edited = await send({ spec: { replicas: 3 } })
    expect(edited).toEqual([expect.stringContaining('spec.replicas from 1 to 3 takes effect with the next deployment')])
    expect(await send({ spec: { replicas: 3, image: 'hello:2' } })).toEqual([])
    expect(await send({ spec: { image: 'hello:2' } })).toEqual([])
    expect(await send({ spec: { replicas: 1 } }, '/scale')).toEqual([])
  }, 60_000)

  it('a protected instance is not deleted, nor is its project, until the protection is lifted', async () => {
    const { hands, operator, namespace, instance } = world
    await createRunning(world, { spec: { deletionProtection: true } })
    const { blocked } = (await getInstance(world))['status']
    expect(blocked).toEqual([expect.objectContaining({ operation: 'Delete', reason: 'Protected' })])
    const call: Call = { method: 'DELETE', path: pathOf('AppInstance', namespace, instance), as: person }
    const { body, status } = await hands.admin(call)
    expect(status).toBe(403)
    const command = `kubectl patch appinstance ${instance} -n ${namespace} --type=merge -p '{"spec":{"deletionProtection":false}}'`
    expect((body as { message: string }).message).toContain(command)
    await hands.remove('Namespace', { namespace: '', name: namespace })
    await operator.until('the project says what holds it up', async () => {
      const { conditions = [] } = (await hands.get('Namespace', { namespace: '', name: namespace }))['status']
      return JSON.stringify(conditions).includes('is protected from deletion')
    })
    expect((await getInstance(world)).metadata.deletionTimestamp).toBeUndefined()
    await hands.patch('AppInstance', { namespace, name: instance }, { spec: { deletionProtection: false } })
    await hands.remove('AppInstance', { namespace, name: instance })
    await operator.until('it is gone with all it had', async () => {
      return (await hands.find('Namespace', { namespace: '', name: instance })) === undefined
    })
  }, 90_000)
})

/** A mark of ours as a label or an annotation. */
const marked = (field: string) => ({ metadata: { [field]: { 'appstead.dev/instance': 'mine' } } })

describe('the fences', () => {
  it('keep everybody but the operator off its records and its marks on namespaces', async () => {
    const { hands, namespace, instance } = world
    await createRunning(world)
    const admin: Admin = (call) => hands.admin({ ...call, as: person })
    const patch = (path: string, body: object): Promise<Reply> => admin({ method: 'PATCH', path: path + dryRun, body })
    const own = pathOf('Namespace', '', instance)
    const answers = [
      await patch(own, marked('labels')),
      await patch(own, { metadata: { annotations: { 'appstead.dev/instance-uid': null } } }),
      await patch(pathOf('Namespace', '', namespace), marked('annotations')),
      await patch(`${own}/status`, marked('labels')),
      await admin({
        method: 'POST',
        path: `/api/v1/namespaces${dryRun}`,
        body: {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: `${instance}-x`, ...marked('labels').metadata },
        },
      }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403])
    expect((await patch(own, { metadata: { labels: { team: 'a' }, annotations: { note: 'b' } } })).status).toBe(200)
    const [release] = await hands.list('AppRelease', namespace)
    const record = pathOf('AppRelease', namespace, release!.metadata.name)
    expect(said(await admin({ method: 'DELETE', path: record + dryRun }))).toBe('403 record of the operator')
    expect(said(await patch(record, { metadata: { labels: { a: 'b' } } }))).toBe('403 record of the operator')
    const lock = {
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'AppLock',
      metadata: { namespace, name: 'locks' },
      spec: { locked: [] },
    }
    expect(said(await hands.as(person).tryApply(lock))).toBe('403 record of the operator')
  }, 60_000)

  it('keep the operator in its own group and namespace and in those of instances', async () => {
    const { hands, namespace, instance, operatorUser } = world
    await createRunning(world)
    // Whatever rights it is given.
    const operator = { user: operatorUser, groups: ['system:serviceaccounts', 'system:masters'] }
    const post = (path: string, kind: string, metadata: object): Promise<Reply> =>
      hands.admin({ method: 'POST', path: path + dryRun, body: { apiVersion: 'v1', kind, metadata }, as: operator })
    const configMap = (at: string): Promise<Reply> =>
      post(`/api/v1/namespaces/${at}/configmaps`, 'ConfigMap', { name: 'probe' })
    const answers = {
      'in its own namespace': await configMap('appstead-system'),
      'in that of an instance': await configMap(instance),
      'in a project': await configMap(namespace),
      'in kube-system': await configMap('kube-system'),
      'a namespace with its marker': await post('/api/v1/namespaces', 'Namespace', {
        name: `${instance}-y`,
        labels: { 'appstead.dev/instance': `${instance}-y` },
      }),
      'a namespace without': await post('/api/v1/namespaces', 'Namespace', { name: `${instance}-y` }),
      'the removal of a namespace that is not its own': await hands.admin({
        method: 'DELETE',
        path: pathOf('Namespace', '', namespace) + dryRun,
        as: operator,
      }),
      'a role of the cluster': await hands.admin({
        method: 'DELETE',
        path: pathOf('ClusterRole', '', 'appstead') + dryRun,
        as: operator,
      }),
    }
    expect(Object.fromEntries(Object.entries(answers).map(([what, { status }]) => [what, status]))).toEqual({
      'in its own namespace': 201,
      'in that of an instance': 201,
      'in a project': 403,
      'in kube-system': 403,
      'a namespace with its marker': 201,
      'a namespace without': 403,
      'the removal of a namespace that is not its own': 403,
      'a role of the cluster': 403,
    })
    expect(JSON.stringify(answers['in a project'].body)).toContain("no instance's (label appstead.dev/instance)")
  }, 60_000)
})
