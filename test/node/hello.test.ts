import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { auditMark, describeRequest, requestsOf } from '../support/auditLog.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { failOnLeaks } from '../support/canaries.ts'
import { leadingOperator, leaksOf, operatorNamespace, readLogs, rememberTokens } from './operatorPods.ts'
import {
  conditionOf,
  follow,
  followPhases,
  getInstance,
  isReady,
  killProcessOf,
  operatorUser,
  podsOf,
  project,
  startClient,
  startNodeWorld,
  untilInstance,
  type Followed,
  type NodeWorld,
} from './world.ts'

/** One story on one cluster, in order: each test goes on where the last one ended. */

let world: NodeWorld
/** Of pods of the operator that are gone. */
let endedLogs = ''
/** What it names is what the file says: hello, hello-dev, and the image hello:1. */
const example = join(import.meta.dirname, '../../examples/hello/hello.yaml')
const instance = 'hello-dev'

const manifest = (app: string, name: string, service: object, spec: object): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'appstead.dev/v1alpha1',
        kind: 'App',
        metadata: { name: app },
        spec: { stack: { services: [{ name: 'web', ...service }] } },
      },
      {
        apiVersion: 'appstead.dev/v1alpha1',
        kind: 'AppInstance',
        metadata: { name },
        spec: { app, env: 'dev', ...spec },
      },
    ],
  })

const setImage = (image: string): Promise<string> =>
  world.kubectl.text(
    '-n',
    project,
    'patch',
    'appinstance',
    instance,
    '--type=merge',
    '-p',
    JSON.stringify({ spec: { image } }),
  )

const isRunning = ({ status }: { status: { phase?: string } }): boolean => status.phase === 'Running'

const replicas = () => podsOf(world, instance, 'appstead.dev/service=web')

/** Which replicas serve, and how often each was started again. */
async function serving(): Promise<readonly string[]> {
  const ready = (await replicas()).filter(isReady)
  return ready.map(({ metadata, status }) => `${metadata.name} ${status.containerStatuses?.[0]?.restartCount}`)
}

/** As the chart has it. */
const leaseSeconds = 15

/** For how many seconds nobody held the Lease, each time. */
function vacancies({ values, times }: Followed): readonly number[] {
  return values.flatMap((holder, index) =>
    holder === '' ? [((times[index + 1] ?? Number.POSITIVE_INFINITY) - times[index]!) / 1000] : [],
  )
}

beforeAll(async () => {
  world = await startNodeWorld()
}, 600_000)

afterAll(async () => {
  if (world === undefined) return
  await rememberTokens(world)
  const logs = endedLogs + (await readLogs(world, 'now'))
  const leaks = await leaksOf(world, logs)
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
  expect(logs.includes('"msg":"Leading"')).toBe(true)
  failOnLeaks(leaks)
}, 120_000)

