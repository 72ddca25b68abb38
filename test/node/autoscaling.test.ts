import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { auditMark, describeRequest, requestsOf } from '../support/auditLog.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { startMetricsServer, stopMetricsServer } from './metricsServer.ts'
import {
  follow,
  followPhases,
  operatorUser,
  project,
  startNodeWorld,
  startClient,
  untilInstance,
  type Client,
  type Instance,
  type NodeWorld,
} from './world.ts'

/** A service that scales itself, under a load that is real: measured by the kubelet, read by metrics-server. */

let world: NodeWorld
let client: Client
const instance = 'busy-dev'

/** Each request is work, so that those of one client are far more than it asks for, and little for this machine. */
const program = `
  const work = () => { for (const until = performance.now() + 5; performance.now() < until;); }
  http.createServer(({ url }, response) => {
    if (url === '/busy') work()
    response.end()
  }).listen(8080)
  process.on('SIGTERM', () => process.exit())`

const declared = (): object[] => [
  {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'App',
    metadata: { name: 'busy' },
    spec: {
      stack: {
        services: [
          {
            name: 'web',
            command: ['node', '--eval', program],
            ports: [{ port: 8080 }],
            healthCheck: { path: '/' },
            resources: { requests: { cpu: '20m' } },
            rollout: { drainSeconds: 1 },
            autoscaling: { min: 1, max: 3, cpu: 60 },
          },
        ],
      },
    },
  },
  {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { name: instance },
    spec: { app: 'busy', env: 'dev', image: world.images.hello('1') },
  },
]

beforeAll(async () => {
  world = await startNodeWorld()
  await Promise.all([
    startMetricsServer(world),
    world.kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: declared() }), project),
  ])
  await untilInstance(world, instance, ({ status }) => status.phase === 'Running')
}, 900_000)

afterAll(async () => {
  if (world === undefined) return
  await stopMetricsServer(world)
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
}, 120_000)

const counts =
  (summary: string) =>
  ({ status }: Instance): boolean =>
    status.phase === 'Running' && status.counts?.summary === summary

/** What the operator wrote of the Deployment and its autoscaler since then. */
const writesSince = (mark: number): readonly string[] =>
  requestsOf(world.cluster, operatorUser, mark)
    .map(describeRequest)
    .filter((request) => /deployments|autoscalers/.test(request) && !request.startsWith('watch'))

describe('a service that scales itself', () => {
  it('gets replicas under load; the operator leaves their number alone, and its status follows', async () => {
    const mark = auditMark(world.cluster)
    const phases = followPhases(world, instance)
    const address = await world.kubectl.text(
      '-n',
      instance,
      'get',
      'service',
      'web',
      '-o',
      'jsonpath={.spec.clusterIP}',
    )
    const load = { pauseMilliseconds: 20, goesOn: true }
    client = await startClient(world, 'fresh', `http://${address}:8080/busy`, 1, load)
    const grown = await untilInstance(world, instance, counts('3/3'), 240)
    phases.stop()
    process.stderr.write(`${phases.values.join(', ')}\n`)
    process.stderr.write(await world.kubectl.text('-n', instance, 'get', 'hpa,deployments'))
    expect(grown.status).toMatchObject({ currentRelease: { number: 1 } })
    expect(writesSince(mark)).toEqual([])
    // More replicas than the least number are no fault, and no deployment.
    expect(phases.values.filter((value) => !value.startsWith('Running'))).toEqual([])
  }, 300_000)

  it('keeps them through a roll-out', async () => {
    const asked = follow(world, ['-n', instance, 'deployment', 'web'], '{.spec.replicas}')
    await waitUntil('it is followed', 30, () => Promise.resolve(asked.values.length > 0))
    const patch = JSON.stringify({ spec: { image: world.images.hello('2') } })
    await world.kubectl.text('-n', project, 'patch', 'appinstance', instance, '--type=merge', '-p', patch)
    const after = await untilInstance(
      world,
      instance,
      ({ status }) => status.currentRelease?.number === 2 && status.phase === 'Running',
    )
    asked.stop()
    expect(asked.values).toEqual(['3'])
    expect(after.status.counts?.summary).toBe('3/3')
  }, 180_000)

  it('gives them back when the load has ended, and its status follows', async () => {
    const mark = auditMark(world.cluster)
    const phases = followPhases(world, instance)
    await client.end()
    const shrunk = await untilInstance(world, instance, counts('1/1'), 180)
    phases.stop()
    process.stderr.write(`${phases.values.join(', ')}\n`)
    expect(shrunk.status).toMatchObject({ currentRelease: { number: 2 } })
    expect(writesSince(mark)).toEqual([])
    expect(phases.values.filter((value) => !value.startsWith('Running'))).toEqual([])
  }, 240_000)
})
