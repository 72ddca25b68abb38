import type { AppRelease } from '../../../operator/api/appRelease.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { annotations, labels } from '../../../operator/api/meta.ts'
import { stored } from '../../render/world.ts'

/** Objects in which every field of every spec is set. A field that is not fails fieldEffect.test.ts by its name. */

const apiVersion = 'appstead.dev/v1alpha1'
const namespace = 'team'

const services = [
  { name: 'pg', type: 'PostgreSQL' },
  {
    name: 'web',
    type: 'Web',
    main: true,
    image: 'registry.example/web:1',
    command: ['node'],
    args: ['server.js'],
    workingDir: '/srv/a',
    ports: [
      { name: 'http', port: 8080, protocol: 'HTTP' },
      { name: 'raw', port: 9090, protocol: 'TCP' },
    ],
    variables: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
      { name: 'PERHAPS', valueFrom: { secretKeyRef: { name: 'db', key: 'absent', optional: true } } },
      { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'look', key: 'colour' } } },
      { name: 'PG_SERVER', valueFrom: { link: { service: 'pg', key: 'host' } } },
    ],
    variablesFrom: [
      { secretRef: { name: 'db' }, prefix: 'DB_' },
      { configMapRef: { name: 'look' }, prefix: 'LOOK_' },
    ],
    files: [
      { path: '/etc/web/config', content: 'a' },
      { path: '/etc/web/key', secretKeyRef: { name: 'db', key: 'password' } },
      { path: '/etc/web/look', configMapKeyRef: { name: 'look', key: 'colour' } },
    ],
    volumes: [
      { name: 'data', path: '/data', size: '1Gi', accessMode: 'ReadWriteMany', storageClassName: 'fast' },
      { name: 'old', path: '/old', existingClaim: 'old-data' },
    ],
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '400m', memory: '512Mi' } },
    healthCheck: { path: '/healthz', port: 'http', timeoutSeconds: 3, startupSeconds: 60 },
    rollout: {
      maxSurge: 2,
      progressDeadlineSeconds: 120,
      drainSeconds: 5,
      terminationGracePeriodSeconds: 20,
    },
    security: { readOnlyRootFilesystem: false, runAsUser: 1000 },
    links: [{ service: 'pg', as: 'DATABASE' }],
    generatedSecrets: [{ name: 'SESSION_SECRET', length: 32 }],
    actions: [
      { name: 'migrate', command: ['node', 'migrate.js'], args: ['--all'], run: 'BeforeDeploy', timeoutSeconds: 600 },
      { name: 'seed', command: ['node', 'seed.js'], run: 'AfterDeploy' },
      { name: 'reindex', command: ['node', 'reindex.js'], run: 'AfterUpgrade' },
      { name: 'clear', command: ['node', 'clear.js'], run: 'Manual' },
    ],
  },
  {
    name: 'side',
    image: 'registry.example/side:1',
    ports: [{ port: 8081 }],
    replicas: 2,
    links: [{ service: 'web', as: 'WEB' }],
    // For mirror, too.
    generatedSecrets: [{ name: 'SIDE_SECRET' }],
    variables: [{ name: 'UPSTREAM', valueFrom: { link: { service: 'web', key: 'uri' } } }],
    healthCheck: { tcp: true },
    rollout: { maxUnavailable: 1 },
  },
  {
    name: 'jobs',
    type: 'Worker',
    image: 'registry.example/jobs:1',
    replicas: 2,
    dependsOn: ['web'],
    healthCheck: { command: ['alive'] },
  },
  { name: 'mirror', type: 'Worker', from: 'side' },
  { name: 'crowd', type: 'Worker', image: 'registry.example/crowd:1', autoscaling: { min: 2, max: 6, cpu: 70 } },
]

/** What apps of the project may refer to. */
const allowed = (kind: string, name: string, more: object): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    name,
    namespace,
    uid: `44444444-4444-4444-8444-${Buffer.from(name).toString('hex').padStart(12, '0').slice(-12)}`,
    resourceVersion: '7',
    labels: { [labels.allow]: 'true' },
    annotations: { [annotations.allowApps]: 'shop, shop-blue' },
  },
  ...more,
})

