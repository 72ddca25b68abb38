import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { configMapType, namespaceType } from '../../../operator/api/builtin.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import type { KubeClient } from '../../../operator/kube/client.ts'
import type { TypeCache } from '../../../operator/runtime/cache.ts'
import { makeCluster } from '../../../operator/runtime/cluster.ts'
import { Consistency } from '../../../operator/runtime/consistency.ts'
import type { Writer } from '../../../operator/runtime/controller.ts'
import { Events } from '../../../operator/runtime/events.ts'
import { Informers } from '../../../operator/runtime/informers.ts'
import { Manager } from '../../../operator/runtime/manager.ts'
import { Metrics } from '../../../operator/runtime/metrics.ts'
import { makeWriter } from '../../../operator/runtime/writer.ts'
import { makeFakeClock } from './fakeClock.ts'

function makeNamespace(name: string, uid: string, resourceVersion: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid, resourceVersion } }
}

const configMap: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'n', name: 'c' } }
const ref = { namespace: 'n', name: 'c' }

/** All a reconcile can ask of a cluster. */
const calls: Readonly<Record<string, (kube: Writer) => Promise<unknown>>> = {
  create: (kube) => kube.create(configMapType, configMap),
  apply: (kube) => kube.apply(configMapType, configMap),
  delete: (kube) => kube.delete(configMapType, ref, 'u'),
  get: (kube) => kube.getLive(configMapType, ref),
}

interface Rig {
  readonly kube: Writer
  /** What the server was sent. */
  readonly sent: string[]
  readonly namespaces: TypeCache
}

/** A Writer to a cluster, expected to be the one of that uid, whose cache of namespaces only the test fills. */
function makeRig(expected?: string): Rig {
  const sent: string[] = []
  const answer = async (verb: string): Promise<KubeObject> => {
    sent.push(verb)
    return configMap
  }
  const client = {
    get: () => answer('get'),
    create: () => answer('create'),
    apply: () => answer('apply'),
    delete: () => answer('delete'),
  } as unknown as KubeClient
  const clock = makeFakeClock()
  const log = pino({ level: 'silent' })
  const informers = new Informers({ client, informers: [{ type: namespaceType }], clock, log })
  const consistency = new Consistency({ informers: [informers], clock, wake: () => undefined })
  const cluster = makeCluster('there', client, informers, expected)
  const kube = makeWriter(cluster, consistency, 'k', new AbortController().signal)
  return { kube, sent, namespaces: informers.cacheOf('namespaces.v1') as TypeCache }
}

const never = (): never => {
  throw new Error('not called')
}

/** The Manager, without controllers, of a cluster that should be the one of that uid; its cache only the test fills. */
function makeManager(identity?: string): Manager {
  const clock = makeFakeClock()
  const log = pino({ level: 'silent' })
  const client = {} as KubeClient
  const engine = {
    informers: [{ type: namespaceType, place: 'all' as const }],
    controllers: [],
    placement: never,
    finalize: never,
    writeStatus: never,
    events: new Events({ client, controller: 'test', instance: 'test', clock, log }),
    metrics: new Metrics(),
    clock,
    log,
    workers: 1,
    deadlineSeconds: 1,
    home: 'appstead-system',
    statusIntervalMilliseconds: 1,
  }
  return new Manager(engine, { name: 'there', client, ...(identity === undefined ? {} : { identity }) })
}

/** The cluster's kube-system is, from this resourceVersion on, one of that uid. */
function show({ cluster }: Manager, uid: string, resourceVersion: string): void {
  const namespaces = cluster.informers.cacheOf('namespaces.v1')
  namespaces?.replace([makeNamespace('kube-system', uid, resourceVersion)], resourceVersion)
}

async function isFenced(kube: Writer): Promise<void> {
  for (const call of Object.values(calls)) {
    await expect(call(kube)).rejects.toMatchObject({ name: 'KubeError', code: 'Fenced' })
  }
}

describe('a cluster', () => {
  it('is written to and looked at as long as it is the same', async () => {
    const { kube, sent, namespaces } = makeRig()
    namespaces.replace([makeNamespace('kube-system', 'first', '1')], '10')
    for (const call of Object.values(calls)) await call(kube)
    namespaces.upsert(makeNamespace('kube-system', 'first', '11'))
    namespaces.upsert(makeNamespace('other', 'any', '12'))
    for (const call of Object.values(calls)) await call(kube)
    expect(sent).toEqual([...Object.keys(calls), ...Object.keys(calls)])
  })

  it('gets nothing any more once another answers in its place', async () => {
    const { kube, sent, namespaces } = makeRig()
    namespaces.replace([makeNamespace('kube-system', 'first', '1')], '10')
    await calls['apply']?.(kube)
    namespaces.replace([makeNamespace('kube-system', 'second', '2')], '5')
    await isFenced(kube)
    namespaces.upsert(makeNamespace('kube-system', 'second', '6'))
    namespaces.bookmark('20')
    await isFenced(kube)
    expect(sent).toEqual(['apply'])
  })

  it('gets nothing while nobody can tell which it is', async () => {
    const { kube, sent, namespaces } = makeRig()
    namespaces.replace([makeNamespace('kube-system', 'first', '1')], '10')
    await calls['apply']?.(kube)
    namespaces.replace([], '20')
    await isFenced(kube)
    expect(sent).toEqual(['apply'])
  })

  it('gets nothing when it is not the one it should be, though nobody has seen another', async () => {
    const { kube, sent, namespaces } = makeRig('first')
    await isFenced(kube)
    namespaces.replace([makeNamespace('kube-system', 'second', '2')], '10')
    await isFenced(kube)
    expect(sent).toEqual([])
    namespaces.upsert(makeNamespace('kube-system', 'first', '11'))
    await calls['apply']?.(kube)
    expect(sent).toEqual(['apply'])
  })
})

describe('the controllers of a cluster', () => {
  it('work on the one it was when they began, though nothing was written yet', () => {
    const manager = makeManager()
    show(manager, 'first', '10')
    manager.work()
    expect(manager.isWorking).toBe(true)
    show(manager, 'second', '20')
    expect(() => manager.cluster.check()).toThrow("kube-system has the uid 'second', it was 'first'")
  })

  it('do not begin on another than the one it should be', () => {
    const manager = makeManager('first')
    show(manager, 'second', '10')
    manager.work()
    expect(manager.isWorking).toBe(false)
  })
})
