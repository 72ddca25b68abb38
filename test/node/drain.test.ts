import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import process from 'node:process'
import { addNode, removeNode } from '../cluster/cluster.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { applyShop, prepareShop, removeShop } from '../demo/shop.ts'
import { failOnLeaks, makeCanary } from '../support/canaries.ts'
import { leadingOperator, leaksOf, operatorNamespace, readLogs, rememberTokens } from './operatorPods.ts'
import {
  conditionOf,
  follow,
  followPhases,
  hastyToLeave,
  project,
  startClient,
  startNodeWorld,
  untilInstance,
  type Client,
  type Followed,
  type Instance,
  type NodeWorld,
} from './world.ts'

/** One story on one cluster with two nodes, in order: each test goes on where the last one ended. */

let world: NodeWorld
let clients: readonly Client[] = []
let phases: Followed
let ready: Followed
const prod = 'shop-prod'
/** Of each client, and for as long as the story goes. */
const requests = 5000

const isRunning = ({ status }: Instance): boolean => status.phase === 'Running'
const say = (text: string): void => void process.stderr.write(`${text.trim()}\n`)

/** The nodes of a namespace's living pods, one for each, of one service if it is named. */
async function nodesOf(namespace: string, selector = ''): Promise<readonly string[]> {
  const { items } = await world.kubectl.json<{
    items: readonly { metadata: { deletionTimestamp?: string }; spec: { nodeName?: string } }[]
  }>('-n', namespace, 'get', 'pods', ...(selector === '' ? [] : ['-l', selector]))
  const living = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  return living.map(({ spec }) => spec.nodeName ?? 'none').toSorted()
}
const webNodes = (): Promise<readonly string[]> => nodesOf(prod, 'appstead.dev/service=web')

/** `kubectl drain`, but for the clients. */
const drain = (node: string): Promise<string> =>
  world.kubectl.text('drain', node, '--delete-emptydir-data', '--pod-selector=app!=client', '--timeout=120s')

beforeAll(async () => {
  world = await startNodeWorld()
  const ground = { ...world, project, report: say, makePassword: makeCanary }
  await removeShop(ground)
  await Promise.all([addNode({ name: world.cluster.name }), prepareShop(ground)])
}, 600_000)

afterAll(async () => {
  if (world === undefined) return
  phases?.stop()
  ready?.stop()
  await rememberTokens(world)
  const leaks = await leaksOf(world, await readLogs(world, 'now'))
  await removeShop({ ...world, project })
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
  await removeNode({ name: world.cluster.name })
  failOnLeaks(leaks)
}, 300_000)

