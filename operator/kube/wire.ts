/** Numbers of one cluster's transport since the start. */
export interface TransportStats {
  readonly requests: number
  readonly watches: number
  /** Opened for calls. */
  readonly callConnections: number
  /** Opened for watches. */
  readonly watchConnections: number
}

/** One request. `path` carries the query. */
export interface Request {
  /** For error messages: `apply deployments a/b`. */
  readonly what: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly accept?: string
  readonly contentType?: string
  readonly body?: string
  readonly signal?: AbortSignal | undefined
  /** Deadline of this call; the transport's if missing. */
  readonly timeoutSeconds?: number | undefined
  /** Largest answer of this call; never more than the transport's. */
  readonly maxBodyBytes?: number | undefined
}

/** What carries the requests of a KubeClient. */
export interface Wire {
  readonly stats: TransportStats
  /** Sends a call and returns the parsed JSON of its answer; throws a KubeError. */
  call(request: Request): Promise<unknown>
  /** Opens a stream and returns its body's chunks; throws a KubeError, also while it is read. */
  stream(request: Request & { readonly signal: AbortSignal }): AsyncIterable<Buffer>
  /** Lets running calls end, refuses the waiting ones, cuts the streams, closes all connections. */
  close(): Promise<void>
}
