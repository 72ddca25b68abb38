import type { Clock } from './clock.ts'
import type { Outcome } from './outcome.ts'

/** Writes that may follow each other at once, after a time without any. */
const burst = 2

/** What was told of an object. */
interface Told {
  /** When all that was written will be paid for; in the past when the whole burst is left. */
  readonly paidAt: number
  readonly kind: Outcome['kind']
  readonly reason: string
}

/**
 * How often the status of an object may be written: two writes at once, then one per interval. The second of the two is
 * kept for a turn of events, which so is told without delay: a result that was not told yet, or that what was told as a
 * result is one no more. The way to it, and figures that change, are coalesced.
 */
export class StatusBudget {
  readonly #clock: Clock
  readonly #intervalMilliseconds: number
  readonly #told = new Map<string, Told>()

  constructor(clock: Clock, intervalMilliseconds: number) {
    this.#clock = clock
    this.#intervalMilliseconds = intervalMilliseconds
  }

  /** 0 when the status of a key with this outcome may be written now, and then it counts as told; else after how many milliseconds to ask again. */
  take(key: string, outcome: Outcome): number {
    const now = this.#clock.now()
    const told = this.#told.get(key)
    const paidAt = Math.max(now, told?.paidAt ?? now)
    const credit = isTurn(told, outcome) ? (burst - 1) * this.#intervalMilliseconds : 0
    if (paidAt - now > credit) return paidAt - now - credit
    this.#told.set(key, { paidAt: paidAt + this.#intervalMilliseconds, kind: outcome.kind, reason: reasonOf(outcome) })
    return 0
  }

  forget(key: string): void {
    this.#told.delete(key)
  }
}

/** Whether an outcome is a result that was not told, or ends one that was. */
function isTurn(told: Told | undefined, outcome: Outcome): boolean {
  if (told?.kind === outcome.kind && told.reason === reasonOf(outcome)) return false
  return outcome.kind !== 'progressing' || (told !== undefined && told.kind !== 'progressing')
}

function reasonOf(outcome: Outcome): string {
  return outcome.kind === 'settled' ? '' : outcome.reason
}
