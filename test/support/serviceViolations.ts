import type { Sent } from './kindRequests.ts'
import type { Violation } from './ruleViolations.ts'

/** Stacks that break the CEL rules of services, and what the API server must say of each. */

export const web = { name: 'web', ports: [{ port: 8080 }] }
export const stack = (services: unknown): Sent => ({ kind: 'AppStack', name: 'shop', spec: { services } })

export const serviceViolations: readonly Violation[] = [
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
    rule: 'from-earlier',
    sent: stack([web, { name: 'db', type: 'PostgreSQL' }, { name: 'jobs', type: 'Worker', from: 'db' }]),
    says: ['from may name only a service of type Web or Worker', 'these name others: ["jobs"]'],
  },
  {
    rule: 'one-service-of-pods',
    sent: stack([{ name: 'db', type: 'PostgreSQL' }]),
    says: ['at least one service must be of type Web or Worker', 'these are not: ["db"]'],
  },
  {
    rule: 'external-stands-alone',
    sent: {
      kind: 'AppInstance',
      name: 'hello-dev',
      spec: {
        app: 'hello',
        env: 'dev',
        services: [{ name: 'db', image: 'postgres:17', external: { secretName: 'pg' } }],
      },
    },
    says: [
      'spec.services[0].external: ',
      "service 'db' is given from outside (external.secretName 'pg')",
      'remove ["image"], or external',
    ],
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
    rule: 'worker-health-check-is-command',
    sent: stack([{ name: 'jobs', type: 'Worker', healthCheck: { path: '/' } }]),
    says: [
      'spec.services[0].healthCheck: ',
      "service 'jobs' is a Worker, so its healthCheck must be a command",
      'or write type: Web',
    ],
  },
  {
    rule: 'one-way-to-check',
    sent: stack([{ ...web, healthCheck: { timeoutSeconds: 1 } }]),
    says: ['spec.services[0].healthCheck: ', 'exactly one of path, command and tcp: true; this one has 0 of them'],
  },
  {
    rule: 'one-way-to-check',
    sent: stack([{ ...web, healthCheck: { path: '/', tcp: true } }]),
    says: ['spec.services[0].healthCheck: ', 'this one has 2 of them'],
  },
  {
    rule: 'command-asks-no-port',
    sent: stack([{ ...web, healthCheck: { command: ['alive'], port: 'http' } }]),
    says: ['spec.services[0].healthCheck.port: ', "port 'http' may not stand beside command", 'remove one'],
  },
  {
    rule: 'health-check-port-exists',
    sent: stack([{ ...web, ports: [{ name: 'dns', port: 53, protocol: 'UDP' }], healthCheck: { tcp: true } }]),
    says: ['spec.services[0].healthCheck: ', "must be the name of an HTTP or TCP port of service 'web'; it has: []"],
  },
  {
    rule: 'health-check-port-exists',
    sent: stack([{ ...web, healthCheck: { path: '/', port: 'admin' } }]),
    says: [
      'spec.services[0].healthCheck: ',
      "port 'admin' must be the name of an HTTP or TCP port of service 'web'; it has: [\"http\"]",
    ],
  },
  {
    rule: 'replicas-or-autoscaling',
    sent: stack([{ ...web, replicas: 2, autoscaling: { min: 2, max: 6, cpu: 70 } }]),
    says: [
      'spec.services[0].replicas: ',
      "service 'web' may have replicas or autoscaling, not both",
      'autoscaling.min',
    ],
  },
  {
    rule: 'autoscaling-min-up-to-max',
    sent: stack([{ ...web, autoscaling: { min: 3, max: 2, cpu: 70 } }]),
    says: ['spec.services[0].autoscaling.min: ', 'autoscaling.min 3 may not be larger than autoscaling.max 2'],
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
    rule: 'surge-or-unavailable',
    sent: stack([{ ...web, rollout: { maxSurge: 0 } }]),
    says: [
      'spec.services[0].rollout.maxSurge: ',
      'maxSurge 0 and maxUnavailable 0 may not stand together',
      'raise one',
    ],
  },
  {
    rule: 'unique-port-numbers',
    sent: stack([
      {
        ...web,
        ports: [
          { name: 'a', port: 53, protocol: 'UDP' },
          { name: 'b', port: 53, protocol: 'TCP' },
          { name: 'c', port: 53, protocol: 'UDP' },
        ],
      },
    ]),
    says: ['spec.services[0].ports: ', 'port 53 stands more than once'],
  },
  {
    rule: 'drain-within-grace-period',
    sent: stack([{ ...web, rollout: { drainSeconds: 30 } }]),
    says: [
      'spec.services[0].rollout.terminationGracePeriodSeconds: ',
      'terminationGracePeriodSeconds 30 must be more than drainSeconds 30',
    ],
  },
  {
    rule: 'one-value',
    sent: stack([{ ...web, variables: [{ name: 'A' }] }]),
    says: ['spec.services[0].variables[0]: ', "variable 'A' must have exactly one of value and valueFrom: "],
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
    rule: 'from-is-for-workers',
    sent: stack([web, { ...web, name: 'api', from: 'web' }]),
    says: ['spec.services[1].from: ', "service 'api' is of type Web and may not have from: 'web'; write type: Worker"],
  },
  {
    rule: 'from-or-image',
    sent: stack([web, { name: 'jobs', type: 'Worker', from: 'web', image: 'jobs:1' }]),
    says: [
      'spec.services[1].image: ',
      "service 'jobs' takes the image of 'web' (from), so image 'jobs:1' may not stand",
    ],
  },
  {
    rule: 'from-earlier',
    sent: stack([{ name: 'jobs', type: 'Worker', from: 'web' }, web]),
    says: [
      'spec.services: ',
      'may name only a service of type Web or Worker that is listed earlier',
      'these name others: ["jobs"]',
    ],
  },
  {
    rule: 'one-reference',
    sent: stack([{ ...web, variablesFrom: [{ secretRef: { name: 'db' }, configMapRef: { name: 'c' } }] }]),
    says: ['spec.services[0].variablesFrom[0]: ', "secretRef 'db' and configMapRef 'c': exactly one must be set"],
  },
  {
    rule: 'one-content',
    sent: stack([{ ...web, files: [{ path: '/a', content: '', secretKeyRef: { name: 'db', key: 'a' } }] }]),
    says: [
      'spec.services[0].files[0]: ',
      "file '/a' must have exactly one of content, secretKeyRef and configMapKeyRef",
    ],
  },
]
