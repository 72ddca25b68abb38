import type { Sent } from './kindRequests.ts'
import { linkViolations } from './linkViolations.ts'
import { serviceViolations, stack, web } from './serviceViolations.ts'
import { volumeViolations } from './volumeViolations.ts'

/** Requests that break the CEL rules of our kinds, and what the API server must say of each. */

export const instance = (name: string, app = 'hello'): Sent => ({
  kind: 'AppInstance',
  name,
  spec: { app, env: 'dev' },
})

const seed = { service: 'web', name: 'seed' }

const appFor = (subject: object): Sent => ({
  kind: 'App',
  name: 'hello',
  spec: { stack: { services: [web] }, access: [{ subject, role: 'Viewer' }] },
})

export interface Violation {
  /** Id of the rule that is broken. */
  readonly rule: string
  readonly sent: Sent
  /** Field, value and what would be right, as the server says it. */
  readonly says: readonly string[]
}

const bothScales = { name: 'jobs', replicas: 2, autoscaling: { min: 2, max: 6, cpu: 70 } }

/** Each rule that holds on creation, broken. */
export const violations: readonly Violation[] = [
  ...[
    {
      sent: { kind: 'AppInstance', name: 'hello-dev', spec: { app: 'hello', env: 'dev', services: [bothScales] } },
      at: 'spec.services[0]',
    },
    {
      sent: {
        kind: 'App',
        name: 'hello',
        spec: { stack: { name: 'shop' }, defaults: [{ envTypes: ['dev'], services: [bothScales] }] },
      },
      at: 'spec.defaults[0].services[0]',
    },
  ].map(({ sent, at }) => ({
    rule: 'replicas-or-autoscaling',
    sent,
    says: [`${at}.replicas: `, "service 'jobs' may have replicas or autoscaling, not both"],
  })),
  {
    rule: 'action-of-its-type',
    sent: { kind: 'AppTask', name: 'seed-1', spec: { instance: 'hello-dev', type: 'Action' } },
    says: [
      'a task of type Action must name an action, such as {service: web, name: seed}',
      "this one is of type 'Action'",
    ],
  },
  {
    rule: 'attempt-of-its-type',
    sent: {
      kind: 'AppTask',
      name: 'seed-1',
      spec: { instance: 'hello-dev', type: 'Action', action: seed, attempt: 2 },
    },
    says: ["a task of type 'Action' may have no attempt and no token"],
  },
  {
    rule: 'attempt-of-its-type',
    sent: { kind: 'AppTask', name: 'hello-dev-create-1', spec: { instance: 'hello-dev', type: 'Create' } },
    says: ["a task of type 'Create' must have attempt, cause and instanceUid"],
  },
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
    rule: 'account-has-namespace',
    sent: appFor({ kind: 'ServiceAccount', name: 'ci' }),
    says: ['spec.access[0].subject: ', "namespace must be set for ServiceAccount 'ci'"],
  },
  {
    rule: 'account-has-namespace',
    sent: appFor({ kind: 'Group', name: 'developers', namespace: 'team' }),
    says: ["namespace must not be set for Group 'developers'"],
  },
  {
    rule: 'account-name',
    sent: appFor({ kind: 'ServiceAccount', name: 'CI 1', namespace: 'team' }),
    says: ['spec.access[0].subject: ', "name 'CI 1' of a ServiceAccount must be lower-case letters"],
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
  ...[{}, { requests: {} }, { requests: {}, limits: {} }].map((quota) => ({
    rule: 'quota-limits-something',
    sent: { kind: 'AppEnv', name: 'live', spec: { type: 'dev', defaults: { quota } } },
    says: ['spec.defaults.quota: ', 'quota must limit something: set requests.cpu'],
  })),
  {
    rule: 'revision-or-auto-upgrade',
    sent: {
      kind: 'AppInstance',
      name: 'hello-dev',
      spec: { app: 'hello', env: 'dev', stack: { revision: 'shop-1.4', autoUpgrade: true } },
    },
    says: ['spec.stack.autoUpgrade: ', "revision 'shop-1.4' and autoUpgrade: true may not both be set"],
  },
  ...serviceViolations,
  ...linkViolations,
  ...volumeViolations,
]
