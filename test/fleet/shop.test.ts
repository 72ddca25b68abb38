import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { loadAll } from 'js-yaml'
// Jest cannot let a CommonJS package (@dot-i's) require an ES module that is itself being linked: client-node must be there before.
import '../../operator/kube/access.ts'
import { annotations, apiVersion, labels } from '../../operator/api/meta.ts'
import { auditMark, requestsOf } from '../support/auditLog.ts'
import type { OperatorProcess } from '../support/operatorProcess.ts'
import { allReady, settle } from './quiet.ts'
import { countByKind, isRead, isStanding } from './served.ts'
import { useFleet } from './world.ts'

/** Instances of examples/shop: two services, a database from outside, a volume and an action each. */

const project = 'shop-team'
const count = 300
const names = Array.from({ length: count }, (_, index) => `shop-i${index}`)
const secondsOfRest = 60

const stack = loadAll(readFileSync(new URL('../../examples/shop/shop.yaml', import.meta.url), 'utf8')).find(
  (object) => (object as { readonly kind: string }).kind === 'AppStack',
) as { readonly metadata: object }

const database = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    namespace: project,
    name: 'shop-pg',
    labels: { [labels.allow]: 'true' },
    annotations: { [annotations.allowApps]: 'shop' },
  },
  stringData: {
    uri: 'postgresql://shop:word@db.example:5432/shop',
    host: 'db.example',
    port: '5432',
    username: 'shop',
    password: 'word',
    database: 'shop',
  },
}

/** Nodes of level kwok have no disks: the volume an instance's claim is bound to. */
function volumeFor(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteMany'],
      storageClassName: 'shared',
      hostPath: { path: `/none/${name}` },
    },
  }
}

const instanceOf = (name: string): object => ({
  apiVersion,
  kind: 'AppInstance',
  metadata: { namespace: project, name },
  spec: {
    app: 'shop',
    env: 'dev',
    image: 'shop:1',
    services: [{ name: 'db', external: { secretName: 'shop-pg' } }],
  },
})

describe(`${count} instances of examples/shop`, () => {
  const world = useFleet('test-fleet-shop')
  let operator: OperatorProcess | undefined

  beforeAll(async () => {
    const { hands } = world
    await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: project } })
    await hands.apply({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'shared' },
      provisioner: 'kubernetes.io/no-provisioner',
    })
    await Promise.all(names.map((name) => hands.apply(volumeFor(name))))
    await hands.apply(database)
    await hands.apply({ ...stack, metadata: { ...stack.metadata, namespace: project } })
    const metadata = { namespace: project, name: 'shop' }
    await hands.apply({ apiVersion, kind: 'App', metadata, spec: { stack: { name: 'shop' } } })
    operator = await world.startOperator()
  }, 120_000)

  it('become Ready, read their Secret once each at most, and then ask for nothing', async () => {
    const { hands, cluster, operatorUser } = world
    const started = auditMark(cluster)
    await Promise.all(names.map((name) => hands.apply(instanceOf(name))))
    await allReady(world)
    await settle(world)
    const reads = countByKind(
      requestsOf(cluster, operatorUser, started).filter((request) => isRead(request) && !isStanding(request)),
    )
    const { 'get secrets': secrets = 0, ...others } = reads
    expect(others).toEqual({})
    // One each, and the operator's own key, by which it tells values apart.
    expect(secrets).toBeLessThanOrEqual(count + 1)

    const mark = auditMark(cluster)
    await pause(secondsOfRest * 1000)
    const requests = requestsOf(cluster, operatorUser, mark)
    expect(countByKind(requests.filter((request) => !isStanding(request)))).toEqual({})
    expect(operator?.complaints()).toEqual([])
  }, 900_000)
})
