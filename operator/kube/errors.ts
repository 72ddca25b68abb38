/** What went wrong in a call to the API server, in one word that callers may branch on. */
export type KubeErrorCode =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'TooLarge'
  | 'Invalid'
  | 'TooManyRequests'
  /** 5xx, and everything between us and the server: refused, reset, unknown host, TLS. */
  | 'Unavailable'
  /** Our deadline for the call, or the server's (408, 504). */
  | 'Timeout'
  /** The caller's signal. */
  | 'Aborted'
  /** The answer was not what the API promises, such as a line that is no JSON. */
  | 'Malformed'
  | 'Unknown'

/** The parts of a metav1.Status we read. */
interface ServerStatus {
  readonly kind?: string
  readonly reason?: string
  readonly message?: string
  readonly code?: number
  readonly details?: {
    readonly retryAfterSeconds?: number
    readonly causes?: readonly { readonly reason?: string; readonly field?: string; readonly message?: string }[]
  }
}

interface KubeErrorInit {
  readonly status?: number
  readonly reason?: string
  readonly retryAfterSeconds?: number
  readonly field?: string
  readonly cause?: unknown
}

/** The only error a KubeClient throws. */
export class KubeError extends Error {
  override readonly name = 'KubeError'
  readonly code: KubeErrorCode
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** metav1.Status reason, '' when the server gave none. */
  readonly reason: string
  /** How long the server asks us to wait; undefined when it did not say. */
  readonly retryAfterSeconds: number | undefined
  /** First field the server objected to (Invalid), '' when it named none. */
  readonly field: string

  constructor(code: KubeErrorCode, message: string, init: KubeErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause })
    this.code = code
    this.status = init.status ?? 0
    this.reason = init.reason ?? ''
    this.retryAfterSeconds = init.retryAfterSeconds
    this.field = init.field ?? ''
  }

  /** True when the same call may well succeed later without anybody changing anything. */
  get isTransient(): boolean {
    return transientCodes.has(this.code)
  }
}

const transientCodes: ReadonlySet<KubeErrorCode> = new Set<KubeErrorCode>([
  'Conflict',
  'Gone',
  'TooManyRequests',
  'Unavailable',
  'Timeout',
  'Aborted',
  'Malformed',
  'Unauthorized',
])

const codesByStatus: Readonly<Record<number, KubeErrorCode>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'TooLarge',
  422: 'Invalid',
  429: 'TooManyRequests',
  504: 'Timeout',
}

/** True for a KubeError, of one of `codes` if any are given. */
export function isKubeError(error: unknown, ...codes: readonly KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code))
}

/** The KubeError for an answer with an HTTP error status; `what` says which call it was, such as `get configmaps a/b`. */
export function errorOfAnswer(
  what: string,
  status: number,
  retryAfterHeader: string | undefined,
  body: string,
): KubeError {
  return errorOfStatus(what, status, parseStatus(body) ?? { message: body.slice(0, 200) }, retryAfterHeader)
}

/** The KubeError for a metav1.Status, as an answer's body or as the object of a watch's ERROR event. */
export function errorOfStatus(
  what: string,
  httpStatus: number,
  body: ServerStatus,
  retryAfterHeader?: string,
): KubeError {
  const status = body.code ?? httpStatus
  const message = body.message?.trim() ?? ''
  const field = body.details?.causes?.[0]?.field ?? ''
  return new KubeError(codeOf(status, body), `${what}: ${message === '' ? `HTTP ${status}` : message}`, {
    status,
    reason: body.reason ?? '',
    field,
    ...retryAfterOf(retryAfterHeader, body),
  })
}

function codeOf(status: number, body: ServerStatus): KubeErrorCode {
  if (status === 409 && body.reason === 'AlreadyExists') return 'AlreadyExists'
  if (body.reason === 'Expired') return 'Gone'
  // A 403, but nobody lacks a right: the namespace is on its way out, and the caches will show it in a moment.
  if (body.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating')) return 'Conflict'
  // Server-side apply answers 500 for an object whose lists have two items of one key: no later try will be better.
  if (body.message?.includes('failed to create typed patch object') === true) return 'Invalid'
  return codesByStatus[status] ?? (status >= 500 ? 'Unavailable' : 'Unknown')
}

function retryAfterOf(header: string | undefined, body: ServerStatus): { retryAfterSeconds?: number } {
  const seconds = Number(header ?? body.details?.retryAfterSeconds ?? Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterSeconds: seconds } : {}
}

function parseStatus(body: string): ServerStatus | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
