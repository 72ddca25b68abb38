import { errors as undiciErrors } from 'undici'
import { KubeError } from './errors.ts'

/** Which call failed: its words for error messages, and its caller's signal. */
interface Failed {
  readonly what: string
  readonly signal?: AbortSignal | undefined
}

/** Everything that undici throws, in our words. `deadline` is aborted when the call's time is up. */
export function toKubeError({ what, signal }: Failed, error: unknown, deadline: AbortSignal): KubeError {
  if (error instanceof KubeError) return error
  if (signal?.aborted === true) return new KubeError('Aborted', `${what}: aborted`, { cause: error })
  if (deadline.aborted || error instanceof undiciErrors.ConnectTimeoutError) {
    return new KubeError('Timeout', `${what}: no answer in time`, { cause: error })
  }
  return new KubeError('Unavailable', `${what}: ${messageOf(error)}`, { cause: error })
}

/** True when a connection was closed or reset under a request. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof Error && lostCodes.has((error as NodeJS.ErrnoException).code ?? '')
}

/** The value of an answer's JSON. The error says nothing of its text, which may be a Secret's. */
export function parseJson(what: string, body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new KubeError('Malformed', `${what}: the answer is no JSON`)
  }
}

const lostCodes: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
