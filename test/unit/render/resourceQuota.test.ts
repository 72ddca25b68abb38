import { expect, it } from '@jest/globals'
import type { Quota } from '../../../operator/api/quota.ts'
import type { ResolvedService } from '../../../operator/api/service/resolvedService.ts'
import type { Input } from '../../../operator/render/resolve/input.ts'
import { quotaObjectionsTo } from '../../../operator/render/resolve/quotaObjections.ts'
import { makeResourceQuota } from '../../../operator/render/resourceQuota.ts'

const owner = { app: 'a', env: 'dev', instance: 'a-dev', project: 'p' }

const service = (name: string, replicas: number, cpu: string, more: object = {}): ResolvedService =>
  ({ name, replicas, resources: { requests: { cpu } }, ...more }) as unknown as ResolvedService

const migrating = { actions: [{ name: 'migrate' }] }
const scaled = { replicas: undefined, autoscaling: { min: 1, max: 5, cpu: 70 } }

const hardOf = (quota: Quota, services: readonly ResolvedService[], before: readonly (readonly ResolvedService[])[]) =>
  (makeResourceQuota(owner, quota, services, before).object as unknown as { spec: { hard: object } }).spec.hard

it.each([
  ['the quota, and all replicas anew', [service('web', 2, '500m')], [], '3', '6'],
  ['as many as autoscaling may ask for', [service('web', 1, '100m', scaled)], [], '2500m', '10'],
  [
    'the largest Job of those that may run',
    [service('web', 1, '500m', migrating), service('jobs', 1, '750m', migrating), service('cron', 1, '1')],
    [],
    '5250m',
    '8',
  ],
  ['what runs, where that is more', [service('web', 6, '1')], [], '12', '12'],
  [
    'what is being replaced, where that is more, and its Job',
    [service('web', 1, '100m')],
    [[service('web', 3, '2', migrating)], [service('web', 1, '100m')]],
    '8100m',
    '6',
  ],
] as const)('a ResourceQuota has room for %s', (_what, services, before, cpu, pods) => {
  expect(hardOf({ requests: { cpu: '2' }, pods: 4 }, services, before)).toEqual({ 'requests.cpu': cpu, pods })
})

it('a limit counts as the request where there is none, as the API server has it', () => {
  const web = service('web', 2, '', { resources: { limits: { cpu: '500m', memory: '1Gi' } } })
  const quota = { requests: { cpu: '2', memory: '2Gi' }, limits: { memory: '3Gi' } }
  expect(hardOf(quota, [web], [])).toEqual({ 'requests.cpu': '3', 'requests.memory': '4Gi', 'limits.memory': '5Gi' })
})

it('too much, and what has no limit where there must be one, is said with who takes how much', () => {
  const quota = { requests: { cpu: '2' }, limits: { memory: '1Gi' }, pods: 6 }
  const input = {
    instance: { metadata: { name: 'a-dev' }, spec: { env: 'small' } },
    env: { spec: { type: 'dev', defaults: { quota } } },
  } as unknown as Input
  const web = service('web', 0, '', {
    ...scaled,
    resources: { requests: { cpu: '400m' }, limits: { memory: '256Mi' } },
  })
  const said = quotaObjectionsTo(input, [web, service('jobs', 2, '0.25')])
  expect(said.map(({ message }) => message)).toEqual([
    "services[jobs].resources.limits.memory is not set, but spec.defaults.quota.limits.memory of AppEnv 'small' is '1Gi', and no replica is let in without a limit: set it in the stack, or in spec.services of the AppInstance",
    "spec.defaults.quota.requests.cpu of AppEnv 'small' is '2', but 'a-dev' would take 2500m in all (web: up to 5 of 400m, jobs: 2 of 0.25): lower replicas or resources.requests.cpu, or have the quota raised",
    "spec.defaults.quota.limits.memory of AppEnv 'small' is '1Gi', but 'a-dev' would take 1280Mi in all (web: up to 5 of 256Mi): lower replicas or resources.limits.memory, or have the quota raised",
    "spec.defaults.quota.pods of AppEnv 'small' is '6', but 'a-dev' would have 7 replicas in all (web: up to 5, jobs: 2): lower replicas, or have the quota raised",
  ])
})
