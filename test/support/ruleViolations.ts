import type { Sent } from './kindRequests.ts'

/** Requests that break the CEL rules of our kinds, and what the API server must say of each. */

export const web = { name: 'web', ports: [{ port: 8080 }] }
export const stack = (services: unknown): Sent => ({ kind: 'AppStack', name: 'shop', spec: { services } })
export const instance = (name: string, app = 'hello'): Sent => ({
  kind: 'AppInstance',
  name,
  spec: { app, env: 'dev' },
})

export interface Violation {
  /** Id of the rule that is broken. */
  readonly rule: string
  readonly sent: Sent
  /** Field, value and what would be right, as the server says it. */
  readonly says: readonly string[]
}

/** Each rule that holds on creation, broken. */
export const violations: readonly Violation[] = [
  {
    rule: 'name-begins-with-app',
    sent: instance('other-dev'),
    says: ["metadata.name 'other-dev'", "must begin with spec.app and a dash, such as 'hello-dev'"],
  },
  {
    rule: 'name-is-label',
    sent: instance('hello-a.b'),
    says: ["metadata.name 'hello-a.b'", 'must be lower-case letters, digits and dashes', "the instance's namespace"],
  },
  {
    rule: 'name-length',
    sent: instance(`hello-${'x'.repeat(64)}`),
    says: [`metadata.name 'hello-${'x'.repeat(64)}'`, 'has 70 characters and may have 63: shorten it by 7'],
  },
  {
    rule: 'reserved-instance-name',
    sent: instance('kube-system', 'kube'),
    says: ["metadata.name 'kube-system'", 'use another name'],
  },
  {
    rule: 'reserved-instance-name',
    sent: instance('appstead-system', 'appstead'),
    says: ["metadata.name 'appstead-system'", 'use another name'],
  },
  { rule: 'reserved-instance-name', sent: instance('default', 'default'), says: ["metadata.name 'default'"] },
  {
    rule: 'name-is-label',
    sent: { kind: 'App', name: 'a.b', spec: { stack: { name: 'x' } } },
    says: ["metadata.name 'a.b'"],
  },
  {
    rule: 'name-length',
    sent: { kind: 'App', name: 'x'.repeat(62), spec: { stack: { name: 'x' } } },
    says: ['has 62 characters and may have 61: shorten it by 1'],
  },
  {
    rule: 'name-is-label',
    sent: { kind: 'AppEnv', name: 'a.b', spec: { type: 'dev' } },
    says: ["metadata.name 'a.b'"],
  },
  {
    rule: 'name-length',
    sent: { kind: 'AppEnv', name: 'x'.repeat(64), spec: { type: 'dev' } },
    says: ['has 64 characters and may have 63'],
  },
  { rule: 'name-is-label', sent: { ...stack([web]), name: 'a.b' }, says: ["metadata.name 'a.b'"] },
  { rule: 'name-length', sent: { ...stack([web]), name: 'x'.repeat(64) }, says: ['has 64 characters and may have 63'] },
  {
    rule: 'reserved-stack-name',
    sent: { ...stack([web]), name: 'app-shop' },
    says: ["metadata.name 'app-shop' may not begin with 'app-'", 'use another name'],
  },
  {
    rule: 'one-lock',
    sent: { kind: 'AppLock', name: 'shop', spec: { locked: [] } },
    says: ["metadata.name 'shop' must be 'locks'", 'which the operator writes'],
  },
  {
    rule: 'name-or-services',
    sent: { kind: 'App', name: 'hello', spec: { stack: {} } },
    says: ['spec.stack: ', 'name (of an AppStack) or services must be set'],
  },
  {
    rule: 'name-or-services',
    sent: { kind: 'App', name: 'hello', spec: { stack: { name: 'shop', services: [web] } } },
    says: ['spec.stack: ', "name 'shop' and services may not both be set: remove one"],
  },
  {
    rule: 'version-is-not-counted',
    sent: { kind: 'AppStack', name: 'shop', spec: { version: 'r4-1a2b3c', services: [web] } },
    says: ['spec.version: ', "version 'r4-1a2b3c' looks like a counted revision"],
  },
  {
    rule: 'no-auto-upgrade-in-prod',
    sent: { kind: 'AppEnv', name: 'live', spec: { type: 'prod', defaults: { autoUpgrade: true } } },
    says: ['spec.defaults.autoUpgrade: ', 'revisions are chosen by hand there'],
  },
  {
    rule: 'revision-or-auto-upgrade',
    sent: {
      kind: 'AppInstance',
      name: 'hello-dev',
      spec: { app: 'hello', env: 'dev', stack: { revision: 'shop-1.4', autoUpgrade: true } },
    },
    says: ['spec.stack.autoUpgrade: ', "revision 'shop-1.4' and autoUpgrade: true may not both be set"],
  },
  {
    rule: 'one-main-service',
    sent: stack([
      { ...web, main: true },
      { ...web, name: 'api', main: true },
    ]),
    says: ['spec.services: ', 'at most one service may have main: true, not these: ["web", "api"]'],
  },
  {
    rule: 'depends-on-earlier',
    sent: stack([
      { ...web, dependsOn: ['api'] },
      { ...web, name: 'api' },
    ]),
    says: ['spec.services: ', 'may name only services that are listed earlier', 'these name others: ["web"]'],
  },
  {
    rule: 'depends-on-earlier',
    sent: stack([
      { ...web, dependsOn: ['web'] },
      { ...web, name: 'api', dependsOn: ['web', 'gone'] },
    ]),
    says: ['spec.services: ', 'these name others: ["web", "api"]'],
  },
  {
    rule: 'files-total',
    sent: stack(
      [1, 2, 3, 4, 5].map((number) => ({
        ...web,
        name: `web${number}`,
        files: [{ path: '/a', content: 'x'.repeat(65_536) }],
      })),
    ),
    says: ['spec.services: ', 'have 327680 characters together; at most 262144 are allowed'],
  },
  {
    rule: 'web-needs-port',
    sent: stack([{ name: 'web' }]),
    says: [
      'spec.services[0]: ',
      "service 'web' is a Web service and must have at least one port, such as {port: 8080}",
    ],
  },
  {
    rule: 'worker-has-no-ports',
    sent: stack([{ ...web, type: 'Worker' }]),
    says: ['spec.services[0].ports: ', "service 'web' is a Worker and may not have ports; write type: Web"],
  },
  {
    rule: 'worker-has-no-health-check',
    sent: stack([{ name: 'jobs', type: 'Worker', healthCheck: { path: '/' } }]),
    says: ['spec.services[0].healthCheck: ', "service 'jobs' is a Worker and may not have a healthCheck", 'remove it'],
  },
  {
    rule: 'health-check-port-exists',
    sent: stack([{ ...web, healthCheck: { path: '/', port: 'admin' } }]),
    says: [
      'spec.services[0].healthCheck.port: ',
      "'admin' must be the name of a port of service 'web'; it has: [\"http\"]",
    ],
  },
  {
    rule: 'main-replicas-in-instance',
    sent: stack([{ ...web, main: true, replicas: 2 }]),
    says: [
      'spec.services[0].replicas: ',
      "service 'web' is the main one, so replicas 2",
      'spec.replicas in the AppInstance',
    ],
  },
  {
    rule: 'unique-port-numbers',
    sent: stack([{ ...web, ports: [{ port: 80 }, { name: 'b', port: 80 }] }]),
    says: ['spec.services[0].ports: ', 'port 80 stands more than once; each port must have a number of its own'],
  },
  {
    rule: 'reserved-variable',
    sent: stack([{ ...web, variables: [{ name: 'APPSTEAD_X', value: 'x' }] }]),
    says: ['spec.services[0].variables[0].name: ', "'APPSTEAD_X' may not begin with 'APPSTEAD_'", 'use another name'],
  },
  {
    rule: 'reserved-variable',
    sent: stack([{ ...web, generatedSecrets: [{ name: 'APPSTEAD_X' }] }]),
    says: ['spec.services[0].generatedSecrets[0].name: ', "'APPSTEAD_X' may not begin with 'APPSTEAD_'"],
  },
  {
    rule: 'one-value',
    sent: stack([{ ...web, variables: [{ name: 'A' }] }]),
    says: ['spec.services[0].variables[0]: ', "variable 'A' must have exactly one of value and valueFrom.fieldRef"],
  },
  {
    rule: 'one-value',
    sent: stack([
      {
        ...web,
        variables: [{ name: 'A', value: '', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
      },
    ]),
    says: ['spec.services[0].variables[0]: ', "variable 'A' must have exactly one of"],
  },
  {
    rule: 'file-below-file',
    sent: stack([
      {
        ...web,
        files: [
          { path: '/a', content: '' },
          { path: '/a/b', content: '' },
        ],
      },
    ]),
    says: ['spec.services[0].files: ', "'/a' may not be a file and a folder of another file"],
  },
  {
    rule: 'file-path-taken',
    sent: stack([{ ...web, files: [{ path: '/proc/self/x', content: '' }] }]),
    says: ['spec.services[0].files[0].path: ', "'/proc/self/x' is taken", 'use another path'],
  },
  {
    rule: 'cpu-request-up-to-limit',
    sent: stack([{ ...web, resources: { requests: { cpu: '2' }, limits: { cpu: '500m' } } }]),
    says: ['spec.services[0].resources.requests.cpu: ', "requests.cpu '2' may not be larger than limits.cpu '500m'"],
  },
  {
    rule: 'memory-request-up-to-limit',
    sent: stack([{ ...web, resources: { requests: { memory: '2Gi' }, limits: { memory: '2G' } } }]),
    says: ['spec.services[0].resources.requests.memory: ', "'2Gi' may not be larger than limits.memory '2G'"],
  },
  {
    rule: 'drain-within-grace-period',
    sent: stack([{ ...web, rollout: { drainSeconds: 30 } }]),
    says: [
      'spec.services[0].rollout.terminationGracePeriodSeconds: ',
      'terminationGracePeriodSeconds 30 must be more than drainSeconds 30',
    ],
  },
]
