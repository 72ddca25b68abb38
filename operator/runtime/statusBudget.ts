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

  /** Milliseconds after which the status of a key with this outcome may be written; 0: now. */
  delayOf(key: string, outcome: Outcome): number {
    const told = this.#told.get(key)
    const credit = isTurn(told, outcome) ? (burst - 1) * this.#intervalMilliseconds : 0
    return Math.max(0, this.#debtOf(told) - credit)
  }

  /** The status was written, and the outcome told with it. One that could not be is for the queue to space out. */
  wrote(key: string, outcome: Outcome): void {
    const paidAt = this.#clock.now() + this.#debtOf(this.#told.get(key)) + this.#intervalMilliseconds
    this.#told.set(key, { paidAt, kind: outcome.kind, reason: reasonOf(outcome) })
  }

  forget(key: string): void {
    this.#told.delete(key)
  }

  /** Milliseconds until all that was written is paid for. */
  #debtOf(told: Told | undefined): number {
    return Math.max(0, (told?.paidAt ?? 0) - this.#clock.now())
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