describe('hello on a real node', () => {
  it('runs, from the very file of the example', async () => {
    const { kubectl } = world
    await kubectl.text('-n', project, 'apply', '-f', example)
    await untilInstance(world, instance, isRunning)
    process.stderr.write(await kubectl.text('-n', project, 'get', 'appinstances', '-o', 'wide'))
  }, 120_000)

  it('scaled by hand says that it waits; the next release applies it', async () => {
    const { kubectl, images } = world
    await kubectl.text('-n', project, 'scale', 'appinstance', instance, '--replicas=3')
    const waiting = await untilInstance(world, instance, ({ status }) => status.pendingSummary !== undefined, 20)
    expect(conditionOf(waiting, 'ChangesPending').message).toContain(
      '1 → 3 (Scale): takes effect with the next deployment',
    )
    expect(await replicas()).toHaveLength(1)
    expect(await kubectl.text('-n', project, 'get', 'appinstances', '-o', 'wide')).toContain('services[web].replicas')
    await setImage(images.hello('2'))
    const scaled = await untilInstance(world, instance, isRunning)
    expect(scaled.status).toMatchObject({ counts: { summary: '3/3' }, currentRelease: { number: 2 } })
  }, 120_000)

  it('rolls out under 10,000 requests of two clients without losing one, also when the operator is killed meanwhile', async () => {
    const { kubectl, images } = world
    const address = await kubectl.text('-n', instance, 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')
    const clients = await Promise.all(
      (['keep-alive', 'fresh'] as const).map((how) => startClient(world, how, `http://${address}:8080/`, 5000)),
    )
    const isOver = async (): Promise<boolean> =>
      (await Promise.all(clients.map((client) => client.isOver()))).every(Boolean)
    const isOneOver = async (): Promise<boolean> =>
      (await Promise.all(clients.map((client) => client.isOver()))).some(Boolean)
    await setImage(images.hello('1'))
    await untilInstance(world, instance, isRunning)
    await setImage(images.hello('2'))
    await waitUntil('the roll-out is under way', 30, async () => (await replicas()).length === 4)
    killProcessOf(await leadingOperator(world))
    const after = await untilInstance(world, instance, isRunning)
    expect(after.status).toMatchObject({ counts: { summary: '3/3' }, currentRelease: { number: 4 } })
    // Both roll-outs, from their beginning to their end, were under requests.
    expect(await isOneOver()).toBe(false)
    await waitUntil('the clients are done', 180, isOver)
    const results = await Promise.all(clients.map((client) => client.result()))
    process.stderr.write(`${JSON.stringify(results)}\n`)
    expect(results.flatMap(({ lost }) => lost)).toEqual([])
    expect(results.map(({ answered }) => answered)).toEqual([5000, 5000])
    expect(new Set(results.flatMap(({ versions }) => Object.keys(versions)))).toEqual(new Set(['1', '2']))
    // A kept connection had to leave its replica, too.
    for (const { pods } of results) expect(pods.length).toBeGreaterThan(1)
    const releases = await kubectl.text('-n', project, 'get', 'appreleases', '-o', 'name')
    expect(releases.trim().split('\n')).toHaveLength(4)
  }, 300_000)

  it('says that a replica is missing for as long as it is, and that it is back', async () => {
    const { kubectl } = world
    const nodes = await kubectl.text('get', 'nodes', '-o', 'name')
    // There is no room for another one, as when nodes are drained.
    await kubectl.text('cordon', nodes.trim())
    try {
      const [first] = await replicas()
      await kubectl.text('-n', instance, 'delete', 'pod', first!.metadata.name, '--wait=false')
      const lacking = await untilInstance(world, instance, ({ status }) => status.phase === 'Degraded', 30)
      expect(lacking.status.counts?.summary).toBe('2/3')
      expect(conditionOf(lacking, 'Available').state).toBe('True Serving')
      process.stderr.write(`${conditionOf(lacking, 'Ready').state}: ${conditionOf(lacking, 'Ready').message}\n`)
    } finally {
      await kubectl.text('uncordon', nodes.trim())
    }
    const back = await untilInstance(world, instance, isRunning)
    expect(back.status).toMatchObject({ counts: { summary: '3/3' }, currentRelease: { number: 4 } })
    expect(await serving()).toHaveLength(3)
  }, 120_000)

  it('gets a replica back after its process is killed', async () => {
    await waitUntil('three serve', 30, async () => (await serving()).length === 3)
    const before = await serving()
    killProcessOf((await replicas())[0]!)
    await waitUntil('three serve, one of them started again', 60, async () => {
      const now = await serving()
      return now.length === 3 && now.join() !== before.join()
    })
    const back = await untilInstance(world, instance, ({ status }) => status.counts?.summary === '3/3')
    expect(back.status.currentRelease?.number).toBe(4)
    await untilInstance(world, instance, isRunning)
  }, 120_000)

  it('is rolled out while the operator itself is: one hands the lead to the next, and nobody waits until it expires', async () => {
    const { kubectl, images } = world
    const old = await podsOf(world, operatorNamespace)
    const { number = 0 } = (await getInstance(world, instance)).status.currentRelease ?? {}
    await rememberTokens(world)
    const logs = readLogs(world, 'their end')
    const holders = follow(world, ['-n', operatorNamespace, 'lease', 'appstead'], '{.spec.holderIdentity}')
    const ready = follow(world, ['-n', operatorNamespace, 'deployment', 'appstead'], '{.status.readyReplicas}')
    try {
      await waitUntil('both are followed', 30, async () => [holders, ready].every(({ values }) => values.length > 0))
      await kubectl.text('-n', operatorNamespace, 'rollout', 'restart', 'deployment', 'appstead')
      await setImage(images.hello('1'))
      await kubectl.text('-n', operatorNamespace, 'rollout', 'status', 'deployment', 'appstead', '--timeout=120s')
      endedLogs += await logs
      const after = await untilInstance(world, instance, isRunning)
      expect(after.status).toMatchObject({ counts: { summary: '3/3' }, currentRelease: { number: number + 1 } })
      const before = new Set(old.map(({ metadata }) => metadata.name))
      await waitUntil('one of the new pods leads', 60, async () => {
        const leading = await leadingOperator(world).catch(() => undefined)
        return leading !== undefined && !before.has(leading.metadata.name)
      })
    } finally {
      holders.stop()
      ready.stop()
    }
    const vacant = vacancies(holders)
    process.stderr.write(`the Lease: ${holders.values.join(' → ')}; empty for ${vacant.join(', ')} s\n`)
    process.stderr.write(`ready operators: ${ready.values.join()}\n`)
    expect(endedLogs.includes('"msg":"Released the Lease"')).toBe(true)
    // Each holder of before emptied it, and the next one did not wait until it would have expired.
    expect(holders.values.map((holder) => holder === '')).toEqual(holders.values.map((_, index) => index % 2 === 1))
    expect(vacant.length).toBeGreaterThan(0)
    expect(Math.max(...vacant)).toBeLessThan(leaseSeconds)
    expect(Math.min(...ready.values.map(Number))).toBeGreaterThan(0)
  }, 240_000)

  it('keeps serving when a new image cannot be pulled, names the cause, and is healed by the next', async () => {
    const { images } = world
    await setImage('127.0.0.1:1/x:1')
    const failing = await untilInstance(
      world,
      instance,
      (each) => conditionOf(each, 'Ready').state.includes('ImagePullFailed'),
      60,
    )
    expect(conditionOf(failing, 'Available').state).toBe('True Serving')
    expect(conditionOf(failing, 'Ready').message).toContain('127.0.0.1:1/x:1')
    process.stderr.write(`${failing.status.phase}: ${conditionOf(failing, 'Ready').message}\n`)
    expect((await replicas()).length).toBe(4)
    await setImage(images.hello('2'))
    await untilInstance(world, instance, isRunning)
  }, 120_000)

  it('that crashes at once, again and again, is never rolled out, and is told by its exit code and its last line as it was written', async () => {
    const { kubectl, images } = world
    const line = 'no database at $(APPSTEAD_APP), costs 5$$ and $HOME'
    const service = {
      type: 'Worker',
      command: ['node', '--eval', 'console.error(process.env.LINE); process.exit(3)'],
      variables: [{ name: 'LINE', value: line }],
    }
    await kubectl.apply(manifest('crash', 'crash-dev', service, { image: images.hello('1') }), project)
    const phases = followPhases(world, 'crash-dev')
    const crashing = await untilInstance(
      world,
      'crash-dev',
      (each) => conditionOf(each, 'Ready').state.includes('CrashLoop'),
      90,
    )
    expect(conditionOf(crashing, 'Ready').message).toContain(`exit code 3`)
    expect(conditionOf(crashing, 'Ready').message).toContain(line)
    process.stderr.write(await kubectl.text('-n', project, 'get', 'appinstances', '-o', 'wide'))
    const described = await kubectl.text('-n', project, 'describe', 'appinstance', 'crash-dev')
    process.stderr.write(described)
    // Each of its processes ran for a moment, which without a health check is all that there is to see.
    expect(described).toContain('CrashLoop')
    expect(described).not.toContain('RolledOut')
    expect(phases.values.join()).not.toContain('Running')
    phases.stop()
    await kubectl.text('-n', project, 'delete', 'appinstance', 'crash-dev', '--timeout=60s')
  }, 180_000)

  it('at rest the operator asks nothing of the API server in two minutes, but to go on with its watches and to renew its Lease', async () => {
    await untilInstance(world, instance, isRunning)
    const askedSince = (mark: number): string[] =>
      requestsOf(world.cluster, operatorUser, mark)
        .filter(({ verb, objectRef }) => verb !== 'watch' && objectRef?.resource !== 'leases')
        .map(describeRequest)
    await waitUntil('it is done with what went before', 30, async () => {
      const mark = auditMark(world.cluster)
      await pause(3000)
      return askedSince(mark).length === 0
    })
    const mark = auditMark(world.cluster)
    await pause(120_000)
    expect(askedSince(mark)).toEqual([])
    expect((await getInstance(world, instance)).status.phase).toBe('Running')
  }, 180_000)
})
