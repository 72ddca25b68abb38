import process from 'node:process'

/** Where lines about what is going on are written. */
export type Report = (line: string) => void

/** Writes to the standard error, so that the standard output stays for answers. */
export const reportToTerminal: Report = (line) => {
  process.stderr.write(`${line}\n`)
}

const repeatMilliseconds = 15_000

/**
 * Runs something slow and says so: a line at once, one every 15 seconds, one at the end.
 * `usualSeconds` is what it takes on a small machine, so that a reader knows whether to wait or to worry.
 */
export async function withProgress<T>(
  report: Report,
  what: string,
  usualSeconds: number,
  work: () => Promise<T>,
): Promise<T> {
  const started = Date.now()
  const seconds = (): string => `${Math.round((Date.now() - started) / 1000)} s`
  report(`${what} (usually ${usualSeconds} s)`)
  const timer = setInterval(
    () => report(`  still: ${what}, ${seconds()} of usually ${usualSeconds} s`),
    repeatMilliseconds,
  )
  try {
    return await work()
  } finally {
    clearInterval(timer)
    report(`  ${seconds()}`)
  }
}
