import type { Clock } from './clock.ts'

/** Writes that may follow each other at once, after a time without any. */
const burst = 2

/**
 * How often the status of an object may be written: two writes at once, then one per interval. The second of the two is
 * kept for a status that tells a result, so that a result is told without delay and only the way to it is coalesced
 * (promises.md T3).
 */
export class StatusBudget {
  readonly #clock: Clock
  readonly #intervalMilliseconds: number
  /** When all that was written will be paid for; in the past, or missing, when the whole burst is left. */
  readonly #paidAt = new Map<string, number>()

  constructor(clock: Clock, intervalMilliseconds: number) {
    this.#clock = clock
    this.#intervalMilliseconds = intervalMilliseconds
  }

  /** 0 when the status may be written now, and then it counts as written; else after how many milliseconds to ask again. */
  take(key: string, isResult: boolean): number {
    const now = this.#clock.now()
    const paidAt = Math.max(now, this.#paidAt.get(key) ?? now)
    const credit = isResult ? (burst - 1) * this.#intervalMilliseconds : 0
    if (paidAt - now > credit) return paidAt - now - credit
    this.#paidAt.set(key, paidAt + this.#intervalMilliseconds)
    return 0
  }

  forget(key: string): void {
    this.#paidAt.delete(key)
  }
}
