import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import process from 'node:process'
import { waitUntil } from '../cluster/kubeApi.ts'
import { applyShop, prepareShop, removeShop, shops, type Databases } from '../demo/shop.ts'
import { failOnLeaks, makeCanary } from '../support/canaries.ts'
import { leadingOperator, leaksOf, readLogs, rememberTokens } from './operatorPods.ts'
import {
  conditionOf,
  hastyToLeave,
  killProcessOf,
  podsOf,
  project,
  startClient,
  startNodeWorld,
  untilInstance,
  type Instance,
  type NodeWorld,
} from './world.ts'

/** One story on one cluster, in order: each test goes on where the last one ended. */

let world: NodeWorld
let databases: Databases
const prod = 'shop-prod'

const isRunning = ({ status }: Instance): boolean => status.phase === 'Running'
const isRelease =
  (number: number) =>
  (instance: Instance): boolean =>
    isRunning(instance) && instance.status.currentRelease?.number === number

const patchProd = (spec: object): Promise<string> =>
  world.kubectl.text('-n', project, 'patch', 'appinstance', prod, '--type=merge', '-p', JSON.stringify({ spec }))

async function urlOf(shop: string): Promise<string> {
  const address = await world.kubectl.text('-n', shop, 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')
  return `http://${address}:8080`
}

async function ask(url: string, method = 'GET'): Promise<string> {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(10_000) })
  return `${response.status} ${(await response.text()).trim()}`
}

/** A node hears up to a second late of who serves; until then one that drains may answer. */
async function untilAnswer(shop: string, part: string): Promise<void> {
  const url = await urlOf(shop)
  await waitUntil(`${shop} answers '${part}'`, 30, async () => (await ask(url)).includes(part))
}

/** How often the schema was brought up to date, and when last. */
async function migrations(shop: (typeof shops)[number]): Promise<{ readonly count: number; readonly last: Date }> {
  const [row] = await databases.server.rows(databases.of[shop], 'select count(*)::int, max(at) as last from migrations')
  return row as { count: number; last: Date }
}

/** The pods of a service that were started before a time, as the kubelet says. */
async function startedBefore(shop: string, time: Date): Promise<readonly string[]> {
  const fields = '{range .items[*]}{.metadata.name} {.status.containerStatuses[0].state.running.startedAt}{"\\n"}{end}'
  const text = await world.kubectl.text(
    '-n',
    shop,
    'get',
    'pods',
    '-l',
    'appstead.dev/service',
    '-o',
    `jsonpath=${fields}`,
  )
  const pods = text
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
  // The kubelet tells whole seconds.
  return pods
    .filter(([, at = '']) => at !== '' && new Date(at).getTime() + 1000 < time.getTime())
    .map(([name = '']) => name)
}

beforeAll(async () => {
  world = await startNodeWorld()
  const ground = {
    ...world,
    project,
    report: (line: string) => void process.stderr.write(`${line}\n`),
    makePassword: makeCanary,
  }
  await removeShop(ground)
  databases = await prepareShop(ground)
}, 600_000)

afterAll(async () => {
  if (world === undefined) return
  await rememberTokens(world)
  const leaks = await leaksOf(world, await readLogs(world, 'now'))
  await removeShop({ ...world, project })
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
  failOnLeaks(leaks)
}, 300_000)