const variablesOfApp = {
  variablesFrom: [
    { secretRef: { name: 'db' }, prefix: 'APP_' },
    { configMapRef: { name: 'look' }, prefix: 'APP_LOOK_' },
  ],
  imagePullSecrets: [{ name: 'registry' }],
}

const deployDefaults = { trigger: 'Automatic', replicaChanges: 'NextDeployment', onSecretChange: 'NextDeployment' }

const envDefaults = {
  deploy: deployDefaults,
  deletionPolicy: 'Retain',
  deletionProtection: false,
  resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { cpu: '1', memory: '1Gi' } },
  quota: { requests: { cpu: '20', memory: '20Gi' }, limits: { cpu: '90', memory: '90Gi' }, pods: 90 },
}

const ownVolumes = [
  { name: 'data', size: '3Gi', storageClassName: 'slow' },
  { name: 'old', existingClaim: 'older-data' },
]

const appDefaults = [
  {
    envTypes: ['dev', 'test'],
    services: [
      {
        name: 'web',
        resources: { requests: { cpu: '110m', memory: '65Mi' }, limits: { cpu: '410m', memory: '513Mi' } },
        volumes: [
          { name: 'data', size: '2Gi', storageClassName: 'slow' },
          { name: 'old', existingClaim: 'older-data' },
        ],
      },
      { name: 'side', replicas: 3 },
      { name: 'crowd', autoscaling: { min: 3, max: 5, cpu: 60 } },
    ],
  },
]

const access = [
  { subject: { kind: 'Group', name: 'developers' }, role: 'Editor', envs: ['dev'] },
  { subject: { kind: 'ServiceAccount', name: 'ci', namespace: 'tools' }, role: 'Admin' },
]

