import type { ErroredSetting } from '../../../charts/policyTemplate.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { collectionPath, objectPath } from '../../../operator/kube/paths.ts'
import type { Admin, Call, Reply, Requester } from '../../support/apiserver.ts'
import { typeOf } from '../../support/hands.ts'
import { askedFor, madeUpRelease, madeUpTask } from './madeUpRecords.ts'
import { createRunning, getInstance, makeApp, makeInstance, removeInVain, untilErrored, type World } from './world.ts'

/** The column Errored of the table of operations, as it is tried on the API server. */

/** Who asks; all of them have every right, so that only the policies can be in the way. */
export const person: Requester = { user: 'jane', groups: ['team-a', 'system:masters'] }
const account: Requester = {
  user: 'system:serviceaccount:argocd:argocd-application-controller',
  groups: ['system:serviceaccounts', 'system:masters'],
}
export const requesters = { person, account }

export const dryRun = '?dryRun=All'

export const pathOf = (kind: string, namespace: string, name: string): string =>
  objectPath(typeOf(kind), { namespace, name })

/** What became of a request: its status, and what of the server's words matters here. */
export function said({ status, body, warnings }: Reply): string {
  const { message = '' } = body as { message?: string }
  const words = status > 299 ? message : warnings.join()
  const known = ['is Errored', 'may connect', 'record of the operator', 'protected from deletion', 'host assigned']
  return [status, ...known.filter((word) => words.includes(word))].join(' ')
}

/** Asks until the API server answers so: what policies go by takes a moment to reach it. */
async function until({ hands, operator }: World, what: string, call: Call, answer: string): Promise<void> {
  await operator.until(what, async () => said(await hands.admin(call)).startsWith(answer))
}

/** An instance whose namespace is somebody else's; resolves when the API server knows that it is locked. */
export async function makeErrored(world: World, spec: object = {}): Promise<void> {
  const { hands, operator, instance } = world
  await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: instance } })
  await hands.apply(makeApp(world))
  const { metadata, ...made } = makeInstance(world, spec) as KubeObject
  await hands.apply({ ...made, metadata: { ...metadata, annotations: { 'appstead.dev/retry': 'first' } } })
  await operator.settle()
  await untilErrored(world)
  await untilLocked(world)
}

/** An instance that cannot be removed; resolves, when the API server knows that it is locked, to what lets it go. */
export async function makeErroredOnItsWay(world: World): Promise<() => Promise<unknown>> {
  await createRunning(world, { spec: { deletionDeadlineSeconds: 5 } })
  const letGo = await removeInVain(world)
  await untilLocked(world)
  return letGo
}

async function untilLocked(world: World): Promise<void> {
  const path = pathOf('AppInstance', world.namespace, world.instance) + dryRun
  const change = { method: 'PATCH', path, body: { spec: { image: 'hello:9' } }, as: person } as const
  await until(world, 'the lock is in force', change, '403')
}

/** Names of a namespace with a pod whose connections are locked, as that of an instance that could not be created. */
async function makeLockedPod(world: World): Promise<{ readonly namespace: string; readonly pod: string }> {
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
  const exec: Call = { method: 'POST', path: `${pathOf('Pod', namespace, 'web')}/exec?command=ls&stdout=true` }
  await until(world, 'the label of the namespace is in force', { ...exec, as: person }, '403')
  return { namespace, pod: 'web' }
}

/** Requests by the title of an operation, then by the way in which it is tried. */
export type Rows = Readonly<Record<string, Readonly<Record<string, Call>>>>

/** How each row of the table of operations is tried on the Errored instance of the world; nothing is stored. */
export async function attempts(world: World): Promise<Rows> {
  const { namespace, instance } = world
  const locked = await makeLockedPod(world)
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

/** What each setting of policies.errored asks for: of people, and of service accounts. */
type Expected = Readonly<Record<ErroredSetting, readonly [person: string, account: string]>>

const always = (answer: string): Expected => unlessOff(answer, answer)

function unlessOff(answer: string, off: string): Expected {
  return { Default: [answer, answer], Deny: [answer, answer], Warn: [answer, answer], Off: [off, off] }
}

/** By the row or, where it differs, the way. */
const expected: Readonly<Record<string, Expected>> = {
  'change deployable configuration, services, stack revision': {
    Default: ['403 is Errored', '200 is Errored'],
    Deny: ['403 is Errored', '403 is Errored'],
    Warn: ['200 is Errored', '200 is Errored'],
    Off: ['200', '200'],
  },
  'new AppBuild, AppRelease, AppTask': always('403 record of the operator'),
  AppTask: unlessOff('403 is Errored', '201'),
  'AppTask with a made-up uid': unlessOff('403 is Errored', '201'),
  'AppTask of another type': always('403'),
  // The pod is on no node: who gets past the policies gets no further.
  'shell, live logs, pod queries': unlessOff('403 is Errored may connect', '400 host assigned'),
  'history, task logs, evidence, status, diff, render': always('200'),
  'labels, annotations, retry, deletionPolicy, deletionProtection, deadlines': always('200'),
  delete: always('200'),
}

/** What two policies refuse; the API server gives the reason of one of them, in no fixed order. */
const refusedTwice: readonly string[] = ['AppTask of another type']

/** What became of each request, `operation: way, who`. */
export async function answersTo(rows: Rows, admin: Admin): Promise<Readonly<Record<string, string>>> {
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

/** What is to become of each of them with this setting of policies.errored. */
export function expectedOf(rows: Rows, setting: ErroredSetting = 'Default'): Readonly<Record<string, string>> {
  const cells = Object.entries(rows).flatMap(([row, ways]) =>
    Object.keys(ways).flatMap((way) =>
      Object.keys(requesters).map((who, index) => [
        `${row}: ${way}, ${who}`,
        (expected[way] ?? expected[row])?.[setting][index] ?? '',
      ]),
    ),
  )
  return Object.fromEntries(cells) as Record<string, string>
}
