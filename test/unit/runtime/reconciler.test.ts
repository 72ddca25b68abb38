import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { namespaceType } from '../../../operator/api/builtin.ts'
import type { Kind } from '../../../operator/api/kind.ts'
import type { ApiObject, KubeObject } from '../../../operator/api/meta.ts'
import type { KubeClient } from '../../../operator/kube/client.ts'
import type { TypeCache } from '../../../operator/runtime/cache.ts'
import { makeCluster } from '../../../operator/runtime/cluster.ts'
import { Consistency } from '../../../operator/runtime/consistency.ts'
import type { Report } from '../../../operator/runtime/controller.ts'
import { Events } from '../../../operator/runtime/events.ts'
import { Informers } from '../../../operator/runtime/informers.ts'
import { Metrics } from '../../../operator/runtime/metrics.ts'
import { Reconciler } from '../../../operator/runtime/reconciler.ts'
import { makeFakeClock } from './fakeClock.ts'

const boxKind = { group: 'engine.test', version: 'v1', kind: 'Box', plural: 'boxes', namespaced: true } as Kind
const box: ApiObject<unknown, unknown> = {
  apiVersion: 'engine.test/v1',
  kind: 'Box',
  metadata: { namespace: 'n', name: 'a', uid: 'u', resourceVersion: '1' },
  spec: {},
}

function makeNamespace(uid: string, resourceVersion: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid, resourceVersion } }
}

/** Reconciles the box once, on the cluster of kube-system `first`; `meanwhile` happens during the reconcile. */
async function reconcile(meanwhile: (namespaces: TypeCache) => void): Promise<{ written: unknown[]; error: unknown }> {
  const clock = makeFakeClock()
  const log = pino({ level: 'silent' })
  const client = {} as KubeClient
  const informers = new Informers({ client, informers: [{ type: namespaceType }, { type: boxKind }], clock, log })
  const hub = makeCluster('local', client, informers)
  const namespaces = informers.cacheOf('namespaces.v1') as TypeCache
  namespaces.replace([makeNamespace('first', '1')], '10')
  hub.check()
  const written: unknown[] = []
  const reconciler = new Reconciler({
    controller: {
      kind: boxKind,
      watches: [],
      async reconcile() {
        meanwhile(namespaces)
        return { status: { phase: 'Running' }, outcome: { kind: 'settled' } }
      },
    },
    hub,
    target: hub,
    finalize: () => Promise.reject(new Error('not called')),
    async writeStatus(_type, object, status) {
      written.push(status)
      return object
    },
    events: new Events({ client, controller: 'test', instance: 'test', clock, log }),
    consistency: new Consistency({ informers: [informers], clock, wake: () => undefined }),
    metrics: new Metrics().forLoop('boxes'),
    clock,
    log,
    home: 'appstead-system',
    statusIntervalMilliseconds: 1000,
  })
  const error: unknown = await reconciler.run('n/a', box, log, new AbortController().signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return { written, error }
}

/** Reconciles the box once for each of the reports; what was recorded, as `object reason`, in that order. */
async function recordedBy(
  reports: readonly Omit<Report<unknown>, 'outcome'>[],
  recorded: string[] = [],
): Promise<string[]> {
  const clock = makeFakeClock()
  const log = pino({ level: 'silent' })
  const clientOf = (cluster: string): KubeClient =>
    ({
      create: async (_type: unknown, object: Posted) => {
        recorded.push(`${cluster} ${object.involvedObject.name} ${object.reason}`)
        return object
      },
    }) as unknown as KubeClient
  const [hub, target] = ['hub', 'target'].map((name) => {
    const informers = new Informers({ client: clientOf(name), informers: [{ type: boxKind }], clock, log })
    return makeCluster(name, clientOf(name), informers)
  })
  const left = [...reports]
  const events = new Events({ client: hub!.client, controller: 'test', instance: 'test', clock, log })
  const reconciler = new Reconciler({
    controller: {
      kind: boxKind,
      watches: [],
      reconcile: async () => ({ ...left.shift(), outcome: { kind: 'settled' } }),
    },
    hub: hub!,
    target: target!,
    finalize: () => Promise.reject(new Error('not called')),
    writeStatus: () => Promise.reject(new Error('not called')),
    events,
    consistency: new Consistency({ informers: [hub!.informers], clock, wake: () => undefined }),
    metrics: new Metrics().forLoop('boxes'),
    clock,
    log,
    home: 'appstead-system',
    statusIntervalMilliseconds: 1000,
  })
  for (const _ of reports) await reconciler.run('n/a', box, log, new AbortController().signal)
  await events.flush()
  return recorded
}

interface Posted extends KubeObject {
  readonly reason: string
  readonly involvedObject: { readonly name: string }
}

describe('an Event', () => {
  const child: KubeObject = { apiVersion: 'v1', kind: 'Thing', metadata: { namespace: 'a', name: 'thing', uid: 't' } }
  const bad = { type: 'Warning', reason: 'CrashLoop', action: 'Checking', message: 'it crashes' } as const
  const good = { type: 'Normal', reason: 'AllReady', action: 'Checking', message: 'well', endsBlame: true } as const

  it('that blames an object is recorded beside it, where it is, and so is its end, once', async () => {
    const reports = [
      { events: [{ ...bad, child }], blamed: [child] },
      { blamed: [child] },
      {},
      { events: [good] },
      { events: [{ ...good, message: 'again' }] },
    ]
    expect(await recordedBy(reports)).toEqual([
      'hub a CrashLoop',
      'target thing CrashLoop',
      'hub a AllReady',
      'target thing AllReady',
      'hub a AllReady',
    ])
  })

  it('is recorded, and nothing else is done, where something was thrown after it was found', async () => {
    const recorded: string[] = []
    const thrown = new Error('no answer')
    await expect(recordedBy([{ status: {}, events: [bad], thrown }], recorded)).rejects.toBe(thrown)
    expect(recorded).toEqual(['hub a CrashLoop'])
  })

  it('that all is well is recorded beside no object that was never blamed', async () => {
    expect(await recordedBy([{ events: [good] }])).toEqual(['hub a AllReady'])
  })

  it('that all is well is recorded once beside an object that was made anew', async () => {
    const anew = { ...child, metadata: { ...child.metadata, uid: 'anew' } }
    const reports = [{ blamed: [child] }, { blamed: [anew] }, { events: [good] }]
    expect(await recordedBy(reports)).toEqual(['hub a AllReady', 'target thing AllReady'])
  })

  it('that all is well ends what an operator blamed before this one', async () => {
    expect(await recordedBy([{ blamed: [child] }, { events: [good] }])).toEqual([
      'hub a AllReady',
      'target thing AllReady',
    ])
  })
})

describe('a status', () => {
  it('is written to the cluster it was decided for', async () => {
    expect(await reconcile(() => undefined)).toEqual({ written: [{ phase: 'Running' }], error: undefined })
  })

  it('is not written to another cluster that came in its place while it was decided', async () => {
    const { written, error } = await reconcile((namespaces) => namespaces.upsert(makeNamespace('second', '11')))
    expect(written).toEqual([])
    expect(error).toMatchObject({ name: 'KubeError', code: 'Fenced' })
  })
})
