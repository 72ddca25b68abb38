import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { dump, loadAll } from 'js-yaml'
import { kustomizeSchema, type OpenApi } from '../../integrations/kustomize/schema.ts'
import { apiServer, demand, establishCrds, type ApiServer } from '../support/apiserver.ts'
import type { Anything } from '../support/hands.ts'

/** The files that teach kustomize our kinds, tried with the kustomize in kubectl. */

const shipped = fileURLToPath(new URL('../../integrations/kustomize/', import.meta.url))
const schemaFile = join(shipped, 'schema.json')
const folder = mkdtempSync(join(tmpdir(), 'appstead-kustomize-'))
let server: ApiServer

beforeAll(async () => {
  server = await apiServer()
  await establishCrds(server.admin)
}, 900_000)

afterAll(() => rmSync(folder, { recursive: true }))

const only = <T>(of: Readonly<Record<string, T>>, pattern: RegExp): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(of).filter(([name]) => pattern.test(name)))

/** Other tests bring kinds of their own. */
function withoutForeign({ definitions, paths }: OpenApi): OpenApi {
  const isOurs = /^(io\.k8s\.|dev\.appstead\.)/
  const isServed = /^\/(api|apis\/([^./]+|[^/]+\.k8s\.io|appstead\.dev))\//
  return { definitions: only(definitions, isOurs), paths: only(paths, isServed) }
}

/** `APPSTEAD_RECORD=yes` writes it anew. */
it('the schema is what the API server says of its types', async () => {
  const openApi = await demand<OpenApi>(server.admin, { path: '/openapi/v2' })
  const schema = kustomizeSchema(withoutForeign(openApi))
  if (process.env['APPSTEAD_RECORD'] === 'yes') writeFileSync(schemaFile, `${JSON.stringify(schema)}\n`)
  expect(schema).toEqual(JSON.parse(readFileSync(schemaFile, 'utf8')))
})

const base = `
apiVersion: appstead.dev/v1alpha1
kind: AppEnv
metadata: { name: test }
spec: { type: test }
---
apiVersion: appstead.dev/v1alpha1
kind: App
metadata: { name: shop }
spec: { stack: { name: shop } }
---
apiVersion: appstead.dev/v1alpha1
kind: AppStack
metadata: { name: shop }
spec:
  services:
    - name: web
      image: shop:1
      variables:
        - { name: COLOR, value: blue }
        - { name: DATABASE, valueFrom: { secretKeyRef: { name: database, key: url } } }
    - { name: jobs, type: Worker, from: web, command: [node, jobs.js] }
---
apiVersion: appstead.dev/v1alpha1
kind: AppInstance
metadata: { name: shop-test }
spec:
  app: shop
  env: test
  image: shop:1
  services: [{ name: jobs, replicas: 2 }, { name: web, variables: [{ name: COLOR, value: red }] }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: beside }
spec: { template: { spec: { containers: [{ name: one, image: one }, { name: two, image: two }] } } }
`

interface Named {
  readonly name: string
  readonly value?: string
}

interface Patch {
  readonly kind: string
  readonly name: string
  readonly spec: object
}

const patches: readonly Patch[] = [
  {
    kind: 'AppStack',
    name: 'shop',
    spec: { services: [{ name: 'web', variables: [{ name: 'COLOR', value: 'green' }] }] },
  },
  { kind: 'AppInstance', name: 'shop-test', spec: { services: [{ name: 'jobs', replicas: 3 }] } },
]

type Built = Readonly<Record<'AppEnv' | 'App' | 'AppStack' | 'AppInstance' | 'Deployment' | 'Secret', Anything>>

