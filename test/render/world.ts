import { createSecretKey } from 'node:crypto'
import pino from 'pino'
import type { App } from '../../operator/api/app.ts'
import { appKind } from '../../operator/api/app.ts'
import type { AppInstance } from '../../operator/api/appInstance.ts'
import { appInstanceKind } from '../../operator/api/appInstance.ts'
import type { AppStack } from '../../operator/api/appStack.ts'
import { appStackKind } from '../../operator/api/appStack.ts'
import type { KubeObject } from '../../operator/api/meta.ts'
import { keyOf, refOf } from '../../operator/api/meta.ts'
import { app } from '../../operator/controllers/app/controller.ts'
import { appStack } from '../../operator/controllers/appStack/controller.ts'
import { previewOf, readerOf as readerWith, stored, type Preview } from '../../operator/preview.ts'
import type { Ctx, Reader, Writer } from '../../operator/runtime/controller.ts'

/** A cluster as a list of objects, seen through the operator's own caches, informers and controllers. */

export { stored, type Preview as Decision }

export const now = new Date('2026-01-02T03:04:05Z')

const hashKey = createSecretKey(Buffer.from('of all tests'))

/** What a controller reads when the cluster holds these objects. */
export function readerOf(objects: readonly KubeObject[]): Reader {
  return readerWith(objects, hashKey)
}

/** A context whose writes only come to be known to `written`. */
export function ctxOf(cache: Reader, written: (object: KubeObject) => void): Ctx {
  const write = (_type: unknown, object: KubeObject): Promise<KubeObject> => {
    written(object)
    return Promise.resolve(object)
  }
  const kube: Writer = {
    create: write,
    apply: write,
    writeStatus: (_type, object, status) => write(_type, { ...object, status } as KubeObject),
    recordStatus: (_type, object, status) => write(_type, { ...object, status } as KubeObject),
    delete: () => Promise.resolve(),
    getLive: (type, ref) => Promise.resolve(cache.get(type, ref)),
    listLive: () => Promise.resolve([]),
  }
  return {
    cache,
    kube,
    target: { cache, kube },
    home: 'appstead-system',
    now,
    workingSeconds: 0,
    signal: new AbortController().signal,
    log: pino({ level: 'silent' }),
  }
}

/** The objects and the revisions that the controllers of App and AppStack publish of them. */
export async function withRevisions(objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  const world = objects.map(stored)
  const revisions: KubeObject[] = []
  const ctx = ctxOf(readerOf(world), (object) => revisions.push(object))
  for (const object of world) {
    if (object.kind === appKind.kind) await app.reconcile(ctx, object as App)
    if (object.kind === appStackKind.kind) await appStack.reconcile(ctx, object as AppStack)
  }
  return [...world, ...revisions.map(stored)]
}

/** Decides about the only instance, or the one of that name, among the objects (with revisions). */
export function decide(objects: readonly KubeObject[], name?: string): Preview {
  const reader = readerOf(objects)
  const [instance] = reader
    .list<AppInstance>(appInstanceKind)
    .filter(({ metadata }) => name === undefined || metadata.name === name)
  if (!instance) throw new Error(`no AppInstance ${name} among ${objects.map((each) => keyOf(refOf(each))).join()}`)
  return previewOf(reader, instance, now)
}
