import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Kind } from '../../operator/api/kind.ts'
import { refOf, type KubeObject } from '../../operator/api/meta.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient } from '../../operator/kube/restClient.ts'
import { systemClock } from '../../operator/runtime/clock.ts'
import type { Controller } from '../../operator/runtime/controller.ts'
import { makeLog } from '../../operator/runtime/log.ts'
import { configMapType, eventually, killApiServer, makeConfigMap, makeNamespace, useCluster } from './engineCluster.ts'
import { startProxy } from '../faults/proxy.ts'
import { request } from '../faults/proxyRules.ts'
import type { Said } from './engineDotIBase.ts'

// Jest cannot let a CommonJS package (@dot-i's) require an ES module that is itself being linked: client-node must be there before.
const { AppsteadOperator } = await import('../../operator/operator.ts')

/**
 * What the plain base class of @dot-i/k8s-operator loses on a real API server, and that ours does not: the reason for
 * each override in operator.ts.
 */
const here = useCluster('test-engine-doti')
const finalizer = 'engine.test/ours'
const ends: (() => Promise<void> | void)[] = []
let namespace: string

beforeAll(async () => {
  namespace = await makeNamespace(here.client)
}, 60_000)
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  process.env['KUBECONFIG'] = here.cluster.kubeconfig
  namespace = await makeNamespace(here.client)
})

interface Base {
  readonly child: ChildProcess
  readonly said: Said[]
  /** How the process ended; null while it runs. */
  exitCode(): number | null
}

