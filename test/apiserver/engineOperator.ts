import process from 'node:process'
import { afterEach, beforeAll, beforeEach } from '@jest/globals'
import type { Config } from '../../operator/config.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient } from '../../operator/kube/restClient.ts'
import type { AppsteadOperator as Operator } from '../../operator/operator.ts'
import { systemClock } from '../../operator/runtime/clock.ts'
import type { Controller } from '../../operator/runtime/controller.ts'
import { makeLog } from '../../operator/runtime/log.ts'
import { startProxy, type Proxy } from '../faults/proxy.ts'
import { boxKind, informers, installBox, type Box } from './engineBox.ts'
import { makeNamespace, type TestCluster } from './engineCluster.ts'

// Jest cannot let a CommonJS package (@dot-i's) require an ES module that is itself being linked: client-node must be there before.
const { AppsteadOperator } = await import('../../operator/operator.ts')

/** What each test of the engine has at hand. */
export interface Bench {
  /** Of this test alone. */
  readonly namespace: string
  /** What the operators of this test logged, a line each. */
  readonly logged: readonly string[]
  /** Starts an operator of boxes; it is drained after the test. */
  start(controller: Controller<Box, unknown>, config?: Partial<Config>): Promise<Operator>
  /** Puts a proxy in front of the cluster for the operators started from now on. */
  proxied(): Promise<Proxy>
  getBox(name: string): Promise<Box>
}

/** The Bench of a file's tests: the kind Box on its cluster, and operators whose only controller a test brings. */
export function useBench(here: TestCluster): Bench {
  const running: Operator[] = []
  const logged: string[] = []
  let proxy: Proxy | undefined
  let namespace = ''
  beforeAll(() => installBox(here.client), 60_000)
  beforeEach(async () => {
    namespace = await makeNamespace(here.client)
  })
  afterEach(async () => {
    await Promise.all(running.splice(0).map((operator) => operator.drain()))
    await proxy?.close()
    proxy = undefined
    process.env['KUBECONFIG'] = here.cluster.kubeconfig
    logged.length = 0
  })
  return {
    get namespace() {
      return namespace
    },
    logged,
    async start(controller, more = {}) {
      const log = makeLog('debug', { write: (line) => void logged.push(line) })
      const client = makeKubeClient(loadKubeConfig())
      const config = { workers: 4, reconcileDeadlineSeconds: 30, stopGraceSeconds: 5, instance: 'test', ...more }
      const operator = new AppsteadOperator({
        config,
        log,
        client,
        clock: systemClock,
        informers,
        controllers: [controller],
      })
      running.push(operator)
      await operator.start()
      return operator
    },
    async proxied() {
      proxy = await startProxy(here.cluster.kubeconfig)
      process.env['KUBECONFIG'] = proxy.kubeconfig
      return proxy
    },
    getBox: async (name) => (await here.client.get(boxKind, { namespace, name })) as Box,
  }
}
