import { pino, type DestinationStream, type Logger } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The process' log: one JSON line per entry, on stdout unless `destination` is given. */
export function makeLog(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}
