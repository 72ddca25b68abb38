import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startCluster, stopCluster } from '../../cluster/cluster.ts'
import { establishCrds, makeAdmin } from '../../support/apiserver.ts'
import { rollOut } from '../../support/kubelet.ts'
import { makeProject, prepare, type ProductCluster } from '../../support/productCluster.ts'
import { startOperator, type SteppedOperator } from '../../support/steppedOperator.ts'
import { makeApp, makeInstance } from './world.ts'

/** A cluster of its own: the others would not get over the loss of a CRD. */
const name = 'test-crd-leaving'
let world: ProductCluster
let operator: SteppedOperator

beforeAll(async () => {
  const cluster = await startCluster({ name, level: 'control', report: () => undefined })
  const admin = await makeAdmin(cluster.kubeconfig)
  await establishCrds(admin)
  world = await prepare(cluster, admin)
  operator = await startOperator(world)
}, 120_000)

afterAll(async () => {
  await operator?.stop()
  await stopCluster({ name, report: () => undefined })
}, 60_000)

describe('our CRD being deleted', () => {
  it('releases the finalizers only; namespaces and workloads live on, and come under control again', async () => {
    const { hands } = world
    const project = await makeProject(hands)
    const { instance } = project
    await hands.apply(makeApp(project))
    await hands.apply(makeInstance(project))
    await operator.settle()
    await rollOut(hands, operator, instance)
    const before = await hands.get('Namespace', { namespace: '', name: instance })
    const pods = await hands.list('Pod', instance)
    operator.writes.splice(0)

    const crd = { namespace: '', name: 'appinstances.appstead.dev' }
    await hands.remove('CustomResourceDefinition', crd)
    await operator.until(
      'the CRD is gone',
      async () => (await hands.find('CustomResourceDefinition', crd)) === undefined,
      40,
    )
    expect(operator.writes.filter(({ verb }) => verb === 'delete')).toEqual([])
    expect((await hands.get('Namespace', { namespace: '', name: instance })).metadata).toEqual(before.metadata)
    expect((await hands.list('Pod', instance)).map(({ metadata }) => metadata.uid)).toEqual(
      pods.map(({ metadata }) => metadata.uid),
    )

    await establishCrds(hands.admin)
    await hands.apply(makeInstance(project))
    await operator.until(
      'the instance is taken over',
      async () => {
        const again = await hands.find('AppInstance', { namespace: project.namespace, name: instance })
        return again?.['status']?.phase === 'Running'
      },
      40,
    )
    expect((await hands.get('Namespace', { namespace: '', name: instance })).metadata.uid).toBe(before.metadata.uid)
    expect((await hands.list('Pod', instance)).map(({ metadata }) => metadata.uid)).toEqual(
      pods.map(({ metadata }) => metadata.uid),
    )
  }, 120_000)
})
