import type { KubeObject, Ref, ResourceType } from '../api/meta.ts'

/** What a call may be given besides its subject. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** Its deadline, waiting for a free connection included; the client's own if missing. */
  readonly timeoutSeconds?: number
}

export interface CreateOptions extends CallOptions {
  /** Asks whether it would be done; nothing is stored. */
  readonly isDryRun?: boolean
}

/** Which objects of a type, and which page of them. */
export interface ListOptions extends CallOptions {
  /** Only the objects of this namespace. */
  readonly namespace?: string
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Only the metadata of the objects (PartialObjectMetadata). */
  readonly metadataOnly?: boolean | undefined
  /** Most objects of a page; the server may give fewer. */
  readonly limit?: number
  /** Of the page before; '' or missing for the first. */
  readonly continueToken?: string
}

/** One page of a list. */
export interface ListPage {
  /** Each with the apiVersion and kind of its type. */
  readonly items: readonly KubeObject[]
  /** Of the list as a whole: a watch begins here. */
  readonly resourceVersion: string
  /** '' on the last page. */
  readonly continueToken: string
}

/** What is watched, and from when on. */
export interface WatchOptions {
  /** Only the objects of this namespace. */
  readonly namespace?: string
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Only the metadata of the objects (PartialObjectMetadata). */
  readonly metadataOnly?: boolean | undefined
  /** '' for what there is now, as ADDED events, and then what changes. */
  readonly resourceVersion: string
  /** How long the server is asked to keep the stream open. Default: 300. */
  readonly timeoutSeconds?: number
  /** Ends it: the reader gets a KubeError, Aborted. */
  readonly signal: AbortSignal
}

/** One line of a watch. The object of an ERROR is a metav1.Status; a BOOKMARK's has only a resourceVersion. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubeObject
}

export interface StatusOptions extends CallOptions {
  /** The only version that is written over. */
  readonly resourceVersion?: string
}

/** A Kubernetes API server. Every method throws a KubeError (errors.ts), a write also what `beforeWrite` throws. */
export interface KubeClient {
  /** NotFound when there is none. */
  get(type: ResourceType, ref: Ref, options?: CallOptions): Promise<KubeObject>
  /** One page. */
  list(type: ResourceType, options?: ListOptions): Promise<ListPage>
  /** Ends when the server ends the stream; throws when it breaks. */
  watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent>
  /** POST under our field manager; AlreadyExists when the name is taken. */
  create(type: ResourceType, object: KubeObject, options?: CreateOptions): Promise<KubeObject>
  /** Server-side apply under our field manager, forced. */
  apply(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<KubeObject>
  /** Replaces the whole status; Conflict when the object at `ref` has another uid, or another resourceVersion than one given. */
  patchStatus(type: ResourceType, ref: Ref, uid: string, status: unknown, options?: StatusOptions): Promise<KubeObject>
  /** JSON patch (RFC 6902) of the main resource; Conflict when one of its tests fails. */
  patch(type: ResourceType, ref: Ref, operations: readonly unknown[], options?: CreateOptions): Promise<KubeObject>
  /** Deletes only the object with this uid; NotFound is an error like any other. */
  delete(type: ResourceType, ref: Ref, uid: string, options?: CallOptions): Promise<void>
}
