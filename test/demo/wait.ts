import { setTimeout as pause } from 'node:timers/promises'
import type { Report } from '../cluster/progress.ts'

/** How a thing that is waited for stands. */
export interface Standing {
  readonly isDone: boolean
  /** For people; told whenever it changes. */
  readonly text: string
}

/** Thrown when something is not reached in time; the message says what, and how it stood last. */
export class NotReached extends Error {
  override readonly name = 'NotReached'
}

/**
 * Looks again and again until it is done, and tells each new standing with the seconds it came after.
 * Throws NotReached after the limit.
 */
export async function waitFor(
  what: string,
  usualSeconds: number,
  limitSeconds: number,
  report: Report,
  look: () => Promise<Standing>,
): Promise<void> {
  const startedAt = Date.now()
  const seconds = (): number => Math.round((Date.now() - startedAt) / 1000)
  report(`  waiting for ${what} (usually ${usualSeconds} s, at most ${limitSeconds} s)`)
  let last = ''
  let toldAt = Date.now()
  for (;;) {
    const { isDone, text } = await look()
    if (text !== last || Date.now() - toldAt > 15_000) {
      report(`    ${String(seconds()).padStart(3)} s  ${text}`)
      last = text
      toldAt = Date.now()
    }
    if (isDone) return
    if (seconds() >= limitSeconds)
      throw new NotReached(`${what}: not reached in ${limitSeconds} s; it stands at: ${text}`)
    await pause(250)
  }
}
