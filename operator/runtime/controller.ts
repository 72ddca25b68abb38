import type { Logger } from 'pino'
import type { Kind } from '../api/kind.ts'
import type { KubeObject, Ref, ResourceType } from '../api/meta.ts'
import type { Outcome } from './outcome.ts'

/** What reconcilers read: frozen snapshots of the watched objects. It cannot reach the network. */
export interface Reader {
  get<T extends KubeObject>(type: ResourceType, ref: Ref): T | undefined
  list<T extends KubeObject>(type: ResourceType): readonly T[]
  /** Objects whose index `index` (declared by the type's Informer) has `value`. */
  byIndex<T extends KubeObject>(type: ResourceType, index: string, value: string): readonly T[]
}

/** What reconcilers write with: our field manager, and what was written for this key is remembered (read your own writes). */
export interface Writer {
  create(type: ResourceType, object: KubeObject): Promise<KubeObject>
  apply(type: ResourceType, object: KubeObject): Promise<KubeObject>
  /** Resolves too when the object is already gone. */
  delete(type: ResourceType, ref: Ref, uid: string): Promise<void>
  patchStatus(type: ResourceType, object: KubeObject, status: unknown): Promise<void>
  /** The second, live look before anything destructive, or after a name was found taken; undefined when there is none. */
  getLive(type: ResourceType, ref: Ref): Promise<KubeObject | undefined>
}

export interface Ctx {
  readonly cache: Reader
  readonly kube: Writer
  /** Read once per reconcile. */
  readonly now: Date
  /** Aborted by the deadline and by shutdown. */
  readonly signal: AbortSignal
  /** Carries controller, key, generation, reconcileID. */
  readonly log: Logger
}

/** A Kubernetes Event to be recorded beside the object. */
export interface EventRecord {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  /** What was done, such as Deploying. */
  readonly action: string
  readonly message: string
}

/** Result of a reconcile: the engine writes the status if it differs, records the events and acts on the outcome. */
export interface Report<Status> {
  /** undefined: leave the status alone. */
  readonly status?: Status
  readonly outcome: Outcome
  readonly events?: readonly EventRecord[]
}

/** How a change of a watched object wakes keys of a controller. */
export interface Watch {
  readonly type: ResourceType
  /** Keys to reconcile because of `object`; called with the old and with the new state of it. */
  keys(object: KubeObject, cache: Reader): readonly Ref[]
}

export interface Controller<Object extends KubeObject, Status> {
  readonly kind: Kind
  readonly watches: readonly Watch[]
  /** Held on every object of the kind until cleanup has settled. */
  readonly finalizer?: string
  reconcile(ctx: Ctx, object: Object): Promise<Report<Status>>
  /** Runs while the object is being deleted and our finalizer is held; `settled` lets the object go. */
  cleanup?(ctx: Ctx, object: Object): Promise<Report<Status>>
}

/** How one type is listed, watched and kept: one per type in the process, whoever watches it. */
export interface Informer<T extends KubeObject = KubeObject> {
  readonly type: ResourceType
  readonly labelSelector?: string
  readonly metadataOnly?: boolean
  /** What is kept of an object as it arrives (with managedFields); default: everything but managedFields. */
  keep?(object: KubeObject): T
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>
}
