import type { Sent } from './kindRequests.ts'
import { instance } from './ruleViolations.ts'
import { stack, web } from './serviceViolations.ts'

/** Changes that break the CEL rules of our kinds, and what the API server must say of each. */

const resolved = {
  name: 'web',
  type: 'Web',
  main: true,
  image: 'hello:1',
  ports: [],
  variables: [],
  files: [],
  resources: {},
  replicas: 1,
  rollout: { progressDeadlineSeconds: 300, drainSeconds: 10, terminationGracePeriodSeconds: 30 },
  generatedSecrets: [],
}
const release = {
  instance: 'hello-dev',
  instanceUid: '00000000-0000-4000-8000-000000000000',
  number: 1,
  stackRevision: 'app-hello-r1-abc123',
  generation: 1,
  renderVersion: 1,
  cause: 'first',
  services: [resolved],
}

const task = {
  instance: 'hello-dev',
  instanceUid: release.instanceUid,
  type: 'Create',
  attempt: 1,
  cause: 'instance created',
}

export interface Change {
  readonly rule: string
  readonly from: Sent
  readonly to: unknown
  readonly says: readonly string[]
}

/** Each rule about changes, broken. */
export const changes: readonly Change[] = [
  {
    // Only the order differs.
    rule: 'depends-on-earlier',
    from: { ...stack([web, { ...web, name: 'api', dependsOn: ['web'] }]), name: 'ordered' },
    to: { services: [{ ...web, name: 'api', dependsOn: ['web'] }, web] },
    says: ['spec.services: ', 'these name others: ["api"]'],
  },
  {
    rule: 'immutable-type',
    from: { kind: 'AppEnv', name: 'crds-test', spec: { type: 'dev' } },
    to: { type: 'prod' },
    says: ["spec.type 'dev' may not be changed to 'prod'"],
  },
  {
    rule: 'immutable-app',
    from: instance('a-b-c', 'a'),
    to: { app: 'a-b', env: 'dev' },
    says: ["spec.app 'a' may not be changed to 'a-b'"],
  },
  {
    rule: 'immutable-env',
    from: instance('hello-dev'),
    to: { app: 'hello', env: 'prod' },
    says: ["spec.env 'dev' may not be changed to 'prod'"],
  },
  {
    rule: 'name-or-services-for-ever',
    from: { kind: 'App', name: 'inline', spec: { stack: { services: [web] } } },
    to: { stack: { name: 'shop' } },
    says: ["the services stand here, and name 'shop' may not take their place", 'make a new App'],
  },
  {
    rule: 'name-or-services-for-ever',
    from: { kind: 'App', name: 'named', spec: { stack: { name: 'shop' } } },
    to: { stack: { services: [web] } },
    says: ["the stack is the AppStack 'shop', and services may not take its place", 'make a new App'],
  },
  {
    rule: 'immutable-revision',
    from: { kind: 'AppStackRevision', name: 'shop-r1', spec: { stack: 'shop', number: 1, services: [web] } },
    to: { stack: 'shop', number: 1, services: [{ ...web, image: 'other' }] },
    says: ["a revision of stack 'shop' may not be changed", 'edit its AppStack or App'],
  },
  {
    rule: 'immutable-release',
    from: { kind: 'AppRelease', name: 'hello-dev-r1', spec: release },
    to: { ...release, services: [{ ...resolved, image: 'hello:2' }] },
    says: ["release 1 of 'hello-dev' may not be changed", 'change the AppInstance'],
  },
  {
    rule: 'immutable-task',
    from: { kind: 'AppTask', name: 'hello-dev-create-1', spec: task },
    to: { ...task, cause: 'other' },
    says: ["the task of type 'Create' for 'hello-dev' may not be changed", 'make another one'],
  },
]
