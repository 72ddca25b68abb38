import process from 'node:process'
import type { Writable } from 'node:stream'

/** Where the log's lines go. */
export interface LogOutput {
  /** Takes a line and returns at once, whether or not anybody reads. Never throws. */
  write(line: string): void
  /** Lines that were left out because nobody read. */
  readonly droppedLines: number
  /** Resolves to true once all lines are out, to false when they are not after `milliseconds`. */
  flush(milliseconds: number): Promise<boolean>
}

/** Enough for some thousand lines. */
const defaultMaxBytes = 1024 * 1024

/**
 * Standard output, such that a log nobody reads costs lines and nothing else: what the pipe does not take is kept, up to
 * `maxBytes`; beyond that lines are left out and counted, and a line says so once the pipe takes more. A closed pipe
 * takes all lines in silence. pino's own destination would keep all lines, and keep the process until somebody reads.
 */
export function makeLogOutput(stream: Writable = process.stdout, maxBytes = defaultMaxBytes): LogOutput {
  let droppedLines = 0
  let unreported = 0
  let isClosed = false
  // Without a handler an EPIPE would end the process.
  stream.on('error', (error: NodeJS.ErrnoException) => (isClosed ||= error.code === 'EPIPE'))
  const report = (): void => {
    if (unreported === 0 || isClosed) return
    const lines = unreported
    unreported = 0
    const time = new Date().toISOString()
    stream.write(`${JSON.stringify({ level: 'warn', time, lines, msg: 'Left out log lines that nobody read' })}\n`)
  }
  stream.on('drain', report)
  return {
    write(line) {
      if (!isClosed && stream.writableLength + line.length <= maxBytes) {
        stream.write(line)
        return
      }
      droppedLines += 1
      unreported += 1
    },
    get droppedLines() {
      return droppedLines
    },
    flush: (milliseconds) => flush(stream, milliseconds),
  }
}

function flush(stream: Writable, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isOut: boolean): void => {
      clearTimeout(timer)
      resolve(isOut)
    }
    const timer = setTimeout(() => end(false), milliseconds)
    // An empty write is called back after all writes before it, or when the stream is broken.
    stream.write('', (error) => end(error === undefined || error === null))
  })
}
