import { join } from 'node:path'
import process from 'node:process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { annotations } from '../../operator/api/meta.ts'
import { readConfig } from '../../operator/config.ts'
import { startCluster, stopCluster } from '../cluster/cluster.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { tryRun, type Finished } from '../cluster/process.ts'
import { startProxy } from '../faults/proxy.ts'
import { auditMark, describeRequest, requestsOf } from '../support/auditLog.ts'
import { establishCrds, makeAdmin } from '../support/apiserver.ts'
import { beginOperatorProcess, type OperatorProcess } from '../support/operatorProcess.ts'
import { prepare, type ProductCluster } from '../support/productCluster.ts'

/** What keeps the operator from starting, on a cluster of its own: it says so in a line, waits, and touches nothing. */

const name = 'test-preflight'
let world: ProductCluster
let operator: OperatorProcess | undefined

beforeAll(async () => {
  const cluster = await startCluster({ name, level: 'control', report: () => undefined })
  world = await prepare(cluster, await makeAdmin(cluster.kubeconfig))
}, 900_000)

afterEach(async () => {
  const code = await operator?.stop()
  operator = undefined
  expect(code ?? 0).toBe(0)
}, 30_000)

afterAll(() => stopCluster({ name, report: () => undefined }), 60_000)

/** The objections that its log tells, in order. */
function objections(): readonly string[] {
  const lines = operator!
    .output()
    .split('\n')
    .filter((line) => line.includes('Cannot start yet'))
  return lines.map((line) => (JSON.parse(line) as { objection: string }).objection)
}

/** Starts it, and resolves with the objection that /readyz and the log tell, both the same. */
async function begin(kubeconfig = world.operatorKubeconfig): Promise<string> {
  operator = await beginOperatorProcess({ kubeconfig })
  await waitUntil('it says what it waits for', 20, async () => {
    const { lines } = await operator!.readiness()
    return objections().length > 0 && lines.includes(objections()[0]!)
  })
  return objections()[0]!
}

const untilReady = (): Promise<void> => waitUntil('it is ready', 30, async () => (await operator!.readiness()).isReady)

/** Everything but looking that was asked of the API server since. */
function changes(mark: number): readonly string[] {
  const reviews = 'create selfsubjectrulesreviews'
  const asked = requestsOf(world.cluster, world.operatorUser, mark).map(describeRequest)
  return asked.filter((request) => !/^(get|list|watch) /.test(request) && request !== reviews)
}

const crd = { namespace: '', name: 'appinstances.appstead.dev' }

async function setBundle(version: string): Promise<void> {
  const annotated = { metadata: { annotations: { [annotations.bundleVersion]: version } } }
  await world.hands.patch('CustomResourceDefinition', crd, annotated)
}

describe('an operator that cannot start', () => {
  it('without CRDs names them, writes nothing, and starts as soon as they are there', async () => {
    const mark = auditMark(world.cluster)
    expect(await begin()).toMatch(
      /^CustomResourceDefinitions are missing: appenvs\.appstead\.dev, .*apptasks\.appstead\.dev\. Apply those of the chart/,
    )
    expect(changes(mark)).toEqual([])
    await establishCrds(world.hands.admin)
    await untilReady()
    expect(objections()).toHaveLength(1)
  }, 90_000)

  it('with CRDs of a newer Appstead says which, and what to install', async () => {
    const { hands, cluster } = world
    const { metadata } = await hands.get('CustomResourceDefinition', crd)
    const own = metadata.annotations?.[annotations.bundleVersion] ?? ''
    const mark = auditMark(cluster)
    await setBundle('9.1.0')
    expect(await begin()).toBe(
      `CustomResourceDefinition appinstances.appstead.dev is of Appstead 9.1.0, and this operator is ${own}: it would lose what it does not know. Install the chart of 9.1.0 or newer.`,
    )
    expect(changes(mark)).toEqual([])
    await setBundle(own)
    await untilReady()
  }, 90_000)

  it('on an older Kubernetes says which it needs', async () => {
    const proxy = await startProxy(world.operatorKubeconfig)
    const mark = auditMark(world.cluster)
    proxy.rule(({ url }) =>
      url.startsWith('/version')
        ? { kind: 'rewrite', body: (text) => text.replaceAll('v1.36.3', 'v1.32.9+k3s1') }
        : undefined,
    )
    try {
      expect(await begin(proxy.kubeconfig)).toBe(
        'The API server is Kubernetes v1.32.9+k3s1; Appstead needs v1.33.0 or newer. Upgrade the cluster.',
      )
      expect(changes(mark)).toEqual([])
    } finally {
      await proxy.close()
    }
  }, 90_000)

  it('without its rights names them, and starts when they are given', async () => {
    const { hands, cluster } = world
    const role = { namespace: '', name: 'appstead' }
    const { rules } = await hands.get('ClusterRole', role)
    const without = (rules as readonly { resources: readonly string[] }[]).filter(
      ({ resources }) => !resources.includes('deployments') && !resources.includes('pods'),
    )
    await hands.patch('ClusterRole', role, { rules: without })
    const mark = auditMark(cluster)
    expect(await begin()).toMatch(
      /^Rights are missing: .*list pods, watch pods.*The chart's ClusterRole, its Role in the namespace 'appstead-system'/,
    )
    expect(changes(mark)).toEqual([])
    await hands.patch('ClusterRole', role, { rules })
    await untilReady()
  }, 90_000)
})

describe('the self test of helm test', () => {
  const selfTest = join(import.meta.dirname, '../../operator/jobs/selfTest.ts')
  const ask = (): Promise<Finished> =>
    tryRun(process.execPath, [selfTest], { env: { KUBECONFIG: world.operatorKubeconfig } })

  it('is content with what was installed, and names what is not', async () => {
    expect(await ask()).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /^Appstead \S+ on Kubernetes v1\.36\.3: its kinds, its rights and the policies of the API server are in place\.\n$/,
      ),
    })
    await setBundle('9.1.0')
    expect(await ask()).toMatchObject({ status: 1, stdout: expect.stringContaining('is of Appstead 9.1.0') })
  }, 60_000)

  it('finds policies that are not in force, and stores nothing by that', async () => {
    const { hands } = world
    await setBundle(readConfig({}).version)
    for (const binding of await hands.list('ValidatingAdmissionPolicyBinding', ''))
      await hands.remove('ValidatingAdmissionPolicyBinding', { namespace: '', name: binding.metadata.name })
    await waitUntil('it says so', 30, async () => (await ask()).stdout.includes('are not in force'))
    const left = await hands.find('ConfigMap', { namespace: 'default', name: 'appstead-self-test' })
    expect(left).toBeUndefined()
  }, 60_000)
})
