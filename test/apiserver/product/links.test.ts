import { describe, expect, it } from '@jest/globals'
import { auditMark, requestsOf } from '../../support/auditLog.ts'
import { makeCanary } from '../../support/canaries.ts'
import type { Anything } from '../../support/hands.ts'
import { rollOut } from '../../support/kubelet.ts'
import {
  conditionsOf,
  create,
  createRunning,
  getInstance,
  makeApp,
  makeSecret,
  messageOf,
  releasesOf,
  useWorld,
  web,
} from './world.ts'

const world = useWorld()

const linked = (name: string, service: string, key: string): object => ({
  name,
  valueFrom: { link: { service, key } },
})

/** A database elsewhere, and who has a link to it. */
const stack = [
  { name: 'db', type: 'PostgreSQL' },
  {
    ...web,
    main: true,
    links: [{ service: 'db', as: 'DATABASE' }],
    variables: [linked('PGHOST', 'db', 'host'), linked('PGPASS', 'db', 'pgpass')],
  },
  {
    name: 'jobs',
    type: 'Worker',
    from: 'web',
    links: [{ service: 'web', as: 'SHOP' }],
    variables: [linked('SHOP_AT', 'web', 'uri')],
  },
]
const given = [{ name: 'db', external: { secretName: 'pg-app' } }]

/** What CloudNativePG writes for an application, among it what few ask for. */
function binding(of: string): Record<string, string> {
  const password = makeCanary(`password ${of}`)
  return {
    username: 'shop',
    user: 'shop',
    password,
    dbname: 'shop',
    host: 'pg-rw',
    port: '5432',
    uri: `postgresql://shop:${password}@pg-rw.databases:5432/shop`,
    pgpass: makeCanary(`pgpass ${of}`),
  }
}

const putSecret = (texts: Record<string, string>) => world.hands.apply(makeSecret(world, 'pg-app', texts))

/** What a process of the service sees, as the kubelet would resolve it. */
async function environmentOf(service: string): Promise<Record<string, string>> {
  const { spec } = await world.hands.get('Deployment', { namespace: world.instance, name: service })
  const env: Anything[] = spec.template.spec.containers[0].env
  const pairs = env.map(async ({ name, value = '', valueFrom }) => {
    if (!valueFrom?.secretKeyRef) return [name, value]
    const secret = await world.hands.get('Secret', { namespace: world.instance, name: valueFrom.secretKeyRef.name })
    return [name, Buffer.from(secret['data'][valueFrom.secretKeyRef.key], 'base64').toString()]
  })
  return Object.fromEntries(await Promise.all(pairs)) as Record<string, string>
}

async function rowOf(service: string): Promise<Anything | undefined> {
  const { status } = await getInstance(world)
  return status.services?.find(({ name }: { name: string }) => name === service)
}

/** web, and then jobs, which depends on it. */
async function rollOutBoth(): Promise<void> {
  for (const _stage of ['web', 'jobs']) await rollOut(world.hands, world.operator, world.instance)
}

const patch = (spec: object): Promise<unknown> =>
  world.hands.patch('AppInstance', { namespace: world.namespace, name: world.instance }, { spec })

