import type { KeyObject } from 'node:crypto'
import type { App } from './api/app.ts'
import { appKind } from './api/app.ts'
import type { AppInstance } from './api/appInstance.ts'
import type { AppRelease } from './api/appRelease.ts'
import type { AppStack } from './api/appStack.ts'
import { appStackKind } from './api/appStack.ts'
import type { AppStackRevision } from './api/appStackRevision.ts'
import { appStackRevisionKind } from './api/appStackRevision.ts'
import { kinds } from './api/kinds.ts'
import type { KubeObject, Ref, ResourceType } from './api/meta.ts'
import { labels, refOf } from './api/meta.ts'
import { decide, planOf } from './controllers/appInstance/decide.ts'
import type { Objection } from './controllers/appInstance/gates.ts'
import type { Observed } from './controllers/appInstance/observe.ts'
import { observe } from './controllers/appInstance/observe.ts'
import { learn } from './controllers/appInstance/sources.ts'
import { informers } from './controllers/informers.ts'
import { stackOf } from './controllers/revisions.ts'
import type { Change } from './render/changes.ts'
import type { Plan } from './render/plan.ts'
import { nextRevision, type Stack } from './render/revision.ts'
import { TypeCache } from './runtime/cache.ts'
import type { Reader } from './runtime/controller.ts'
import { typeIdOf } from './runtime/informers.ts'
import { parseSelector } from './runtime/selector.ts'

/**
 * What the operator would decide about instances in a cluster that holds a list of objects: through its own caches,
 * informers and gates, without a cluster. Nothing is written.
 */

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

/** What a controller reads when the cluster holds these objects; values of Secrets are told apart with this key. */
export function readerOf(objects: readonly KubeObject[], key: KeyObject): Reader {
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
  readAll(reader, objects, key)
  return reader
}

/** What apps may refer to counts as read, if it has data: hashes of it are known. */
function readAll(cache: Reader, objects: readonly KubeObject[], key: KeyObject): void {
  for (const live of objects.filter(
    (each) => each.metadata.labels?.[labels.allow] === 'true' && 'data' in each && each.data,
  )) {
    const { name, namespace: project = '', resourceVersion: cachedVersion = '' } = live.metadata
    learn(cache, { project, source: `${live.kind}/${name}`, cachedVersion, live, key })
  }
}

/** What the reconciler decides about an instance before it writes anything. */
export interface Preview {
  readonly seen: Observed
  readonly objection: Objection | undefined
  readonly changes: readonly Change[]
  readonly failed: AppRelease | undefined
  /** Whether `release` is to be made. */
  readonly isNewRelease: boolean
  readonly release: AppRelease | undefined
  readonly plan: Plan | undefined
}

/** Decides about an instance as its reconciler would. In: what readerOf gives, and when. */
export function previewOf(cache: Reader, instance: AppInstance, now: Date): Preview {
  const seen = observe({ cache, target: { cache }, now }, instance)
  const { objection, running, changes, failed, next } = decide(seen)
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

/** The objects as they would be stored, and the revisions that their stacks would publish. Throws as stored does. */
export function withRevisions(objects: readonly KubeObject[]): readonly KubeObject[] {
  const world = objects.map(stored)
  const revisions = world.filter((each): each is AppStackRevision => each.kind === appStackRevisionKind.kind)
  return [...world, ...world.flatMap((object) => publishedBy(object, revisions) ?? []).map(stored)]
}

function publishedBy(object: KubeObject, revisions: readonly AppStackRevision[]): AppStackRevision | undefined {
  const stack = stackIn(object)
  if (!stack) return undefined
  const { name, namespace } = stack
  const own = revisions.filter(({ metadata, spec }) => metadata.namespace === namespace && spec.stack === name)
  return nextRevision(stack, own)
}

function stackIn(object: KubeObject): Stack | undefined {
  if (object.kind === appStackKind.kind) return { ...refOf(object), ...(object as AppStack).spec }
  if (object.kind !== appKind.kind) return undefined
  const { services } = (object as App).spec.stack
  return services && { ...stackOf(object as App), services }
}
