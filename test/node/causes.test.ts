import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { setTimeout as pause } from 'node:timers/promises'
import { waitUntil } from '../cluster/kubeApi.ts'
import { startAdmission, type Admission } from './admission.ts'
import { conditionOf, follow, project, startNodeWorld, untilInstance, type NodeWorld } from './world.ts'

/** What keeps an instance from serving, each made for real, side by side: one sentence, one command, and then silence. */

let world: NodeWorld
let admission: Admission | undefined

interface Cause {
  /** Of the App; the instance is `<name>-dev`. */
  readonly name: string
  /** Of its only service, besides name and port. */
  readonly service?: object
  readonly instance?: object
  readonly phase: string
  readonly reason: string
  /** In Ready.message, in this order: object, cause, next command. */
  readonly tells: readonly string[]
}

const evaluated = (program: string): object => ({ command: ['node', '--eval', program] })

/** Answers each request after so long, and with this status. */
const answering = (status: number, milliseconds: number): object =>
  evaluated(`
    http.createServer((_, response) => setTimeout(() => response.writeHead(${status}).end(), ${milliseconds})).listen(8080)
    process.on('SIGTERM', () => process.exit())`)

/** Given up soon, so that what is said then is seen too. */
const rollout = { progressDeadlineSeconds: 20 }

const pods = (name: string): string => `-n ${name}-dev -l appstead.dev/service=web`

const causes: readonly Cause[] = [
  {
    name: 'pull',
    instance: { image: '127.0.0.1:1/x:1' },
    phase: 'Deploying',
    reason: 'ImagePullFailed',
    tells: [
      "service 'web'",
      'the image cannot be pulled',
      '127.0.0.1:1/x:1',
      `see kubectl describe pods ${pods('pull')}`,
    ],
  },
  {
    name: 'crash',
    // Without a check a process that takes its time to end has served for a moment.
    service: {
      ...evaluated(`console.error('no database'); process.exit(3)`),
      healthCheck: { path: '/healthz' },
    },
    phase: 'Deploying',
    reason: 'CrashLoop',
    tells: ["service 'web'", 'exit code 3', 'last line: no database', `see kubectl logs ${pods('crash')} --previous`],
  },
  {
    name: 'memory',
    service: {
      ...evaluated(`const kept = []; setInterval(() => kept.push(Buffer.alloc(16e6, 1)), 20)`),
      healthCheck: { path: '/healthz' },
      resources: { limits: { memory: '96Mi' } },
    },
    phase: 'Deploying',
    reason: 'CrashLoop',
    tells: [
      "service 'web'",
      'exit code 137, as it took more memory than its limit of 96Mi (resources.limits.memory)',
      `see kubectl logs ${pods('memory')} --previous`,
    ],
  },
  {
    name: 'sick',
    service: { ...answering(500, 0), healthCheck: { path: '/healthz' }, rollout },
    phase: 'Down',
    reason: 'HealthCheckFailed',
    tells: [
      "service 'web'",
      'GET /healthz on port http',
      'answered with status 500',
      `see kubectl describe pods ${pods('sick')}`,
    ],
  },
  {
    name: 'slow',
    service: {
      ...answering(200, 3000),
      healthCheck: { path: '/healthz', timeoutSeconds: 1, startupSeconds: 10 },
      rollout,
    },
    phase: 'Down',
    reason: 'HealthCheckFailed',
    tells: [
      "service 'web'",
      'GET /healthz on port http',
      'not answered within 1 s',
      `see kubectl describe pods ${pods('slow')}`,
    ],
  },
  {
    name: 'large',
    service: { resources: { requests: { cpu: '500' } } },
    phase: 'Deploying',
    reason: 'Unschedulable',
    tells: ["service 'web'", 'no node takes the pod', 'Insufficient cpu', `see kubectl describe pods ${pods('large')}`],
  },
  {
    name: 'claim',
    service: { volumes: [{ name: 'data', path: '/data', size: '1Gi', storageClassName: 'golden' }] },
    phase: 'Creating',
    reason: 'ClaimUnbound',
    tells: [
      "service 'web'",
      "claim 'web-data'",
      "no StorageClass 'golden'",
      'see kubectl describe pvc web-data -n claim-dev',
    ],
  },
  {
    name: 'key',
    service: { variables: [{ name: 'URL', valueFrom: { secretKeyRef: { name: 'database', key: 'url' } } }] },
    phase: 'Pending',
    reason: 'ReferenceKeyMissing',
    tells: ["Secret 'database'", "'url'", 'kubectl edit secret database -n shop'],
  },
  {
    name: 'banned',
    service: { name: 'banned' },
    phase: 'Creating',
    reason: 'Forbidden',
    tells: [
      "Deployment 'banned'",
      'images must be signed',
      'see kubectl get validatingadmissionpolicy appstead-test-signed -o yaml',
    ],
  },
  {
    name: 'barred',
    service: { name: 'barred' },
    phase: 'Deploying',
    reason: 'Forbidden',
    tells: [
      "service 'barred'",
      'images must be signed',
      'see kubectl get validatingadmissionpolicy appstead-test-signed -o yaml',
    ],
  },
  {
    name: 'quota',
    instance: { deploy: { replicaChanges: 'Immediate' } },
    phase: 'Degraded',
    reason: 'Forbidden',
    tells: ["service 'web'", 'exceeded quota: one', 'used: pods=1', 'see kubectl describe resourcequota -n quota-dev'],
  },
  {
    name: 'range',
    service: { resources: { limits: { memory: '256Mi' } } },
    instance: { deploy: { replicaChanges: 'Immediate' } },
    phase: 'Degraded',
    reason: 'Forbidden',
    tells: [
      "service 'web'",
      'maximum memory usage per Container is 200Mi, but limit is 256Mi',
      'see kubectl describe limitrange -n range-dev',
    ],
  },
  {
    name: 'scan',
    phase: 'Deploying',
    reason: 'Forbidden',
    tells: [
      "service 'web'",
      'admission webhook "scan-dev.test.appstead.dev" denied the request: images must be scanned',
      'see kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
    ],
  },
  {
    name: 'deaf',
    phase: 'Deploying',
    reason: 'Forbidden',
    tells: [
      "service 'web'",
      'failed calling webhook "deaf-dev.test.appstead.dev"',
      'connection refused',
      'see kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
    ],
  },
  {
    name: 'typo',
    instance: { env: 'devv' },
    phase: 'Pending',
    reason: 'EnvNotFound',
    tells: ["No AppEnv 'devv' (spec.env)", "'dev'", 'kubectl get appenvs'],
  },
]

