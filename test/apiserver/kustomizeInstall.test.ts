import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startCluster, stopCluster, type Cluster } from '../cluster/cluster.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { remember } from '../support/canaries.ts'
import { startOperatorProcess } from '../support/operatorProcess.ts'
import { writeKubeconfig } from '../support/productCluster.ts'

/** Installed with kubectl alone, on a cluster of its own: the operator works under the account that this gives it. */

const name = 'test-kustomize'
const folder = join(import.meta.dirname, '../../charts/kustomize')
let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster({ name, level: 'control', report: () => undefined })
}, 900_000)

afterAll(() => stopCluster({ name, report: () => undefined }), 60_000)

const kubectl = (...args: readonly string[]): string =>
  execFileSync(cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args], { encoding: 'utf8' })

/** A kubeconfig of the operator's account. */
function accountKubeconfig(): string {
  const token = kubectl('-n', 'appstead-system', 'create', 'token', 'appstead').trim()
  remember("the operator's token", token)
  return writeKubeconfig(cluster, token)
}

it('kubectl apply -k installs all that the operator needs, and once more changes nothing', async () => {
  kubectl('apply', '--server-side', '-k', folder)
  kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd/appinstances.appstead.dev')
  const versions = (): string =>
    kubectl('get', 'clusterroles,crds,deployments', '-A', '-o', 'jsonpath={.items[*].metadata.resourceVersion}')
  const before = versions()
  kubectl('apply', '--server-side', '-k', folder)
  expect(versions()).toBe(before)
  expect(kubectl('-n', 'appstead-system', 'get', 'deployment', 'appstead', '-o', 'jsonpath={.spec.replicas}')).toBe('2')

  const operator = await startOperatorProcess({ kubeconfig: accountKubeconfig() })
  try {
    const envs = (): string => kubectl('get', 'appenvs', '-o', 'name')
    await waitUntil('the default environments are there', 30, () =>
      Promise.resolve(envs().includes('appenv.appstead.dev/dev')),
    )
    // A type whose CRD was made just now is not served for a moment.
    expect(operator.complaints().filter((line) => !line.includes('TooManyRequests'))).toEqual([])
  } finally {
    expect(await operator.stop()).toBe(0)
  }
}, 120_000)
