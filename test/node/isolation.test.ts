import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { policyTable, rulesOf, type Namespace, type NetworkPolicy, type Pod } from '../support/policyEnforcer.ts'
import { onNode, project, startNodeWorld, untilInstance, type NodeWorld } from './world.ts'

/** Who reaches whom, by the policies that the API server holds, on a node that enforces just these. */

let world: NodeWorld
const app = 'two'
const instances = ['two-a', 'two-b']
const client = 'client-isolation'

const ends = "process.on('SIGTERM', () => process.exit())"
/** Answers HTTP on 8080, and on 9000 what is not HTTP. */
const program = [8080, 9000]
  .map((port) => `http.createServer((_, r) => r.end('here')).listen(${port})`)
  .concat(ends)
  .join(';')

const declared = (): object[] => [
  {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'App',
    metadata: { name: app },
    spec: {
      stack: {
        services: [
          {
            name: 'web',
            command: ['node', '--eval', program],
            ports: [{ port: 8080 }, { name: 'raw', port: 9000, protocol: 'TCP' }],
            healthCheck: { tcp: true },
          },
          { name: 'jobs', type: 'Worker', from: 'web' },
        ],
      },
    },
  },
  ...instances.map((name) => ({
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { name },
    spec: { app, env: 'dev', image: world.images.hello('1') },
  })),
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: client },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'client',
          image: world.images.hello('1'),
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '--eval', `setInterval(() => {}, 1e6);${ends}`],
        },
      ],
    },
  },
]

async function listed<T>(type: string): Promise<readonly T[]> {
  return (await world.kubectl.json<{ items: readonly T[] }>('get', type, '--all-namespaces')).items
}

/** From now on the policies hold that the API server has, for the pods that there are. */
async function enforce(): Promise<string> {
  const [policies, namespaces, pods] = await Promise.all([
    listed<NetworkPolicy>('networkpolicies'),
    listed<Namespace>('namespaces'),
    listed<Pod>('pods'),
  ])
  const own = policies.filter(({ metadata }) => instances.includes(metadata.namespace))
  const rules = rulesOf({ policies: own, namespaces, pods: pods.filter(({ status }) => status.podIP !== undefined) })
  await onNode(world, 'nft', rules)
  return rules
}

/** `answered`, or why it was not, when a process in there asks there. */
async function ask(from: readonly string[], address: string, port: number): Promise<string> {
  const question = `http.get({ host: '${address}', port: ${port}, timeout: 1500 }, () => { console.log('answered'); process.exit() }).on('timeout', () => { console.log('no answer'); process.exit() }).on('error', ({ code }) => { console.log(code); process.exit() })`
  return (await world.kubectl.text('exec', ...from, '--', 'node', '--eval', question)).trim()
}

const inside = (instance: string, service = 'web'): string[] => ['-n', instance, `deployment/${service}`]
const outside = ['-n', project, client]

const serviceOf = (instance: string): Promise<string> =>
  world.kubectl.text('-n', instance, 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')

const podOf = (instance: string): Promise<string> =>
  world.kubectl.text(
    '-n',
    instance,
    'get',
    'pods',
    '-l',
    'appstead.dev/service=web',
    '-o',
    'jsonpath={.items[0].status.podIP}',
  )

beforeAll(async () => {
  world = await startNodeWorld()
  await world.kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: declared() }), project)
  for (const name of instances) await untilInstance(world, name, ({ status }) => status.phase === 'Running')
  await world.kubectl.text('-n', project, 'wait', 'pod', client, '--for=condition=Ready', '--timeout=60s')
}, 900_000)

afterAll(async () => {
  if (world === undefined) return
  try {
    await onNode(world, 'nft', `delete table ${policyTable}`)
  } finally {
    await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
  }
}, 120_000)

describe('two instances of one app', () => {
  it('do not reach each other; each reaches itself, and what is no instance reaches their HTTP', async () => {
    const [a = '', b = ''] = await Promise.all(instances.map(serviceOf))
    const direct = await podOf('two-b')
    const questions: Readonly<Record<string, () => Promise<string>>> = {
      'a’s pod asks b’s Service': () => ask(inside('two-a'), b, 8080),
      'a’s Worker asks b’s pod': () => ask(inside('two-a', 'jobs'), direct, 8080),
      'b’s pod asks a’s other port': () => ask(inside('two-b'), a, 9000),
      'a’s Worker asks its own web': () => ask(inside('two-a', 'jobs'), a, 8080),
      'and its other port': () => ask(inside('two-a', 'jobs'), a, 9000),
      'the project asks a’s HTTP': () => ask(outside, a, 8080),
      'the project asks b’s pod': () => ask(outside, direct, 8080),
      'the project asks b’s other port': () => ask(outside, b, 9000),
    }
    const answers = async (): Promise<object> => {
      const pairs = Object.entries(questions).map(async ([what, question]) => [what, await question()] as const)
      return Object.fromEntries(await Promise.all(pairs))
    }
    // Without the policies all of it works: it is they that make the difference.
    expect(new Set(Object.values(await answers()))).toEqual(new Set(['answered']))
    process.stderr.write(await enforce())
    expect(await answers()).toEqual({
      'a’s pod asks b’s Service': 'no answer',
      'a’s Worker asks b’s pod': 'no answer',
      'b’s pod asks a’s other port': 'no answer',
      'a’s Worker asks its own web': 'answered',
      'and its other port': 'answered',
      'the project asks a’s HTTP': 'answered',
      'the project asks b’s pod': 'answered',
      'the project asks b’s other port': 'no answer',
    })
  }, 120_000)

  it('stay ready: the node itself reaches its pods', async () => {
    for (const name of instances) {
      const { status } = await untilInstance(world, name, (each) => each.status.phase === 'Running', 30)
      expect(status.counts?.summary).toBe('2/2')
    }
  })
})