describe('shop on a real node', () => {
  it('runs in prod, staging and dev, on two revisions of its stack, each with a database of its own', async () => {
    await applyShop({ ...world, project }, 'shop.yaml')
    await untilInstance(world, prod, isRunning, 180)
    await applyShop({ ...world, project }, 'shop-1.1.yaml')
    const others = await Promise.all(
      ['shop-staging', 'shop-dev'].map((name) => untilInstance(world, name, isRunning, 180)),
    )
    process.stderr.write(await world.kubectl.text('-n', project, 'get', 'appinstances'))
    expect(others.map(({ status }) => status.counts?.summary)).toEqual(['2/2', '2/2'])
    const columns = await world.kubectl.text('-n', project, 'get', 'appinstances', '--no-headers')
    const revisions = columns
      .trim()
      .split('\n')
      .map((line) => [line.split(/ +/)[0], /shop-1\.\d/.exec(line)?.[0]])
    expect(Object.fromEntries(revisions)).toEqual({
      'shop-prod': 'shop-1.0',
      'shop-staging': 'shop-1.1',
      'shop-dev': 'shop-1.1',
    })
    // Nothing is wrong with it, and what to do to have what the others have is told.
    const outdated = conditionOf(await untilInstance(world, prod, isRunning), 'Ready').message
    process.stderr.write(`${prod}: ${outdated}\n`)
    const pin = `kubectl patch appinstance ${prod} -n ${project} --type=merge -p '{"spec":{"stack":{"revision":"shop-1.1"}}}'`
    expect(outdated).toContain(`The stack is at revision shop-1.1; to move to it: ${pin}`)
    for (const shop of shops) {
      const { count, last } = await migrations(shop)
      expect(count).toBe(1)
      expect(await startedBefore(shop, last)).toEqual([])
    }
  }, 420_000)

  it('reads and writes its database, and the worker leaves the receipt on the volume that both mount', async () => {
    const urls = await Promise.all(shops.map(urlOf))
    const pages = await Promise.all(urls.map((url) => ask(url)))
    expect(pages[0]).toMatch(/^200 Welcome to shop-prod: 0 orders, 1 visits; version 1, on web-/)
    expect(pages[1]).toMatch(/^200 Welcome back to shop-staging: 0 orders, 1 visits; version 1, on web-/)
    expect(pages[2]).toMatch(/^200 Welcome back to shop-dev: 0 orders, 1 visits; version 2, on web-/)
    const [url] = urls
    expect(await ask(`${url}/orders?item=lamp`, 'POST')).toBe('200 1')
    await waitUntil(
      'the order is packed',
      30,
      async () => (await ask(`${url}/orders/1`)) === '200 packed: one lamp, packed',
    )
    expect(await databases.server.rows(databases.of[prod], 'select item, state from orders')).toEqual([
      { item: 'lamp', state: 'packed' },
    ])
    expect(await ask(url ?? '')).toContain('1 orders, 2 visits')
  }, 60_000)

  it('runs an action once when an AppTask asks for it', async () => {
    const { kubectl } = world
    const created = await kubectl.text('-n', project, 'create', '-f', 'examples/shop/seed.yaml')
    const [, task = ''] = /^(apptask\S+) created/.exec(created) ?? []
    await kubectl.text('-n', project, 'wait', '--for=condition=Succeeded', task, '--timeout=60s')
    for (const command of [
      ['get', 'apptasks', '-o', 'wide'],
      ['describe', task],
    ])
      process.stderr.write(await kubectl.text('-n', project, ...command))
    expect(await databases.server.rows(databases.of['shop-dev'], 'select item from orders order by id')).toEqual([
      { item: 'chair' },
      { item: 'table' },
    ])
    expect(await kubectl.text('-n', 'shop-dev', 'logs', '-l', 'appstead.dev/action=web.seed')).toContain(
      'two orders are there',
    )
  }, 120_000)

  it('loses none of 10,000 requests in roll-outs of an image, of a variable, and of a revision, with the operator killed in the middle', async () => {
    const url = await urlOf(prod)
    const clients = await Promise.all(
      (['keep-alive', 'fresh'] as const).map((how) => startClient(world, how, `${url}/`, 5000, { goesOn: true })),
    )
    await patchProd({ image: world.images.shop('2') })
    await untilInstance(world, prod, isRelease(2), 180)
    await patchProd({ variables: [{ name: 'GREETING', value: 'Hello' }, hastyToLeave] })
    await waitUntil('its replicas are being replaced', 60, async () => {
      return (await podsOf(world, prod, 'appstead.dev/service=web')).length > 2
    })
    killProcessOf(await leadingOperator(world))
    await untilInstance(world, prod, isRelease(3), 180)
    await patchProd({ stack: { revision: 'shop-1.1' }, variables: [] })
    // Neither service was changed yet, which the next operator does when the migration is done.
    await waitUntil('its migration is under way', 60, async () =>
      (await world.kubectl.text('-n', prod, 'get', 'jobs', '-o', 'name')).includes('/web-migrate-r4-'),
    )
    killProcessOf(await leadingOperator(world))
    await untilInstance(world, prod, isRelease(4), 180)
    // All three, from their beginning to their end, were under requests.
    await Promise.all(clients.map((client) => client.end()))
    await waitUntil('the clients are done', 240, async () =>
      (await Promise.all(clients.map((client) => client.isOver()))).every(Boolean),
    )
    const results = await Promise.all(clients.map((client) => client.result()))
    process.stderr.write(`${JSON.stringify(results)}\n`)
    expect(results.flatMap(({ lost }) => lost)).toEqual([])
    expect(Math.min(...results.map(({ answered }) => answered))).toBeGreaterThanOrEqual(5000)
    await untilAnswer(prod, '200 Welcome back to shop-prod')
    expect((await migrations(prod)).count).toBe(4)
    const [visits] = await databases.server.rows(databases.of[prod], 'select count::int from visits')
    expect(visits?.['count']).toBeGreaterThanOrEqual(10_000)
  }, 900_000)

  it('is restarted by one token, and deploys what waits by another', async () => {
    const { kubectl, images } = world
    const annotate = (shop: string, token: string): Promise<string> =>
      kubectl.text('-n', project, 'annotate', 'appinstance', shop, '--overwrite', `appstead.dev/${token}`)
    const pods = async (shop: string): Promise<readonly string[]> =>
      (await podsOf(world, shop, 'appstead.dev/service')).map(({ metadata }) => metadata.uid)
    const before = await pods('shop-dev')
    await annotate('shop-dev', 'restart=new certificates')
    const waits = { spec: { image: images.shop('2'), deploy: { trigger: 'Manual' } } }
    const patch = ['--type=merge', '-p', JSON.stringify(waits)]
    await kubectl.text('-n', project, 'patch', 'appinstance', 'shop-staging', ...patch)
    await untilInstance(world, 'shop-staging', ({ status }) => status.pendingSummary !== undefined)
    expect(await ask(await urlOf('shop-staging'))).toContain('version 1, on')
    await annotate('shop-staging', 'deploy=reviewed')
    await Promise.all(['shop-dev', 'shop-staging'].map((shop) => untilInstance(world, shop, isRelease(2), 180)))
    expect((await pods('shop-dev')).filter((uid) => before.includes(uid))).toEqual([])
    await untilAnswer('shop-staging', 'version 2, on')
  }, 240_000)

  it("says which key of the database's Secret is missing, and goes on serving", async () => {
    const { kubectl } = world
    await kubectl.text(
      '-n',
      project,
      'patch',
      'secret',
      `${prod}-pg`,
      '--type=json',
      '-p',
      '[{"op": "remove", "path": "/data/uri"}]',
    )
    const lacking = await untilInstance(world, prod, ({ status }) =>
      (status.services ?? []).some(({ name, reason }) => name === 'db' && reason === 'ReferenceKeyMissing'),
    )
    expect(lacking.status.phase).toBe('Degraded')
    const message = lacking.status.services?.find(({ name }) => name === 'db')?.message
    expect(message).toContain("Secret 'shop-prod-pg' has no key 'uri' (service 'db' given from outside)")
    expect(await ask(await urlOf(prod))).toContain('200 Welcome back to shop-prod')
  }, 60_000)
})
