import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { startCluster, stopCluster } from '../../cluster/cluster.ts'
import { makeAdmin } from '../../support/apiserver.ts'
import { auditMark, requestsOf } from '../../support/auditLog.ts'
import type { Anything, Hands } from '../../support/hands.ts'
import { makePodsReady } from '../../support/kubelet.ts'
import {
  makeProject,
  prepare,
  productCluster,
  type ProductCluster,
  type Project,
} from '../../support/productCluster.ts'
import { startOperator, type SteppedOperator } from '../../support/steppedOperator.ts'
import { layCable, type Cable, type Cut } from './cable.ts'
import { makeApp, makeInstance } from './world.ts'

/** Two real control planes, and one that takes connections and never answers. */
const clusterLabel = 'appstead.test/cluster'
const otherName = 'test-other'

let world: ProductCluster
let other: ProductCluster
let operator: SteppedOperator
let project: Project
const silent = { sockets: new Set<Socket>(), server: undefined as Server | undefined }

/** The kubeconfig of a server that accepts and says nothing. */
async function silentServer(): Promise<string> {
  const server = createServer((socket) => void silent.sockets.add(socket))
  silent.server = server
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return kubeconfigOf(other).replace(/server: .*/, `server: https://127.0.0.1:${port}`)
}

const kubeconfigOf = ({ operatorKubeconfig }: ProductCluster): string => readFileSync(operatorKubeconfig, 'utf8')

beforeAll(async () => {
  world = await productCluster()
  const cluster = await startCluster({ name: otherName, level: 'control', report: () => undefined })
  other = await prepare(cluster, await makeAdmin(cluster.kubeconfig))
  operator = await startOperator(world, undefined, {
    placement: ({ metadata }: KubeObject) => metadata.labels?.[clusterLabel] ?? 'local',
  })
  operator.operator.addCluster({ name: 'other', kubeconfig: kubeconfigOf(other) })
  operator.operator.addCluster({ name: 'silent', kubeconfig: await silentServer() })
}, 120_000)

beforeEach(async () => {
  project = await makeProject(world.hands)
})

afterAll(async () => {
  await operator.stop()
  for (const socket of silent.sockets) socket.destroy()
  await new Promise((resolve) => silent.server?.close(resolve))
  await stopCluster({ name: otherName, report: () => undefined })
}, 60_000)

function instanceOn(cluster: string, name = project.instance): KubeObject {
  const instance = makeInstance({ ...project, instance: name }) as KubeObject
  return { ...instance, metadata: { ...instance.metadata, labels: { [clusterLabel]: cluster } } }
}

const find = (hands: Hands, kind: string, name: string) => hands.find(kind, { namespace: '', name })
const namespaceOf = (instance: string) => find(other.hands, 'Namespace', instance)
const instanceOf = (name: string) => world.hands.find('AppInstance', { namespace: project.namespace, name })
const phaseOf = async (name = project.instance): Promise<string> =>
  (await world.hands.get('AppInstance', { namespace: project.namespace, name }))['status']?.phase

/** Resolves when its pods, which become ready as they appear on the cluster of `hands`, make the instance Running. */
async function runs(hands: Hands, instance: string): Promise<void> {
  await operator.until(`${instance} is Running`, async () => {
    await makePodsReady(hands, instance)
    return (await phaseOf(instance)) === 'Running'
  })
}

