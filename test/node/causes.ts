/** What keeps an instance from serving, made for real by causes.test.ts. */

export interface Cause {
  /** Of the App; the instance is `<name>-dev`. */
  readonly name: string
  /** Of its only service, besides name and port. */
  readonly service?: object
  /** Besides that one. */
  readonly others?: readonly object[]
  readonly instance?: object
  readonly phase: string
  readonly reason: string
  /** In Ready.message, in this order: object, cause, next command. */
  readonly tells: readonly string[]
  /** What is to blame in the instance's namespace: kind and name. */
  readonly child?: string
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

/** One at a time. */
export const causes: readonly Cause[] = [
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
    child: 'Deployment web',
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
    child: 'Deployment web',
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
    child: 'Deployment web',
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
    child: 'Deployment web',
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
    child: 'Deployment web',
  },
  {
    name: 'large',
    service: { resources: { requests: { cpu: '500' } } },
    phase: 'Deploying',
    reason: 'Unschedulable',
    tells: ["service 'web'", 'no node takes the pod', 'Insufficient cpu', `see kubectl describe pods ${pods('large')}`],
    child: 'Deployment web',
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
    child: 'PersistentVolumeClaim web-data',
  },
  {
    name: 'key',
    service: { variables: [{ name: 'URL', valueFrom: { secretKeyRef: { name: 'database', key: 'url' } } }] },
    phase: 'Pending',
    reason: 'ReferenceKeyMissing',
    tells: ["Secret 'database'", "'url'", 'kubectl edit secret database -n shop'],
  },
  {
    name: 'secret',
    service: { variables: [{ name: 'URL', valueFrom: { secretKeyRef: { name: 'databse', key: 'url' } } }] },
    phase: 'Pending',
    reason: 'ReferenceNotFound',
    tells: [
      "No Secret 'databse' in namespace 'shop'",
      "variable URL of service 'web'",
      "there is 'database'",
      'kubectl label secret databse -n shop appstead.dev/allow=true',
    ],
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
    child: 'Deployment barred',
  },
  {
    name: 'quota',
    instance: { deploy: { replicaChanges: 'Immediate' } },
    phase: 'Degraded',
    reason: 'Forbidden',
    tells: ["service 'web'", 'exceeded quota: one', 'used: pods=1', 'see kubectl describe resourcequota -n quota-dev'],
    child: 'Deployment web',
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
    child: 'Deployment web',
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
    child: 'Deployment web',
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
    child: 'Deployment web',
  },
  {
    name: 'typo',
    instance: { env: 'devv' },
    phase: 'Pending',
    reason: 'EnvNotFound',
    tells: ["No AppEnv 'devv' (spec.env)", "'dev'", 'kubectl get appenvs'],
  },
]

/** Two at once, the worse one in the service that is neither the first nor the main one. */
export const both: Cause = {
  name: 'both',
  service: { ...evaluated(`console.error('no database'); process.exit(3)`), healthCheck: { path: '/healthz' } },
  others: [{ name: 'jobs', type: 'Worker', image: '127.0.0.1:1/x:1' }],
  phase: 'Deploying',
  reason: 'ImagePullFailed',
  tells: [
    "service 'jobs'",
    'the image cannot be pulled',
    '127.0.0.1:1/x:1',
    'see kubectl describe pods -n both-dev -l appstead.dev/service=jobs',
  ],
  child: 'Deployment jobs',
}