describe('a service that is given from outside', () => {
  it('is told to whom has a link to it, has no pods and counts nowhere; its Secret outlives the instance', async () => {
    const texts = binding('at first')
    await putSecret(texts)
    const mark = auditMark(world.cluster)
    await create(world, { stack, spec: { services: given } })
    await rollOutBoth()
    const told = {
      DATABASE_URL: texts['uri'],
      DATABASE_HOST: 'pg-rw',
      DATABASE_PORT: '5432',
      DATABASE_USER: 'shop',
      DATABASE_PASSWORD: texts['password'],
      DATABASE_NAME: 'shop',
    }
    expect(await environmentOf('web')).toMatchObject(told)
    const url = `http://web.${world.instance}.svc:8080`
    expect(await environmentOf('jobs')).toMatchObject({ ...told, SHOP_URL: url, SHOP_PORT: '8080' })
    const byTheirNames = { PGHOST: 'pg-rw', PGPASS: texts['pgpass'], SHOP_AT: url }
    expect(await environmentOf('jobs')).toMatchObject(byTheirNames)
    const { status } = await getInstance(world)
    expect(conditionsOf(await getInstance(world))).toMatchObject({ Accepted: 'True Accepted', Ready: 'True AllReady' })
    expect(status.counts).toMatchObject({ total: 2, summary: '2/2' })
    expect(await rowOf('db')).toEqual({
      name: 'db',
      type: 'PostgreSQL',
      ready: 0,
      desired: 0,
      external: 'Secret/pg-app',
    })
    const names = (await world.hands.list('Deployment', world.instance)).map(({ metadata }) => metadata.name)
    expect(names.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['jobs', 'web'])
    const copies = (await world.hands.list('Secret', world.instance)).filter((each) => each['immutable'] === true)
    expect(copies.map((each) => Object.keys(each['data']))).toEqual([
      ['dbname', 'host', 'password', 'pgpass', 'port', 'uri', 'username'],
    ])
    const reads = requestsOf(world.cluster, world.operatorUser, mark).filter(
      ({ verb, objectRef }) =>
        verb === 'get' && objectRef?.resource === 'secrets' && objectRef.namespace === world.namespace,
    )
    expect(reads).toHaveLength(1)

    const { namespace, instance: name } = world
    await world.hands.remove('AppInstance', { namespace, name })
    await world.operator.settle()
    expect((await world.hands.get('Secret', { namespace, name: 'pg-app' })).metadata.name).toBe('pg-app')
  }, 60_000)

  it('that changed waits for the next deployment, or makes one with onSecretChange', async () => {
    await putSecret(binding('before'))
    await createRunning(world, { stack, spec: { services: given } })
    const texts = binding('after')
    await putSecret(texts)
    await world.operator.settle()
    const { status } = await getInstance(world)
    const paths: string[] = status.pendingChanges.map(({ path }: { path: string }) => path)
    expect(paths).toEqual(
      ['web', 'jobs'].flatMap((service) =>
        ['DATABASE_PASSWORD', 'DATABASE_URL', 'PGPASS'].map((name) => `services[${service}].variables[${name}]`),
      ),
    )
    expect(await releasesOf(world)).toHaveLength(1)
    await patch({ deploy: { onSecretChange: 'Immediate' } })
    await world.operator.settle()
    await rollOut(world.hands, world.operator, world.instance)
    expect(await releasesOf(world)).toHaveLength(2)
    expect((await environmentOf('web'))['DATABASE_PASSWORD']).toBe(texts['password'])
  }, 60_000)

  it('is waited for while its Secret is missing or lacks keys, each named; nothing is created before', async () => {
    await create(world, { stack, spec: { services: given } })
    expect(conditionsOf(await getInstance(world))).toMatchObject({ Ready: 'Unknown ReferenceNotFound' })
    expect(await rowOf('db')).toMatchObject({ external: 'Secret/pg-app', reason: 'ReferenceNotFound' })
    const { uri: _uri, dbname: _dbname, ...less } = binding('with less')
    await putSecret(less)
    await world.operator.settle()
    const message =
      "Secret 'pg-app' has no key 'uri', 'database' or 'dbname' (service 'db' given from outside); it has: host, password, pgpass, port, user, username. Add them: kubectl edit secret pg-app"
    expect(conditionsOf(await getInstance(world))).toMatchObject({ Ready: 'Unknown ReferenceKeyMissing' })
    expect(messageOf(await getInstance(world), 'Ready')).toContain(message)
    expect((await rowOf('db'))?.['message']).toContain(message)
    expect(await releasesOf(world)).toEqual([])
    await putSecret({ ...less, database: 'other', uri: 'postgresql://elsewhere/other' })
    await world.operator.settle()
    await rollOutBoth()
    expect((await environmentOf('web'))['DATABASE_NAME']).toBe('other')
    expect(conditionsOf(await getInstance(world))).toMatchObject({ Ready: 'True AllReady' })
    // What runs goes on when a key goes, and the row says so.
    await putSecret(less)
    await world.operator.settle()
    const lacking = await getInstance(world)
    expect(lacking['status'].phase).toBe('Degraded')
    expect(conditionsOf(lacking)).toMatchObject({ Ready: 'False ReferenceKeyMissing', Available: 'True Serving' })
    expect((await rowOf('db'))?.['reason']).toBe('ReferenceKeyMissing')
  }, 60_000)

  it('is objected to when it is not said where it is, when it runs here, and when it is left out but has links', async () => {
    await create(world, { stack })
    const said = async (): Promise<string> => {
      await world.operator.settle()
      const found = await getInstance(world)
      return `${conditionsOf(found)['Accepted']}: ${messageOf(found, 'Accepted')}`
    }
    expect(await said()).toContain(
      `False ExternalMissing: Service 'db' is of type PostgreSQL, which is given from outside, but spec.services[db].external is not set`,
    )
    await patch({ services: [{ name: 'web', external: { secretName: 'pg-app' } }, ...given] })
    expect(await said()).toContain(
      "False ExternalNotPossible: spec.services[web].external.secretName is 'pg-app', but 'web' is of type Web and runs here; only services of type PostgreSQL are given from outside: remove it, or write it to 'db'",
    )
    await patch({ services: [{ name: 'dbs', external: { secretName: 'pg-app' } }, ...given] })
    expect(await said()).toContain('False ServiceNotFound: spec.services[dbs] is an override of no service')
    expect(await said()).toContain("did you mean 'db'")
    await patch({ services: [{ name: 'db', enabled: false }] })
    expect(await said()).toContain(
      "False ServiceDisabled: spec.services[db].enabled is false, but service 'web' needs 'db' (services[1].links[DATABASE] of the stack)",
    )
    expect(await releasesOf(world)).toEqual([])
  }, 60_000)
})

const asking = (key: string, of: string): object[] => [
  { name: 'db', type: 'PostgreSQL' },
  web,
  { name: 'jobs', type: 'Worker', image: 'jobs:1', variables: [linked('AT', of, key)] },
]

describe('a variable that asks by a link', () => {
  it('for what there is not is told what there is, of a service of ours and of the Secret of another', async () => {
    await putSecret(binding('asked'))
    await create(world, { stack: asking('hots', 'web'), spec: { services: given } })
    expect(messageOf(await getInstance(world), 'Accepted')).toBe(
      "services[jobs].variables[AT].valueFrom.link.key of the stack is 'hots', which 'web', a service of type Web, does not tell; did you mean 'host'?",
    )
    expect(conditionsOf(await getInstance(world))['Accepted']).toBe('False LinkKeyNotFound')
    await world.hands.apply(makeApp(world, asking('passwd', 'db')))
    await world.operator.settle()
    expect(conditionsOf(await getInstance(world))['Ready']).toBe('Unknown ReferenceKeyMissing')
    expect(messageOf(await getInstance(world), 'Ready')).toContain(
      "Secret 'pg-app' has no key 'passwd' (variable AT of service 'jobs', of 'db'); it has: dbname, host, password, pgpass, port",
    )
    await patch({ services: [{ name: 'db', enabled: false }] })
    await world.operator.settle()
    expect(messageOf(await getInstance(world), 'Accepted')).toContain(
      "service 'jobs' needs 'db' (services[2].variables[AT].valueFrom.link of the stack)",
    )
  }, 60_000)
})