describe('instances on several clusters', () => {
  it('run where they are placed, are told of at home, and are removed where they ran', async () => {
    const { instance, namespace } = project
    await world.hands.apply(makeApp(project))
    await world.hands.apply(instanceOn('other'))
    await operator.until('its Deployment is on the other cluster', async () => {
      return (await other.hands.list('Deployment', instance)).length === 1
    })
    await runs(other.hands, instance)
    expect(await find(world.hands, 'Namespace', instance)).toBeUndefined()
    const releases = await world.hands.list('AppRelease', namespace)
    expect(releases.map(({ status }) => status['conditions'][0].reason)).toEqual(['RolledOut'])
    const events = await other.hands.list('Event', 'default')
    expect(events.filter((event) => event['reportingComponent'] === 'appstead.dev/operator')).toEqual([])

    await other.hands.remove('Deployment', { namespace: instance, name: 'web' })
    await operator.until('the Deployment is there again', async () => {
      return (await other.hands.list('Deployment', instance)).length === 1
    })
    await world.hands.remove('AppInstance', { namespace, name: instance })
    await operator.until(
      'it is gone at home',
      async () => {
        return (await world.hands.find('AppInstance', { namespace, name: instance })) === undefined
      },
      60,
    )
    expect(await find(other.hands, 'Namespace', instance)).toBeUndefined()
  }, 120_000)

  it('do not wait for a cluster that never answers', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `${project.app}-silent${index}`)
    await world.hands.apply(makeApp(project))
    for (const name of names) await world.hands.apply(instanceOn('silent', name))
    await world.hands.apply(instanceOn('local'))
    await runs(world.hands, project.instance)
    await world.hands.apply(instanceOn('other', `${project.app}-there`))
    await operator.until('its Deployment is on the other cluster', async () => {
      return (await other.hands.list('Deployment', `${project.app}-there`)).length === 1
    })
    expect(silent.sockets.size).toBeGreaterThan(0)
    // Nobody has looked at them: no status says anything that was not seen.
    for (const name of names) expect(await phaseOf(name)).toBeUndefined()
    for (const name of names) expect(await find(world.hands, 'Namespace', name)).toBeUndefined()
  }, 60_000)

  it('are left alone when another cluster answers than the one they are on', async () => {
    const mark = operator.log.length
    const kubeconfig = kubeconfigOf(other)
    operator.operator.addCluster({ name: 'moved', kubeconfig, identity: 'the-uid-it-had' })
    await world.hands.apply(makeApp(project))
    await world.hands.apply(instanceOn('moved'))
    await operator.until('it is refused', async () => {
      return operator.log.slice(mark).some(({ msg }) => msg.startsWith('Refusing to work'))
    })
    expect(await find(other.hands, 'Namespace', project.instance)).toBeUndefined()
    await operator.operator.removeCluster('moved')
    const { uid = '' } = (await other.hands.get('Namespace', { namespace: '', name: 'kube-system' })).metadata
    operator.operator.addCluster({ name: 'moved', kubeconfig, identity: uid })
    await operator.until('its Deployment is there', async () => {
      return (await other.hands.list('Deployment', project.instance)).length === 1
    })
  }, 60_000)

  it('are never reached by a kubeconfig that runs a program', () => {
    const kubeconfig = kubeconfigOf(other).replace(/token: .*/, 'exec: {command: /bin/sh}')
    expect(() => operator.operator.addCluster({ name: 'evil', kubeconfig })).toThrow('users[0].user.exec')
  })

  it('live on when their cluster is taken out', async () => {
    operator.operator.addCluster({ name: 'leaving', kubeconfig: kubeconfigOf(other) })
    await world.hands.apply(makeApp(project))
    await world.hands.apply(instanceOn('leaving'))
    await operator.until('its Deployment is there', async () => {
      return (await other.hands.list('Deployment', project.instance)).length === 1
    })
    await operator.operator.removeCluster('leaving')
    await world.hands.apply({ ...instanceOn('leaving'), spec: { app: project.app, env: 'dev', image: 'hello:2' } })
    await other.hands.remove('Deployment', { namespace: project.instance, name: 'web' })
    await world.hands.apply(instanceOn('local', `${project.app}-here`))
    await runs(world.hands, `${project.app}-here`)
    expect(await other.hands.list('Deployment', project.instance)).toEqual([])
    expect(await find(other.hands, 'Namespace', project.instance)).toBeDefined()
  }, 60_000)
})

describe('a cluster that worked and is cut off', () => {
  let cable: Cable
  afterEach(() => cable.close())

  it.each<Cut>(['silent', 'reset'])(
    'costs those at home nothing and loses nothing (%s)',
    async (how) => {
      const [kept, leaving] = [project.instance, `${project.app}-leaving`]
      const [here, fresh] = [`${project.app}-here`, `${project.app}-fresh`]
      const name = `cut-${how}`
      const kubeconfig = kubeconfigOf(other)
      cable = await layCable(Number(/server: .*:(\d+)/.exec(kubeconfig)?.[1]))
      const server = `server: https://127.0.0.1:${cable.port}`
      operator.operator.addCluster({ name, kubeconfig: kubeconfig.replace(/server: .*/, server) })
      await world.hands.apply(makeApp(project))
      for (const each of [kept, leaving]) await world.hands.apply(instanceOn(name, each))
      await world.hands.apply(instanceOn('local', here))
      for (const each of [kept, leaving]) await runs(other.hands, each)
      await runs(world.hands, here)
      await operator.settle()
      const uidBefore = (await namespaceOf(kept))?.metadata.uid
      const mark = auditMark(other.cluster)
      operator.writes.splice(0)

      cable.cut(how)
      const changed = instanceOn(name, kept)
      await world.hands.apply({ ...changed, spec: { ...(changed as Anything)['spec'], image: 'hello:2' } })
      await world.hands.remove('AppInstance', { namespace: project.namespace, name: leaving })
      await other.hands.remove('Deployment', { namespace: kept, name: 'web' })
      await world.hands.apply(instanceOn('local', fresh))
      await runs(world.hands, fresh)
      await operator.until('the operator has tried', async () => cable.lost > 0)
      expect(await phaseOf(here)).toBe('Running')
      // Its namespace was not seen to go.
      expect((await instanceOf(leaving))?.metadata.deletionTimestamp).toBeDefined()
      for (const each of [kept, leaving]) {
        expect((await namespaceOf(each))?.metadata).not.toHaveProperty('deletionTimestamp')
      }

      cable.mend()
      await operator.until(
        'what was changed has arrived',
        async () => {
          await makePodsReady(other.hands, kept)
          const [web] = await other.hands.list('Deployment', kept)
          const image = web?.['spec'].template.spec.containers[0].image
          return image === 'hello:2' && (await phaseOf(kept)) === 'Running'
        },
        60,
      )
      const isGone = async () => (await instanceOf(leaving)) === undefined
      await operator.until('the one that was deleted is gone', isGone, 60)
      expect(await namespaceOf(leaving)).toBeUndefined()
      expect((await namespaceOf(kept))?.metadata.uid).toBe(uidBefore)
      const deleted = requestsOf(other.cluster, other.operatorUser, mark).filter(({ verb }) => verb === 'delete')
      expect(deleted.filter(({ requestURI }) => !requestURI.includes(leaving))).toEqual([])
      const deletedHere = operator.writes.filter(({ verb }) => verb === 'delete')
      expect(deletedHere.filter(({ ref }) => !ref.name.includes(leaving))).toEqual([])
      await operator.operator.removeCluster(name)
    },
    180_000,
  )
})
