import type { KubeObject, Ref, ResourceType } from '../api/meta.ts'

/** What a call may be given besides its subject. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** Its deadline, waiting for a free connection included; the client's own if missing. */
  readonly timeoutSeconds?: number
}

export interface ListOptions extends CallOptions {
  readonly labelSelector?: string
  /** Only the metadata of the objects (PartialObjectMetadata). */
  readonly metadataOnly?: boolean
  /** Page size. */
  readonly limit?: number
  readonly continueToken?: string
}

export interface ListPage {
  readonly items: readonly KubeObject[]
  readonly resourceVersion: string
  /** '' on the last page. */
  readonly continueToken: string
}

export interface WatchOptions {
  /** Only the objects of this namespace. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly metadataOnly?: boolean
  /** '' for what there is now, as ADDED events, and then what changes. */
  readonly resourceVersion: string
  readonly timeoutSeconds?: number
  readonly signal: AbortSignal
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubeObject
}

/** A Kubernetes API server. Every method throws a KubeError (errors.ts), a write also what `beforeWrite` throws. */
export interface KubeClient {
  get(type: ResourceType, ref: Ref, options?: CallOptions): Promise<KubeObject>
  /** One page. */
  list(type: ResourceType, options?: ListOptions): Promise<ListPage>
  /** Ends when the server ends the stream; throws when it breaks. */
  watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent>
  /** POST under our field manager; AlreadyExists when the name is taken. */
  create(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<KubeObject>
  /** Server-side apply under our field manager, forced. */
  apply(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<KubeObject>
  /** Replaces the whole status; Conflict when the object at `ref` has another uid. */
  patchStatus(type: ResourceType, ref: Ref, uid: string, status: unknown, options?: CallOptions): Promise<KubeObject>
  /** JSON patch (RFC 6902) of the main resource. */
  patch(type: ResourceType, ref: Ref, operations: readonly unknown[], options?: CallOptions): Promise<KubeObject>
  /** Deletes only the object with this uid; NotFound is an error like any other. */
  delete(type: ResourceType, ref: Ref, uid: string, options?: CallOptions): Promise<void>
}
