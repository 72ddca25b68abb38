import { createSecretKey } from 'node:crypto'
import pino from 'pino'
import type { App } from '../../operator/api/app.ts'
import { appKind } from '../../operator/api/app.ts'
import type { AppInstance } from '../../operator/api/appInstance.ts'
import { appInstanceKind } from '../../operator/api/appInstance.ts'
import type { AppRelease } from '../../operator/api/appRelease.ts'
import type { AppStack } from '../../operator/api/appStack.ts'
import { appStackKind } from '../../operator/api/appStack.ts'
import { kinds } from '../../operator/api/kinds.ts'
import type { KubeObject, Ref, ResourceType } from '../../operator/api/meta.ts'
import { keyOf, labels, refOf } from '../../operator/api/meta.ts'
import { app } from '../../operator/controllers/app/controller.ts'
import { decide as decideOn, planOf } from '../../operator/controllers/appInstance/decide.ts'
import type { Objection } from '../../operator/controllers/appInstance/gates.ts'
import type { Observed } from '../../operator/controllers/appInstance/observe.ts'
import { observe } from '../../operator/controllers/appInstance/observe.ts'
import { learn } from '../../operator/controllers/appInstance/sources.ts'
import { appStack } from '../../operator/controllers/appStack/controller.ts'
import { informers } from '../../operator/controllers/informers.ts'
import type { Plan } from '../../operator/render/plan.ts'
import type { Change } from '../../operator/render/changes.ts'
import { TypeCache } from '../../operator/runtime/cache.ts'
import type { Ctx, Reader, Writer } from '../../operator/runtime/controller.ts'
import { typeIdOf } from '../../operator/runtime/informers.ts'
import { parseSelector } from '../../operator/runtime/selector.ts'

/** A cluster as a list of objects, seen through the operator's own caches, informers and controllers. */

export const now = new Date('2026-01-02T03:04:05Z')

/** An object as the server would store it: defaults filled, refused (thrown) when the schema or a rule says so. */
export function stored<T extends KubeObject>(object: T): T {
  const kind = kinds.find((each) => each.kind === object.kind && object.apiVersion.startsWith(`${each.group}/`))
  if (!kind) return object
  const spec = kind.spec.parse((object as { spec?: unknown }).spec)
  const self = { metadata: object.metadata, spec } as never
  const broken = kind.rules.find((rule) => rule.holds?.(self) === false)
  if (broken) throw new Error(`${kind.kind} ${object.metadata.name}: ${broken.message}`)
  return { ...object, spec }
}

/** What a controller reads when the cluster holds these objects. */
export function readerOf(objects: readonly KubeObject[]): Reader {
  const caches = new Map(
    informers.map((informer) => {
      const { kind } = informer.type
      const cache = new TypeCache({
        informer,
        onHandlerError(error) {
          throw error
        },
      })
      const selects = parseSelector(informer.labelSelector ?? '!none')
      // Of what is ours only labels matter here, but a view of a type is nothing without its selector.
      const ours = objects.filter((object) => object.kind === kind && (!informer.type.view || selects(object)))
      cache.replace(
        ours.map((object) => cache.keep(structuredClone(object))),
        '1',
      )
      return [typeIdOf(informer.type), cache] as const
    }),
  )
  const of = (type: ResourceType): TypeCache => caches.get(typeIdOf(type))!
  const reader: Reader = {
    get: <T>(type: ResourceType, ref: Ref) => of(type).get(ref) as T,
    list: <T>(type: ResourceType) => of(type).list() as T[],
    byIndex: <T>(type: ResourceType, index: string, value: string) => of(type).byIndex(index, value) as unknown as T[],
  }
  readAll(reader, objects)
  return reader
}

const hashKey = createSecretKey(Buffer.from('of all tests'))

/** What apps may refer to counts as read, if it has data: hashes of it are known. */
function readAll(cache: Reader, objects: readonly KubeObject[]): void {
  for (const live of objects.filter(
    (each) => each.metadata.labels?.[labels.allow] === 'true' && 'data' in each && each.data,
  )) {
    const { name, namespace: project = '', resourceVersion: cachedVersion = '' } = live.metadata
    learn(cache, { project, source: `${live.kind}/${name}`, cachedVersion, live, key: hashKey })
  }
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

/** What the reconciler decides about an instance before it writes anything. */
export interface Decision {
  readonly seen: Observed
  readonly objection: Objection | undefined
  readonly changes: readonly Change[]
  readonly failed: AppRelease | undefined
  /** Whether `release` is to be made. */
  readonly isNewRelease: boolean
  readonly release: AppRelease | undefined
  readonly plan: Plan | undefined
}

/** Decides about the only instance, or the one of that name, among the objects (with revisions). */
export function decide(objects: readonly KubeObject[], name?: string): Decision {
  const reader = readerOf(objects)
  const [instance] = reader
    .list<AppInstance>(appInstanceKind)
    .filter(({ metadata }) => name === undefined || metadata.name === name)
  if (!instance) throw new Error(`no AppInstance ${name} among ${objects.map((each) => keyOf(refOf(each))).join()}`)
  const seen = observe({ cache: reader, target: { cache: reader }, now }, instance)
  const { objection, running, changes, failed, next } = decideOn(seen)
  const release = next ? stored(next) : running
  return {
    seen,
    objection,
    changes,
    failed,
    isNewRelease: next !== undefined,
    release,
    plan: release && planOf(seen, release),
  }
}