/** What kustomize makes of the base under an overlay, by kind. */
function build(overlay: object): Built {
  for (const each of ['base', 'overlay']) mkdirSync(join(folder, each), { recursive: true })
  writeFileSync(join(folder, 'base/objects.yaml'), base)
  const secret = { name: 'database', literals: ['url=x'], options: { labels: { 'appstead.dev/allow': 'true' } } }
  writeFileSync(
    join(folder, 'base/kustomization.yaml'),
    dump({ resources: ['objects.yaml'], secretGenerator: [secret] }),
  )
  for (const file of ['schema.json', 'names.yaml']) cpSync(join(shipped, file), join(folder, 'overlay', file))
  writeFileSync(join(folder, 'overlay/kustomization.yaml'), dump({ resources: ['../base'], ...overlay }))
  const built = execFileSync(server.cluster.kubectl, ['kustomize', join(folder, 'overlay')], { encoding: 'utf8' })
  return Object.fromEntries((loadAll(built) as Anything[]).map((object) => [object.kind, object])) as Built
}

const patch = ({ kind, name, spec }: Patch, apiVersion = 'appstead.dev/v1alpha1'): object => ({
  patch: dump({ apiVersion, kind, metadata: { name }, spec }),
})

describe('with the schema', () => {
  it('a patch of one service, or one variable, leaves the others', () => {
    const { AppStack, AppInstance } = build({
      openapi: { path: 'schema.json' },
      patches: patches.map((each) => patch(each)),
    })
    expect(AppStack.spec.services.map(({ name }: Named) => name)).toEqual(['web', 'jobs'])
    expect(AppStack.spec.services[0].variables.map(({ name, value }: Named) => [name, value])).toEqual([
      ['COLOR', 'green'],
      ['DATABASE', undefined],
    ])
    expect(AppInstance.spec.services).toEqual([
      { name: 'jobs', replicas: 3 },
      { name: 'web', variables: [{ name: 'COLOR', value: 'red' }] },
    ])
  })

  it("a patch of a Deployment beside them works as with kustomize's own schema", () => {
    const containers = [{ name: 'one', image: 'new' }]
    const patched = patch(
      { kind: 'Deployment', name: 'beside', spec: { template: { spec: { containers } } } },
      'apps/v1',
    )
    const { Deployment } = build({ openapi: { path: 'schema.json' }, patches: [patched] })
    expect(Deployment.spec.template.spec.containers).toEqual([
      { name: 'one', image: 'new' },
      { name: 'two', image: 'two' },
    ])
  })

  it('an AppEnv gets no namespace, and the others do', () => {
    const built = build({ openapi: { path: 'schema.json' }, namespace: 'team' })
    const namespaces = Object.entries(built).map(([kind, { metadata }]) => [kind, metadata.namespace])
    expect(Object.fromEntries(namespaces)).toEqual({
      AppEnv: undefined,
      App: 'team',
      AppStack: 'team',
      AppInstance: 'team',
      Deployment: 'team',
      Secret: 'team',
    })
  })

  it('is needed: without it a patch replaces the whole list', () => {
    const { AppStack } = build({ patches: patches.map((each) => patch(each)) })
    expect(AppStack.spec.services.map(({ name }: Named) => name)).toEqual(['web'])
  })
})

describe('with the names', () => {
  const configured = { configurations: ['names.yaml'] }

  it('a prefix, and the hash of a generated Secret, reach what refers to them', () => {
    const { App, AppEnv, AppStack, AppInstance, Secret } = build({ ...configured, namePrefix: 'acme-' })
    expect([App.spec.stack.name, AppInstance.spec.app, AppInstance.spec.env]).toEqual([
      AppStack.metadata.name,
      App.metadata.name,
      AppEnv.metadata.name,
    ])
    expect(AppInstance.metadata.name).toBe('acme-shop-test')
    expect(Secret.metadata.name).toMatch(/^acme-database-\w{10}$/)
    expect(AppStack.spec.services[0].variables[1].valueFrom.secretKeyRef.name).toBe(Secret.metadata.name)
  })

  it('images and replicas reach instances and stacks', () => {
    const { AppStack, AppInstance } = build({
      ...configured,
      images: [{ name: 'shop', newTag: '2' }],
      replicas: [{ name: 'shop-test', count: 4 }],
    })
    expect([AppStack.spec.services[0].image, AppInstance.spec.image, AppInstance.spec.replicas]).toEqual([
      'shop:2',
      'shop:2',
      4,
    ])
  })
})