/** The plain base class in a process of its own. */
async function startBase(scenario: string, { kubeconfig = here.cluster.kubeconfig, mended = '' } = {}): Promise<Base> {
  const script = join(import.meta.dirname, 'engineDotIBase.ts')
  const child = spawn(process.execPath, ['--no-warnings', script, scenario, namespace, mended], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const said: Said[] = []
  createInterface(child.stdout).on('line', (line) => said.push(JSON.parse(line) as Said))
  ends.push(() => void child.kill('SIGKILL'))
  await eventually(() => said.some(({ watching }) => watching === true))
  return { child, said, exitCode: () => child.exitCode }
}

/** Our operator on ConfigMaps of this test's namespace; what it saw is written down. */
async function startOurs(
  more: Partial<Controller<KubeObject, unknown>> = {},
): Promise<{ seen: string[]; failures: () => string[] }> {
  const lines: string[] = []
  const seen: string[] = []
  const mine = namespace
  const controller: Controller<KubeObject, unknown> = {
    kind: { ...configMapType, singular: 'configmap' } as unknown as Kind,
    watches: [
      {
        type: configMapType,
        keys: (object, cache) => {
          if (object.metadata.namespace !== mine) return []
          seen.push(
            cache.get(configMapType, refOf(object)) === undefined ? `-${object.metadata.name}` : object.metadata.name,
          )
          return [refOf(object)]
        },
      },
    ],
    reconcile: async () => ({ outcome: { kind: 'settled' } }),
    ...more,
  }
  const operator = new AppsteadOperator({
    config: { workers: 2, reconcileDeadlineSeconds: 30, stopGraceSeconds: 1, instance: 'test' },
    log: makeLog('debug', { write: (line) => void lines.push(line) }),
    client: makeKubeClient(loadKubeConfig()),
    clock: systemClock,
    informers: [{ type: configMapType }],
    controllers: [controller],
  })
  ends.push(() => operator.drain())
  await operator.start()
  return { seen, failures: () => lines.filter((line) => line.includes('"thrown"')) }
}

const finalizersOf = async (name: string): Promise<readonly string[]> =>
  (await here.client.get(configMapType, { namespace, name })).metadata.finalizers ?? []

describe('setResourceFinalizers', () => {
  it('base: with client-node 2.x writes to `undefined/api/…`, and says that all is well', async () => {
    const base = await startBase('finalizer')
    await here.client.create(configMapType, makeConfigMap(namespace, 'mine'))
    await eventually(() => base.said.some(({ name }) => name === 'mine'))
    base.child.stdin?.write('go\n')
    await eventually(() => base.said.some((line) => line.finalizer === true))
    expect(await finalizersOf('mine')).toEqual([])
    expect(base.said.find(({ error }) => error !== undefined)?.error).toContain('Only absolute URLs are supported')
  }, 60_000)

  it('base: takes off the finalizer somebody else put on since the event', async () => {
    const base = await startBase('finalizer', { mended: 'mended' })
    await here.client.create(configMapType, makeConfigMap(namespace, 'mine'))
    await eventually(() => base.said.some(({ name }) => name === 'mine'))
    await here.client.patch(configMapType, { namespace, name: 'mine' }, [
      { op: 'add', path: '/metadata/finalizers', value: ['other/one'] },
    ])
    base.child.stdin?.write('go\n')
    await eventually(() => base.said.some((line) => line.finalizer === true))
    expect(await finalizersOf('mine')).toEqual([finalizer])
  }, 60_000)

  it('ours: refuses to write from the old view, and then keeps both', async () => {
    const proxy = await startProxy(here.cluster.kubeconfig)
    ends.push(() => proxy.close())
    process.env['KUBECONFIG'] = proxy.kubeconfig
    const mine = namespace
    const { failures } = await startOurs({
      finalizer,
      watches: [{ type: configMapType, keys: (object) => (object.metadata.namespace === mine ? [refOf(object)] : []) }],
    })
    const hold = proxy.hold(request('PATCH', '/mine'))
    await here.client.create(configMapType, makeConfigMap(namespace, 'mine'))
    await eventually(() => hold.count === 1)
    await here.client.patch(configMapType, { namespace, name: 'mine' }, [
      { op: 'add', path: '/metadata/finalizers', value: ['other/one'] },
    ])
    hold.release()
    await eventually(async () => (await finalizersOf('mine')).length === 2)
    expect(await finalizersOf('mine')).toEqual(['other/one', finalizer])
    expect(failures()).toHaveLength(1)
    expect(failures()[0]).toContain('"code":"Conflict"')
  }, 60_000)
})

describe('setResourceStatus', () => {
  it('base: swallows that the status was not written', async () => {
    const base = await startBase('status', { mended: 'mended' })
    await here.client.create(configMapType, makeConfigMap(namespace, 'mine'))
    await eventually(() => base.said.some((line) => 'status' in line))
    expect(base.said.find((line) => 'status' in line)).toEqual({ status: null })
    expect(base.said.find(({ error }) => error !== undefined)?.error).toContain('404')
  }, 60_000)

  it('ours: a status that was not written is a failed reconcile, tried again', async () => {
    const { failures } = await startOurs({
      reconcile: async () => ({ status: { ready: true }, outcome: { kind: 'settled' } }),
    })
    await here.client.create(configMapType, makeConfigMap(namespace, 'mine'))
    await eventually(() => failures().length >= 2)
    expect(failures()[0]).toContain('"code":"NotFound"')
  }, 60_000)
})

describe('watchResource', () => {
  it('base: never tells what was deleted while it watched anew; ours does', async () => {
    const proxy = await startProxy(here.cluster.kubeconfig)
    ends.push(() => proxy.close())
    const base = await startBase('watch', proxy)
    process.env['KUBECONFIG'] = proxy.kubeconfig
    const { seen } = await startOurs()
    const doomed = await here.client.create(configMapType, makeConfigMap(namespace, 'doomed'))
    await eventually(() => base.said.some(({ name }) => name === 'doomed') && seen.includes('doomed'))

    const hold = proxy.hold(({ isWatch }) => isWatch)
    for (const watch of proxy.watches()) watch.end()
    await here.client.delete(configMapType, refOf(doomed), doomed.metadata.uid ?? '')
    hold.release()

    await here.client.create(configMapType, makeConfigMap(namespace, 'after'))
    await eventually(() => base.said.some(({ name }) => name === 'after') && seen.includes('after'))
    expect(base.said.filter(({ name }) => name === 'doomed').map(({ type }) => type)).toEqual(['ADDED'])
    expect(seen).toContain('-doomed')
  }, 60_000)

  it('base: ends the process after 30 quiet seconds; and when the API server goes away; ours goes on', async () => {
    const { seen } = await startOurs()
    const base = await startBase('watch')
    await eventually(() => base.exitCode() !== null, 45)
    expect(base.exitCode()).toBe(1)
    expect(base.said.at(-1)?.error).toMatch(/watch on resource configmaps.v1 failed: .*TimeoutError/)

    const again = await startBase('watch')
    const startAgain = await killApiServer(here.cluster)
    await eventually(() => again.exitCode() !== null)
    expect(again.exitCode()).toBe(1)
    await startAgain()
    await here.client.create(configMapType, makeConfigMap(namespace, 'later'))
    await eventually(() => seen.includes('later'))
  }, 120_000)
})
