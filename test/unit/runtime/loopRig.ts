import { pino } from 'pino'
import type { Kind } from '../../../operator/api/kind.ts'
import { refOf, type KubeObject, type ResourceType } from '../../../operator/api/meta.ts'
import type { CallOptions, KubeClient } from '../../../operator/kube/client.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { TypeCache } from '../../../operator/runtime/cache.ts'
import { makeCluster } from '../../../operator/runtime/cluster.ts'
import type { Controller, Watch } from '../../../operator/runtime/controller.ts'
import { Events } from '../../../operator/runtime/events.ts'
import { Informers } from '../../../operator/runtime/informers.ts'
import { Loop, type LoopOptions } from '../../../operator/runtime/loop.ts'
import { Metrics } from '../../../operator/runtime/metrics.ts'
import { makeFakeClock, type FakeClock } from './fakeClock.ts'

export const boxType: ResourceType = {
  group: 'engine.test',
  version: 'v1',
  kind: 'Box',
  plural: 'boxes',
  namespaced: true,
}
const boxKind = boxType as Kind
export const watch: Watch = { type: boxKind, keys: (box) => [refOf(box)] }

const never = (): never => {
  throw new Error('not called')
}

export function makeBox(namespace: string, name: string, project = '', resourceVersion = '1'): KubeObject {
  const metadata = { namespace, name, uid: `uid-${namespace}-${name}`, resourceVersion, labels: { project } }
  return { apiVersion: 'engine.test/v1', kind: 'Box', metadata }
}

export interface Rig {
  readonly loop: Loop
  readonly boxes: TypeCache
  readonly clock: FakeClock
  /** Names of the objects the server was sent, once they were there. */
  readonly applied: string[]
  /** What was said, one line each. */
  readonly logged: string[]
}

/** A Loop with one worker, on a cache that only the test fills and a server that takes as long as `answer`, or has calls of its own. */
export function makeRig(
  controller: Pick<Controller<KubeObject, unknown>, 'reconcile' | 'flowOf' | 'placedBy'>,
  answer: Promise<void> = Promise.resolve(),
  calls: Partial<KubeClient> = {},
  more: Partial<Pick<LoopOptions, 'placement' | 'writeStatus'>> = {},
): Rig {
  const clock = makeFakeClock()
  const logged: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) })
  const applied: string[] = []
  const client = {
    async apply(_type: ResourceType, object: KubeObject, { signal }: CallOptions) {
      const cut = Promise.withResolvers<void>()
      signal?.addEventListener('abort', () => cut.resolve(), { once: true })
      if (signal?.aborted !== true) await Promise.race([answer, cut.promise])
      if (signal?.aborted === true) throw new KubeError('Aborted', 'cut')
      applied.push(object.metadata.name)
      return object
    },
    ...calls,
  } as unknown as KubeClient
  const informers = new Informers({ client, informers: [{ type: boxKind }], clock, log })
  const hub = makeCluster('local', client, informers)
  const loop = new Loop({
    controller: { kind: boxKind, watches: [watch], ...controller },
    hub,
    target: hub,
    placement: () => 'local',
    finalize: never,
    writeStatus: never,
    events: new Events({ client, controller: 'test', instance: 'test', clock, log }),
    metrics: new Metrics().forLoop('boxes'),
    clock,
    log,
    workers: 1,
    deadlineSeconds: 60,
    home: 'appstead-system',
    statusIntervalMilliseconds: 1000,
    ...more,
  })
  return { loop, boxes: informers.cacheOf('boxes.engine.test/v1') as TypeCache, clock, applied, logged }
}