const declared = ({ name, service, instance }: Cause): readonly object[] => [
  {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'App',
    metadata: { name },
    spec: { stack: { services: [{ name: 'web', ports: [{ port: 8080 }], ...service }] } },
  },
  {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { name: `${name}-dev` },
    spec: { app: name, env: 'dev', image: world.images.hello('1'), ...instance },
  },
]

const apply = (items: readonly object[], namespace = project): Promise<string> =>
  world.kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), namespace)

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'database',
    labels: { 'appstead.dev/allow': 'true' },
    annotations: { 'appstead.dev/allow-apps': 'key' },
  },
  stringData: { password: 'none' },
}
/** Made in an instance's namespace when it runs: its next replica is too much. */
const rules = {
  'quota-dev': {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'one' },
    spec: { hard: { pods: '1' } },
  },
  'range-dev': {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'small' },
    spec: { limits: [{ type: 'Container', max: { memory: '200Mi' } }] },
  },
}

beforeAll(async () => {
  world = await startNodeWorld()
  admission = await startAdmission(world, { scanned: 'scan-dev', unanswered: 'deaf-dev' })
  await apply([secret])
  await apply(causes.flatMap(declared))
  for (const [instance, rule] of Object.entries(rules)) {
    await untilInstance(world, instance, ({ status }) => status.phase === 'Running')
    await apply([rule], instance)
    await world.kubectl.text('-n', project, 'scale', 'appinstance', instance, '--replicas=2')
  }
}, 900_000)

afterAll(async () => {
  if (world === undefined) return
  await admission?.stop()
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
}, 120_000)

const table = (): Promise<string> => world.kubectl.text('-n', project, 'get', 'appinstances', '-o', 'wide')

interface Told {
  readonly type: string
  readonly reason: string
  readonly regarding: { readonly name: string; readonly kind: string }
  readonly note: string
}

async function warningsOf(name: string): Promise<readonly string[]> {
  const { items } = await world.kubectl.json<{ items: readonly Told[] }>('-n', project, 'get', 'events.events.k8s.io')
  return items
    .filter(({ type, regarding }) => type === 'Warning' && regarding.kind === 'AppInstance' && regarding.name === name)
    .map(({ reason }) => reason)
}

describe('what keeps an instance from serving', () => {
  it.each(causes)(
    '$name: $reason, in one sentence with the next command',
    async ({ name, phase, reason, tells }) => {
      const isTold = ({ message }: { message: string }): boolean => tells.every((part) => message.includes(part))
      const instance = await untilInstance(world, `${name}-dev`, (each) => isTold(conditionOf(each, 'Ready')), 60)
      const { state, message } = conditionOf(instance, 'Ready')
      expect(state).toContain(reason)
      // Object, cause, command: in this order.
      const places = tells.map((part) => message.indexOf(part))
      expect(places).toEqual(places.toSorted((a, b) => a - b))
      await untilInstance(world, `${name}-dev`, ({ status }) => status.phase === phase, 60)
      const row = (await table()).split('\n').find((line) => line.startsWith(`${name}-dev`))
      for (const part of tells) expect(row).toContain(part)
      await waitUntil('the Event', 30, async () => (await warningsOf(`${name}-dev`)).includes(reason))
    },
    180_000,
  )

  it('once told, is told no more: neither the kubelet’s next try nor the next probe is news', async () => {
    process.stderr.write(await table())
    const told = follow(world, ['-n', project, 'appinstances'], '{.metadata.name} {.metadata.resourceVersion}')
    await waitUntil('all are followed', 30, () => Promise.resolve(told.values.length >= causes.length))
    const before = told.values.length
    await pause(20_000)
    told.stop()
    // One that is given up meanwhile says so.
    expect(told.values.slice(before).length).toBeLessThanOrEqual(4)
    for (const { name, reason } of causes) expect([name, await warningsOf(`${name}-dev`)]).toEqual([name, [reason]])
  }, 90_000)
})
