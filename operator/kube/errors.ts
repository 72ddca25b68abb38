import { tellable } from './redaction.ts'

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
  /** We may not write now: another process leads, or another cluster answers. Nothing was sent. */
  | 'Fenced'
  /** The answer was not what the API promises, such as a line that is no JSON. */
  | 'Malformed'
  | 'Unknown'

interface Cause {
  readonly reason?: string
  readonly field?: string
}

/** The parts of a metav1.Status we read. */
interface ServerStatus {
  readonly kind?: string
  readonly reason?: string
  readonly message?: string
  readonly code?: number
  readonly details?: {
    readonly retryAfterSeconds?: number
    readonly causes?: readonly Cause[]
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

/** The API server's whole answer for a path it does not know. */
const notServed = '404 page not found'

/** However long a server says, we come back after so long. */
const maxRetryAfterSeconds = 60

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
  const parsed = parseStatus(body)
  if (status >= 300 && status < 400) {
    return new KubeError('Unavailable', `${what}: HTTP ${status}, a redirect; redirects are not followed`, { status })
  }
  // NotFound is what we act on, so it is believed only of an API server, whose own words these are for a type it does
  // not serve; a proxy's page says nothing about our object.
  if (status === 404 && parsed === undefined && body.trim() !== notServed) {
    return new KubeError('Unavailable', `${what}: HTTP 404, but not from an API server`, { status })
  }
  return errorOfStatus(what, status, parsed ?? { message: body.slice(0, 200) }, retryAfterHeader)
}

/** The KubeError for a metav1.Status, as an answer's body or as the object of a watch's ERROR event. */
export function errorOfStatus(
  what: string,
  httpStatus: number,
  body: ServerStatus,
  retryAfterHeader?: string,
): KubeError {
  const sound = soundStatus(body)
  const status = httpStatus === 0 ? (sound.code ?? 0) : httpStatus
  const message = tellable(what, status, sound)
  return new KubeError(codeOf(status, sound), `${what}: ${message === '' ? `HTTP ${status}` : message}`, {
    status,
    reason: sound.reason ?? '',
    field: sound.details?.causes?.[0]?.field ?? '',
    ...retryAfterOf(retryAfterHeader, sound),
  })
}

/** A cluster may be broken or hostile: of what it says only that is taken that has the right type, and no more than is of use. */
function soundStatus({ reason, message, code, details }: ServerStatus): ServerStatus {
  const causes: unknown = details?.causes
  const seconds: unknown = details?.retryAfterSeconds
  return {
    ...(typeof reason === 'string' ? { reason: textOf(reason) } : {}),
    message: textOf(message),
    ...(typeof code === 'number' ? { code } : {}),
    details: {
      ...(typeof seconds === 'number' ? { retryAfterSeconds: seconds } : {}),
      causes: (Array.isArray(causes) ? causes.slice(0, 20) : []).map((cause: Cause | null) => ({
        reason: textOf(cause?.reason),
        field: textOf(cause?.field),
      })),
    },
  }
}

/** One line of at most 1,000 characters; '' for what is no text. */
function textOf(value: unknown): string {
  if (typeof value !== 'string') return ''
  const line = value
    .slice(0, 1200)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
  return line.length > 1000 ? `${line.slice(0, 1000)}…` : line
}

function codeOf(status: number, { reason, message, details }: ServerStatus): KubeErrorCode {
  if (status === 409 && reason === 'AlreadyExists') return 'AlreadyExists'
  if (reason === 'Expired') return 'Gone'
  // A 403, but nobody lacks a right: the namespace is on its way out, and the caches will show it in a moment.
  if (details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true) return 'Conflict'
  // Server-side apply answers 500 for an object whose lists have two items of one key: no later try will be better.
  if (message?.includes('failed to create typed patch object') === true) return 'Invalid'
  return codesByStatus[status] ?? (status >= 500 ? 'Unavailable' : 'Unknown')
}

function retryAfterOf(header: string | undefined, body: ServerStatus): { retryAfterSeconds?: number } {
  const seconds = Number(header ?? body.details?.retryAfterSeconds ?? Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterSeconds: Math.min(seconds, maxRetryAfterSeconds) } : {}
}

function parseStatus(body: string): ServerStatus | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