describe('shop on two nodes', () => {
  it('spreads the replicas of a service over both', async () => {
    await applyShop({ ...world, project }, 'shop.yaml')
    await untilInstance(world, prod, isRunning, 180)
    expect(await webNodes()).toEqual(['node-1', 'node-2'])
  }, 240_000)

  it('rolls out a new image while one node is drained, and the leading operator on it', async () => {
    const { kubectl, images } = world
    await kubectl.text('cordon', 'node-1')
    const address = await kubectl.text('-n', prod, 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')
    phases = followPhases(world, prod)
    ready = follow(world, ['-n', prod, 'deployment', 'web'], '{.status.readyReplicas}')
    const url = `http://${address}:8080/`
    clients = await Promise.all(
      (['keep-alive', 'fresh'] as const).map((how) =>
        startClient(world, how, url, requests, { pauseMilliseconds: 4, goesOn: true }),
      ),
    )
    const before = (await leadingOperator(world)).metadata.name
    // Whoever leaves after that leaves on the second node, which is drained next.
    const patch = JSON.stringify({ spec: { image: images.shop('2'), variables: [hastyToLeave] } })
    await kubectl.text('-n', project, 'patch', 'appinstance', prod, '--type=merge', '-p', patch)
    await waitUntil('the roll-out is under way', 60, async () => (await webNodes()).length > 2)
    say(await drain('node-1'))
    const after = await untilInstance(world, prod, isRunning, 180)
    expect(after.status).toMatchObject({ counts: { summary: '3/3' }, currentRelease: { number: 2 } })
    expect(await webNodes()).toEqual(['node-2', 'node-2'])
    expect((await leadingOperator(world)).metadata.name).not.toBe(before)
  }, 300_000)

  it('says what its replicas wait for when no node takes them; one serves until another one does', async () => {
    const { kubectl } = world
    const drained = drain('node-2')
    const waiting = await untilInstance(world, prod, ({ status }) => status.counts?.summary === '1/3', 60)
    say(await kubectl.text('-n', project, 'get', 'appinstances', '-o', 'wide'))
    say(`${conditionOf(waiting, 'Ready').state}: ${conditionOf(waiting, 'Ready').message}`)
    expect(waiting.status.phase).toBe('Degraded')
    expect(conditionOf(waiting, 'Available').state).toBe('True Serving')
    expect(await webNodes()).toEqual(['node-2', 'none'])
    await kubectl.text('uncordon', 'node-1')
    say(await drained)
    await kubectl.text('uncordon', 'node-2')
    const back = await untilInstance(world, prod, isRunning, 120)
    expect(back.status).toMatchObject({ counts: { summary: '3/3' }, currentRelease: { number: 2 } })
    expect(await nodesOf(prod)).toEqual(['node-1', 'node-1', 'node-1'])
    expect(await nodesOf(operatorNamespace)).toEqual(['node-1', 'node-1'])
  }, 300_000)

  it('lost none of 10,000 requests and more meanwhile, always had a replica, and never said that it runs when it lacked one', async () => {
    await Promise.all(clients.map((client) => client.end()))
    await waitUntil('the clients are done', 240, async () =>
      (await Promise.all(clients.map((client) => client.isOver()))).every(Boolean),
    )
    const results = await Promise.all(clients.map((client) => client.result()))
    say(JSON.stringify(results))
    say(`ready: ${ready.values.join()}; phases: ${phases.values.join(', ')}`)
    expect(results.flatMap(({ lost }) => lost)).toEqual([])
    expect(Math.min(...results.map(({ answered }) => answered))).toBeGreaterThanOrEqual(requests)
    expect(Math.min(...ready.values.map(Number))).toBeGreaterThan(0)
    expect(new Set(phases.values.filter((value) => value.startsWith('Running')))).toEqual(new Set(['Running 3/3']))
  }, 300_000)
})

const isWhole = (each: Instance): boolean => isRunning(each) && each.status.counts?.summary === '2/2'

describe('replicas that share a volume that one node mounts', () => {
  const name = 'pair-dev'
  const volume = 'test-pair'
  const declared = (): object[] => [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volume },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: volume,
        persistentVolumeReclaimPolicy: 'Retain',
        // Either node would do.
        hostPath: { path: '/run/test-pair', type: 'DirectoryOrCreate' },
      },
    },
    {
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'App',
      metadata: { name: 'pair' },
      spec: {
        stack: {
          services: [
            {
              name: 'jobs',
              type: 'Worker',
              command: ['node', '--eval', "setInterval(() => {}, 1e6); process.on('SIGTERM', () => process.exit())"],
              volumes: [{ name: 'data', path: '/data', size: '1Gi', storageClassName: volume }],
            },
          ],
        },
      },
    },
    {
      apiVersion: 'appstead.dev/v1alpha1',
      kind: 'AppInstance',
      metadata: { name },
      spec: { app: 'pair', env: 'dev', image: world.images.hello('1'), replicas: 2 },
    },
  ]
  const removeVolume = (): Promise<unknown> =>
    world.kubectl.ask('delete', 'pv', volume, '--ignore-not-found', '--wait=false')
  beforeAll(removeVolume)
  afterAll(removeVolume)

  it('run on the same one, and leave it together when it is drained', async () => {
    await world.kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: declared() }), project)
    await untilInstance(world, name, isWhole, 60)
    const [node, ...others] = await nodesOf(name)
    expect(others).toEqual([node])
    say(await drain(node!))
    await untilInstance(world, name, isWhole, 60)
    const moved = node === 'node-1' ? 'node-2' : 'node-1'
    expect(await nodesOf(name)).toEqual([moved, moved])
    await world.kubectl.text('uncordon', node!)
  }, 240_000)
})