const appVariables = [
  { name: 'TINT', value: 'blue' },
  { name: 'APP_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'user' } } },
  { name: 'APP_PERHAPS', valueFrom: { secretKeyRef: { name: 'db', key: 'absent', optional: true } } },
  { name: 'APP_COLOUR', valueFrom: { configMapKeyRef: { name: 'look', key: 'colour' } } },
  { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
]

const given = { name: 'pg', external: { secretName: 'pg-app' } }

const instance = (name: string, spec: object, asked = {}): KubeObject =>
  ({
    apiVersion,
    kind: 'AppInstance',
    metadata: {
      name,
      namespace,
      uid: `33333333-3333-4333-8333-${Buffer.from(name).toString('hex').slice(-12)}`,
      generation: 1,
      annotations: { 'appstead.dev/deploy': 'a', 'appstead.dev/restart': 'b', ...asked },
    },
    spec: { services: [given], ...spec },
  }) as KubeObject

const failed = instance(
  'shop-failed',
  { app: 'shop', env: 'dev', creationDeadlineSeconds: 60, deletionDeadlineSeconds: 60 },
  { 'appstead.dev/retry': 'again' },
)

/** Its creation failed; it has asked for no other try than that one. */
function failedTask({ metadata: { name, uid = '' } }: KubeObject): KubeObject {
  const token = 'again'
  const message = 'exceeded quota'
  const succeeded = { type: 'Succeeded', status: 'False', reason: 'CreationDeadlineExceeded', message }
  return {
    apiVersion,
    kind: 'AppTask',
    metadata: { name: `${name}-33333-create-2`, namespace },
    spec: { instance: name, instanceUid: uid, type: 'Create', attempt: 2, cause: token, token },
    status: { conditions: [{ ...succeeded, lastTransitionTime: '' }], observedGeneration: 1 },
  } as KubeObject
}

export const everything: readonly KubeObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid: 'hub' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, uid: 'project' } },
  allowed('Secret', 'db', { data: { user: 'cm9vdA==', password: 'c2VjcmV0' } }),
  allowed('Secret', 'pg-app', {
    data: Object.fromEntries(['host', 'port', 'user', 'password', 'dbname', 'uri'].map((key) => [key, 'eA=='])),
  }),
  allowed('Secret', 'registry', { data: { '.dockerconfigjson': 'e30=' } }),
  allowed('ConfigMap', 'look', { data: { colour: 'blue' } }),
  {
    apiVersion,
    kind: 'AppEnv',
    metadata: { name: 'dev' },
    spec: { type: 'dev', variables: [{ name: 'REGION', value: 'eu' }] },
  },
  {
    apiVersion,
    kind: 'AppEnv',
    metadata: { name: 'latest' },
    spec: { type: 'test', defaults: { autoUpgrade: true } },
  },
  {
    apiVersion,
    kind: 'AppEnv',
    metadata: { name: 'careful' },
    spec: { type: 'test', defaults: envDefaults },
  },
  { apiVersion, kind: 'AppStack', metadata: { name: 'shop', namespace }, spec: { version: '1.4', services } },
  { apiVersion, kind: 'AppStack', metadata: { name: 'counted', namespace }, spec: { services } },
  {
    apiVersion,
    kind: 'AppStackRevision',
    metadata: { name: 'counted-r3-aaaaaa', namespace },
    spec: { stack: 'counted', number: 3, services },
  },
  instance('shop-latest', { app: 'shop', env: 'dev', stack: { autoUpgrade: true } }),
  instance('shop-careful', { app: 'shop', env: 'careful', image: 'registry.example/shop:1', replicas: 2 }),
  instance('shop-moving', { app: 'shop', env: 'latest', image: 'registry.example/shop:1' }),
  {
    apiVersion,
    kind: 'AppStackRevision',
    metadata: { name: 'shop-r7-aaaaaa', namespace },
    spec: { stack: 'shop', number: 7, services },
  },
  {
    apiVersion,
    kind: 'App',
    metadata: { name: 'shop', namespace },
    spec: { stack: { name: 'shop' }, variables: appVariables, ...variablesOfApp, access, defaults: appDefaults },
  },
  { apiVersion, kind: 'App', metadata: { name: 'shop-blue', namespace }, spec: { stack: { services } } },
  instance('shop-blue-dev', {
    app: 'shop',
    env: 'dev',
    image: 'registry.example/shop:1',
    replicas: 2,
    services: [
      given,
      { name: 'crowd', autoscaling: { min: 1, max: 3, cpu: 50 } },
      { name: 'web', volumes: ownVolumes },
      {
        name: 'jobs',
        enabled: true,
        image: 'registry.example/jobs:2',
        replicas: 3,
        command: ['node'],
        args: ['jobs.js'],
        variables: [
          { name: 'QUEUE', value: 'mail' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'QUEUE_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'user' } } },
          { name: 'QUEUE_PERHAPS', valueFrom: { secretKeyRef: { name: 'db', key: 'absent', optional: true } } },
          { name: 'QUEUE_COLOUR', valueFrom: { configMapKeyRef: { name: 'look', key: 'colour' } } },
        ],
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '400m', memory: '512Mi' } },
      },
    ],
    variables: [
      { name: 'GREETING', value: 'hello' },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'OWN_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'user' } } },
      { name: 'OWN_PERHAPS', valueFrom: { secretKeyRef: { name: 'db', key: 'absent', optional: true } } },
      { name: 'OWN_COLOUR', valueFrom: { configMapKeyRef: { name: 'look', key: 'colour' } } },
    ],
    variablesFrom: [
      { secretRef: { name: 'db' }, prefix: 'OWN_DB_' },
      { configMapRef: { name: 'look' }, prefix: 'OWN_LOOK_' },
    ],
    deploy: { trigger: 'Automatic', replicaChanges: 'NextDeployment', onSecretChange: 'NextDeployment' },
    suspend: false,
  }),
  instance('shop-pinned', {
    app: 'shop',
    env: 'dev',
    stack: { revision: 'shop-r7-aaaaaa' },
    deletionProtection: true,
    deletionPolicy: 'Retain',
  }),
  failed,
  failedTask(failed),
  {
    apiVersion,
    kind: 'AppTask',
    metadata: { name: 'clear-1', namespace, uid: 'task' },
    spec: { instance: 'shop-blue-dev', type: 'Action', action: { service: 'web', name: 'clear' }, cause: 'a demo' },
  },
].map((object) => stored(object))

/** The release that runs, rolled out; made of the revision before the newest. */
export function rolledOut(release: AppRelease): AppRelease {
  const conditions = [{ type: 'Succeeded', status: 'True', reason: 'RolledOut', message: '', lastTransitionTime: '' }]
  const spec = { ...release.spec, stackRevision: 'shop-r7-aaaaaa' }
  return { ...release, spec, status: { conditions, observedGeneration: 1 } } as AppRelease
}
