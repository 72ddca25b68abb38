import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { kinds } from '../../operator/api/kinds.ts'
import {
  apiServer,
  demand,
  dropNamespace,
  establishCrds,
  makeNamespace,
  readCrds,
  type Admin,
} from '../support/apiserver.ts'
import { create, messageOf, pathOf, type Sent } from '../support/kindRequests.ts'

let admin: Admin
let namespace: string

beforeAll(async () => {
  admin = (await apiServer()).admin
  await establishCrds(admin)
  namespace = await makeNamespace(admin, 'crds')
}, 900_000)

afterAll(() => dropNamespace(admin, namespace))

const web = { name: 'web', ports: [{ port: 8080 }] }
const instance = (name: string): Sent => ({ kind: 'AppInstance', name, spec: { app: 'hello', env: 'dev' } })
const list = (selector: string) =>
  demand<{ items: readonly { metadata: { name: string } }[] }>(admin, {
    path: `${pathOf('AppInstance', namespace)}?fieldSelector=${encodeURIComponent(selector)}`,
  })
const tryOut = (sent: Sent) => create(admin, namespace, sent, { dryRun: true })
const make = (sent: Sent) => create(admin, namespace, sent, { dryRun: false })

describe('the CRDs on the API server', () => {
  it('are each Established, in the category appstead, without short names', async () => {
    const { resources } = await demand<{
      resources: readonly { name: string; shortNames?: string[]; categories?: string[] }[]
    }>(admin, { path: '/apis/appstead.dev/v1alpha1' })
    const served = resources.filter(({ name }) => !name.includes('/'))
    expect(served.map(({ name }) => name).toSorted()).toEqual(kinds.map(({ plural }) => plural).toSorted())
    for (const each of served) expect([each.categories, each.shortNames]).toEqual([['appstead'], undefined])
    expect((await readCrds()).length).toBe(kinds.length)
  })

  it('give a new object the status default, and the defaults of the schema', async () => {
    const reply = await tryOut({
      kind: 'App',
      name: 'defaults',
      spec: {
        stack: { services: [{ ...web, healthCheck: { path: '/' }, rollout: {}, generatedSecrets: [{ name: 'S' }] }] },
      },
    })
    expect(reply.body).toMatchObject({
      status: { observedGeneration: -1 },
      spec: {
        stack: {
          services: [
            {
              type: 'Web',
              ports: [{ name: 'http', port: 8080, protocol: 'HTTP' }],
              healthCheck: { timeoutSeconds: 5, startupSeconds: 120 },
              rollout: { progressDeadlineSeconds: 300, drainSeconds: 10, terminationGracePeriodSeconds: 30 },
              generatedSecrets: [{ length: 64 }],
            },
          ],
        },
      },
    })
    const made = await tryOut(instance('hello-defaults'))
    expect(made.body).toMatchObject({ spec: { replicas: 1 }, status: { observedGeneration: -1 } })
  })

  it('let kubectl scale read and set the replicas of an AppInstance, within 1 to 10', async () => {
    await make(instance('hello-scale'))
    const path = `${pathOf('AppInstance', namespace, 'hello-scale')}/scale`
    expect(await demand(admin, { path })).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 0 } })
    const scaled = await admin({ method: 'PATCH', path, body: { spec: { replicas: 3 } } })
    expect(scaled.body).toMatchObject({ spec: { replicas: 3 } })
    const refused = await admin({ method: 'PATCH', path, body: { spec: { replicas: 11 } } })
    expect(refused.status).toBe(422)
    expect(messageOf(refused)).toContain('spec.replicas: Invalid value: 11')
  })

  it('let AppInstances be selected by app, env and phase', async () => {
    await make(instance('hello-select'))
    const { items } = await list('spec.app=hello,spec.env=dev')
    expect(items.map(({ metadata }) => metadata.name)).toContain('hello-select')
    expect((await list('status.phase=Running')).items).toEqual([])
  })

  it.each([
    {
      kind: 'AppInstance',
      titles: ['Name', 'Env', 'Phase', 'Ready', 'Available', 'Replicas', 'Rev', 'Release', 'URL', 'Age'],
      wide: ['Image', 'Pending', 'Reason', 'Message'],
    },
    { kind: 'App', titles: ['Name', 'Stack', 'Revision', 'Instances', 'Ready', 'Age'], wide: ['Reason', 'Message'] },
    { kind: 'AppStack', titles: ['Name', 'Revision', 'Ready', 'Age'], wide: ['Reason', 'Message'] },
    { kind: 'AppStackRevision', titles: ['Name', 'Stack', 'Number', 'Age'], wide: ['Reason', 'Message'] },
    {
      kind: 'AppRelease',
      titles: ['Name', 'Instance', 'Number', 'Revision', 'Result', 'Reason', 'Age'],
      wide: ['From', 'Message', 'Cause'],
    },
    { kind: 'AppEnv', titles: ['Name', 'Type', 'Age'], wide: ['Reason', 'Message'] },
    {
      kind: 'AppTask',
      titles: ['Name', 'Instance', 'Type', 'Action', 'Result', 'Reason', 'Message', 'Age'],
      wide: ['Service', 'Attempt', 'Cause'],
    },
  ])('print the columns of $kind', async ({ kind, titles, wide }) => {
    interface Table {
      readonly columnDefinitions: readonly { name: string; priority: number }[]
    }
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const { columnDefinitions } = await demand<Table>(admin, { path: pathOf(kind, namespace), accept })
    const named = (priority: number) =>
      columnDefinitions.filter((each) => each.priority === priority).map(({ name }) => name)
    expect(named(0)).toEqual(titles)
    expect(named(1)).toEqual(wide)
  })
})
