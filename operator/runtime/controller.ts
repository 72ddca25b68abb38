import type { EventReason } from '../api/eventReasons.ts'
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

/**
 * What reconcilers write with: our field manager, and what was written for this key is remembered (read your own writes).
 * Every call throws a KubeError, Fenced when nothing may be written, and ends with the reconcile's signal.
 */
export interface Writer {
  /** Throws AlreadyExists when the name is taken. */
  create(type: ResourceType, object: KubeObject): Promise<KubeObject>
  /** Server-side apply, forced. */
  apply(type: ResourceType, object: KubeObject): Promise<KubeObject>
  /** Replaces the status of the very object (uid) that is given, also of one of another kind than the reconciled one's. */
  writeStatus(type: ResourceType, object: KubeObject, status: unknown): Promise<KubeObject>
  /** The like, but only over the very version that is given; throws Conflict where the object has changed since. */
  recordStatus(type: ResourceType, object: KubeObject, status: unknown): Promise<KubeObject>
  /** Resolves too when the object is already gone. */
  delete(type: ResourceType, ref: Ref, uid: string): Promise<void>
  /** The second, live look before anything destructive, or after a name was found taken; undefined when there is none. */
  getLive(type: ResourceType, ref: Ref): Promise<KubeObject | undefined>
  /** The like of all objects of a namespace that a label selector finds, the first 500: their metadata alone. */
  listLive(type: ResourceType, namespace: string, labelSelector: string): Promise<readonly KubeObject[]>
}

/** The cluster on which things run that belong to the reconciled object. */
export interface Target {
  readonly cache: Reader
  readonly kube: Writer
}

/** What a reconcile may use. */
export interface Ctx {
  /** Of the hub: the cluster that holds the reconciled object. */
  readonly cache: Reader
  readonly kube: Writer
  /** For a controller with `placedBy`; otherwise the hub. */
  readonly target: Target
  /** The operator's own namespace, on the hub. */
  readonly home: string
  /** Read once per reconcile. */
  readonly now: Date
  /**
   * For how long this process has worked on objects of this cluster: it leads, and its caches are full. By a clock that
   * does not jump. What was not done before that is nobody's fault.
   */
  readonly workingSeconds: number
  /** Aborted by the deadline and by shutdown. */
  readonly signal: AbortSignal
  /** Carries controller, key, generation, reconcileID. */
  readonly log: Logger
}

/** A Kubernetes Event to be recorded beside the object. */
export interface EventRecord {
  readonly type: 'Normal' | 'Warning'
  readonly reason: EventReason
  /** What was done, such as Deploying. */
  readonly action: string
  readonly message: string
  /** What tells it from others that say the same, such as when that which ended had begun; not to be seen. */
  readonly since?: string
  /** An object in the target cluster whose matter it is, too: it is recorded beside both. */
  readonly child?: KubeObject
  /** It is recorded, too, beside the objects that reports blamed since the last one that ended it. */
  readonly endsBlame?: true
}

/** Result of a reconcile: the engine writes the status if it differs, records the events and acts on the outcome. */
export interface Report<Status> {
  /** undefined: leave the status alone. */
  readonly status?: Status
  readonly outcome: Outcome
  readonly events?: readonly EventRecord[]
  /** Objects in the target cluster of which it was told that they are not as they ought to be, and still are not. */
  readonly blamed?: readonly KubeObject[]
  /** What ended the reconcile early: thrown once the events are recorded, and no status is written. */
  readonly thrown?: Error
}

/** How a change of a watched object wakes keys of a controller. */
export interface Watch {
  readonly type: ResourceType
  /** Where it is watched: on the hub unless said otherwise. */
  readonly place?: 'target'
  /** Nobody is woken by a change of the status alone. */
  readonly ignoresStatus?: true
  /** Keys to reconcile because of `object`, read from the hub; called with the old and with the new state of it. */
  keys(object: KubeObject, cache: Reader): readonly Ref[]
}

/** What the engine must know to work for the objects of one kind. All but reconcile and cleanup are pure and synchronous. */
export interface Controller<Object extends KubeObject, Status> {
  /** Whose objects are reconciled: a kind of ours, or a built-in one, of which no status is written. */
  readonly kind: ResourceType & Pick<Kind, 'status'>
  readonly watches: readonly Watch[]
  /** Held on every object of the kind until cleanup has settled. */
  readonly finalizer?: string
  /**
   * The object (itself, or one it belongs to) that says on which cluster its things run: such a controller works once
   * per cluster. Without it the controller needs the hub alone. undefined: nobody says, and nobody works on it.
   */
  placedBy?(object: Object, hub: Reader): KubeObject | undefined
  /** How many objects others change back as often as we apply them; for the metrics. */
  contested?(target: Reader): number
  /** Who shares the workers with whom: project and app, say. Default: the object's namespace. */
  flowOf?(object: Object): readonly string[]
  /**
   * Brings the world nearer to what the object asks for; `object` is frozen and as new as the cache. What it throws is a
   * failure, tried again with backoff: a KubeError the API server's, anything else a bug.
   */
  reconcile(ctx: Ctx, object: Object): Promise<Report<Status>>
  /** Runs while the object is being deleted and our finalizer is held; `settled` lets the object go. */
  cleanup?(ctx: Ctx, object: Object): Promise<Report<Status>>
}

/** How one type is listed, watched and kept: one per type in the process, whoever watches it. */
export interface Informer<T extends KubeObject = KubeObject> {
  readonly type: ResourceType
  /** On which clusters: the hub (default), those where things run (the hub is one), or all. */
  readonly place?: 'hub' | 'target' | 'all'
  /** Which of them: what selector.ts can follow. */
  readonly labelSelector?: string
  /** Which of them, as the API server knows fields of the type; of a type that is never written through the cache's clients. */
  readonly fieldSelector?: string
  /** Only the metadata of the objects (PartialObjectMetadata). */
  readonly metadataOnly?: boolean
  /** What is kept of an object as it arrives (with managedFields); default: everything but managedFields. */
  keep?(object: KubeObject): T
  /**
   * By the name that Reader.byIndex is given: the values under which an object is found. One that is called `namespace`
   * must be by metadata.namespace: by it is found, too, what goes with a namespace.
   */
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>
}
