import { describe, expect, it } from '@jest/globals'
import { projectRoleName, type ProjectRole } from '../../../charts/projectRoles.ts'
import type { Call, Requester } from '../../support/apiserver.ts'
import { collectionPath, objectPath } from '../../../operator/kube/paths.ts'
import { typeOf } from '../../support/hands.ts'
import { childWrites, createRunning, getInstance, makeApp, useWorld } from './world.ts'

const world = useWorld()

const jane: Requester = { user: 'jane', groups: ['developers', 'system:authenticated'] }
const omar: Requester = { user: 'omar', groups: ['operations', 'system:authenticated'] }
const ci: Requester = {
  user: 'system:serviceaccount:tools:ci',
  groups: ['system:serviceaccounts', 'system:authenticated'],
}

/** What the App says of access, and no more. */
async function allow(...access: readonly object[]): Promise<void> {
  const app = makeApp(world) as { readonly spec: object }
  await world.hands.apply({ ...app, spec: { ...app.spec, ...(access.length > 0 && { access }) } })
  await world.operator.settle()
}

/** Those of the requests that the API server does not forbid to somebody. */
async function allowedOf(requests: Readonly<Record<string, Call>>, as: Requester): Promise<readonly string[]> {
  const allowed: string[] = []
  for (const [what, request] of Object.entries(requests)) {
    const { status } = await world.hands.admin({ ...request, as })
    if (status !== 403) allowed.push(what)
  }
  return allowed
}

/** Whether somebody may do this in the instance's namespace: what the API server answers to the very request. */
async function may(as: Requester): Promise<readonly string[]> {
  const { hands, instance: namespace } = world
  const [pod] = await hands.list('Pod', namespace)
  const of = (kind: string, name: string): string => objectPath(typeOf(kind), { namespace, name })
  const podPath = of('Pod', pod?.metadata.name ?? '')
  const requests = {
    look: { path: collectionPath(typeOf('Pod'), namespace) },
    log: { path: `${podPath}/log` },
    exec: { method: 'POST', path: `${podPath}/exec?command=ls&stdout=true` },
    end: { method: 'DELETE', path: `${podPath}?dryRun=All` },
    secrets: { path: collectionPath(typeOf('Secret'), namespace) },
    change: {
      method: 'PATCH',
      path: `${of('Service', 'web')}?dryRun=All`,
      body: { metadata: { annotations: { a: 'b' } } },
    },
  } as const
  return allowedOf(requests, as)
}

const viewing = ['look']
const editing = ['look', 'log', 'exec', 'end']
const all = ['look', 'log', 'exec', 'end', 'secrets', 'change']

describe('the access that an App gives', () => {
  it('holds at once in the namespaces of its instances, by role and environment, and ends at once', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    expect(await may(jane)).toEqual([])
    await allow(
      { subject: { kind: 'Group', name: 'developers' }, role: 'Viewer' },
      { subject: { kind: 'User', name: 'omar' }, role: 'Editor', envs: ['dev', 'staging'] },
      { subject: { kind: 'ServiceAccount', name: 'ci', namespace: 'tools' }, role: 'Admin', envs: ['dev'] },
    )
    await operator.until('it is in force', async () => (await may(ci)).length === all.length)
    expect([await may(jane), await may(omar), await may(ci)]).toEqual([viewing, editing, all])
    const names = ['appstead-viewer', 'appstead-editor', 'appstead-admin']
    expect(childWrites(world)).toEqual(names.map((name) => `apply RoleBinding ${name}`))
    expect((await getInstance(world))['status'].currentRelease.number).toBe(1)

    await allow(
      { subject: { kind: 'Group', name: 'developers' }, role: 'Editor', envs: ['dev'] },
      { subject: { kind: 'User', name: 'omar' }, role: 'Admin', envs: ['prod'] },
    )
    await operator.until('the rest has ended', async () => (await may(ci)).length === 0)
    expect([await may(jane), await may(omar)]).toEqual([editing, []])
    expect((await hands.list('RoleBinding', instance)).map(({ metadata }) => metadata.name)).toEqual([
      'appstead-editor',
    ])

    await allow()
    await operator.until('all has ended', async () => (await may(jane)).length === 0)
    expect(await hands.list('RoleBinding', instance)).toEqual([])
    expect((await world.hands.list('Event', world.namespace)).map((event) => event['reason'])).not.toContain(
      'DriftCorrected',
    )
  }, 60_000)

  it('that somebody widens by hand is put right', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    await allow({ subject: { kind: 'User', name: 'jane' }, role: 'Viewer' })
    const ref = { namespace: instance, name: 'appstead-viewer' }
    const { subjects } = await hands.get('RoleBinding', ref)
    const widened = [...subjects, { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }]
    await hands.patch('RoleBinding', ref, { subjects: widened })
    await operator.settle()
    expect((await hands.get('RoleBinding', ref))['subjects']).toEqual(subjects)
  }, 30_000)
})

/** Binds one of the chart's roles in the project. */
async function give(role: ProjectRole, to: Requester): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io'
  await world.hands.apply({
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { namespace: world.namespace, name: projectRoleName(role) },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: projectRoleName(role) },
    subjects: [{ apiGroup: rbac, kind: 'User', name: to.user }],
  })
}

/** What somebody may do with our kinds in the project. */
async function mayInProject(as: Requester): Promise<readonly string[]> {
  const { hands, namespace, instance } = world
  const path = objectPath(typeOf('AppInstance'), { namespace, name: instance })
  const [release] = await hands.list('AppRelease', namespace)
  const releasePath = objectPath(typeOf('AppRelease'), { namespace, name: release?.metadata.name ?? '' })
  const change = { method: 'PATCH', body: { metadata: { annotations: { a: 'b' } } } } as const
  const requests = {
    look: { path: collectionPath(typeOf('AppTask'), namespace) },
    change: { ...change, path: `${path}?dryRun=All` },
    scale: { ...change, path: `${path}/scale?dryRun=All`, body: { spec: { replicas: 2 } } },
    status: { ...change, path: `${path}/status?dryRun=All` },
    release: { ...change, path: `${releasePath}?dryRun=All` },
    secrets: { path: collectionPath(typeOf('Secret'), namespace) },
  } as const
  return allowedOf(requests, as)
}

describe("the chart's roles for a project", () => {
  it('let people look at our kinds, or change what people write; never a status or a record', async () => {
    await createRunning(world)
    await give('viewer', jane)
    await give('editor', omar)
    await world.operator.until('they are in force', async () => (await mayInProject(omar)).length > 1)
    expect([await mayInProject(jane), await mayInProject(omar), await mayInProject(ci)]).toEqual([
      ['look'],
      ['look', 'change', 'scale'],
      [],
    ])
  }, 60_000)
})
