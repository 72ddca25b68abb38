import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { createDefaultEnvs } from '../../../operator/controllers/appEnv/defaultEnvs.ts'
import type { AppsteadOperator, AppsteadOperatorOptions } from '../../../operator/operator.ts'
import { startProxy } from '../../faults/proxy.ts'
import { request } from '../../faults/proxyRules.ts'
import { makeProject, productCluster, type ProductCluster } from '../../support/productCluster.ts'
import { startOperator, type Fault, type SteppedOperator } from '../../support/steppedOperator.ts'
import { eventually } from '../engineCluster.ts'
import { makeApp, makeInstance } from './world.ts'

let cluster: ProductCluster
let operator: SteppedOperator | undefined

const envs = async (): Promise<string[]> =>
  (await cluster.hands.list('AppEnv', '')).map(({ metadata }) => metadata.name)
const makeEnv = (name: string): object => ({
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'AppEnv',
  metadata: { name },
  spec: { type: 'dev' },
})

async function start(fault?: Fault): Promise<SteppedOperator> {
  await operator?.stop()
  operator = await startOperator(cluster, fault)
  await operator.settle()
  return operator
}

/** No operator is at work that would let it go. */
async function removeEnv(name: string): Promise<void> {
  const ref = { namespace: '', name }
  await cluster.hands.patch('AppEnv', ref, { metadata: { finalizers: null } })
  await cluster.hands.remove('AppEnv', ref)
}

beforeAll(async () => {
  cluster = await productCluster()
}, 120_000)
beforeEach(async () => {
  for (const name of await envs()) await removeEnv(name)
})
afterEach(async () => {
  await operator?.stop()
  operator = undefined
})

describe('the default AppEnvs', () => {
  it('are made in a cluster without one, before anything else is written; and once', async () => {
    const { hands } = cluster
    const project = await makeProject(hands)
    await hands.apply(makeApp(project))
    await hands.apply(makeInstance(project))
    const { writes } = await start()
    expect(writes.slice(0, 3).map(({ verb, kind, ref }) => `${verb} ${kind} ${ref.name}`)).toEqual([
      'create AppEnv prod',
      'create AppEnv staging',
      'create AppEnv dev',
    ])
    expect(writes.slice(3).filter(({ kind }) => kind === 'AppEnv')).toEqual([])
    // No instance was told that there is no env, only because ours were not there yet.
    expect(JSON.stringify(await hands.list('Event', project.namespace))).not.toContain('EnvNotFound')
    await removeEnv('staging')
    await start()
    expect(await envs()).toEqual(['dev', 'prod'])
  }, 30_000)

  it('are not put beside those of an admin', async () => {
    await cluster.hands.apply(makeEnv('qa'))
    await start()
    expect(await envs()).toEqual(['qa'])
  }, 30_000)

  it('that the server does not answer for keep no operator from ending when it is told to', async () => {
    const proxy = await startProxy(cluster.operatorKubeconfig)
    const hold = proxy.hold(request('POST', '/appenvs'))
    const running = Promise.withResolvers<AppsteadOperator>()
    const prepare: AppsteadOperatorOptions['prepare'] = (inside, signal) => {
      running.resolve(inside)
      return createDefaultEnvs({ client: inside.client, cache: inside.cache, log: pino({ level: 'silent' }), signal })
    }
    try {
      const started = startOperator({ ...cluster, operatorKubeconfig: proxy.kubeconfig }, undefined, { prepare })
      const inside = await running.promise
      await eventually(() => hold.count === 1)
      // The request itself has 30 s.
      await inside.drain()
      await started
      expect(inside.isWorking).toBe(false)
      expect(await envs()).toEqual([])
      expect(hold.count).toBe(1)
    } finally {
      await proxy.close()
    }
  }, 20_000)

  it('that a policy refuses are left to an admin: the operator works, and the instance says what it waits for', async () => {
    const { hands } = cluster
    const api = 'admissionregistration.k8s.io/v1'
    const metadata = { name: 'no-prod-env' }
    const rule = {
      apiGroups: ['appstead.dev'],
      apiVersions: ['v1alpha1'],
      operations: ['CREATE'],
      resources: ['appenvs'],
    }
    const spec = {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: "object.metadata.name != 'prod'", message: 'prod is made by the platform team' }],
    }
    await hands.apply({ apiVersion: api, kind: 'ValidatingAdmissionPolicy', metadata, spec })
    const binding = { policyName: metadata.name, validationActions: ['Deny'] }
    await hands.apply({ apiVersion: api, kind: 'ValidatingAdmissionPolicyBinding', metadata, spec: binding })
    try {
      const deadline = Date.now() + 20_000
      while ((await hands.tryApply(makeEnv('prod'))).status < 300) {
        await hands.remove('AppEnv', { namespace: '', name: 'prod' })
        if (Date.now() > deadline) throw new Error('the policy did not come into force')
      }
      const { log, operator: running } = await start()
      expect(running.isWorking).toBe(true)
      expect(await envs()).toEqual(['dev', 'staging'])
      expect(log.filter(({ level, msg }) => level === 'warn' && msg.includes('AppEnv'))).toHaveLength(1)
    } finally {
      await hands.remove('ValidatingAdmissionPolicyBinding', { namespace: '', name: metadata.name })
      await hands.remove('ValidatingAdmissionPolicy', { namespace: '', name: metadata.name })
    }
  }, 60_000)
})
