import { pino, type DestinationStream, type Logger } from 'pino'

/** Entries below it are not written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/**
 * The process' log: one JSON line per entry, given to `destination` (logOutput.ts). Levels: error, somebody
 * must look; warn, we go on but not as we should; info, what an admin wants to read of a day; debug, every reconcile. A
 * message is a constant, what varies is in the fields. Of an error only what shownError names is written.
 */
export function makeLog(level: LogLevel, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      serializers: { err: shownError },
    },
    destination,
  )
}

/** What the log says of an error. */
interface ShownError {
  readonly type: string
  readonly message: string
  readonly stack?: string
  /** Of a KubeError, and what it says of the server's answer. */
  readonly code?: string
  readonly status?: number
  readonly reason?: string
  readonly field?: string
}

/**
 * Of something thrown, what may be shown: class, message, stack, and the plain parts of a KubeError. No cause and no other
 * property: libraries hang requests, with headers and bodies, on their errors.
 */
export function shownError(error: unknown): ShownError {
  if (!(error instanceof Error)) return { type: typeof error, message: typeof error === 'string' ? error : '' }
  const { code, status, reason, field } = error as Partial<Record<'code' | 'status' | 'reason' | 'field', unknown>>
  return {
    type: error.name,
    message: error.message,
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(typeof code === 'string' && { code }),
    ...(typeof status === 'number' && { status }),
    ...(typeof reason === 'string' && reason !== '' && { reason }),
    ...(typeof field === 'string' && field !== '' && { field }),
  }
}
