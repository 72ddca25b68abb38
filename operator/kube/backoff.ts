import { jitter, type Timing } from './timing.ts'

const firstDelayMilliseconds = 200
const maxDelayMilliseconds = 30_000

/** A server that asks for more than this is asked again all the same: it may have been mended. */
const maxRetryAfterMilliseconds = 120_000

/** No wait is longer. */
export const maxWaitMilliseconds = maxRetryAfterMilliseconds * 1.25

/** Delays after failures in a row: each twice the last, up to 30 s, none the same for two who failed together. */
export class Backoff {
  readonly #timing: Pick<Timing, 'random'>
  #failures = 0

  constructor(timing: Pick<Timing, 'random'>) {
    this.#timing = timing
  }

  /** The delay after one more failure; not shorter than the server asks for, and up to a quarter longer. */
  nextDelay(retryAfterSeconds = 0): number {
    const chance = this.#timing.random()
    const ceiling = Math.min(maxDelayMilliseconds, firstDelayMilliseconds * 2 ** this.#failures)
    this.#failures += 1
    const asked = Math.min(retryAfterSeconds * 1000, maxRetryAfterMilliseconds)
    return Math.max(ceiling * (0.5 + chance / 2), asked * (1 + chance / 4))
  }

  /** It worked: the next failure is the first. */
  reset(): void {
    this.#failures = 0
  }
}

/**
 * What makes a complete list hard to believe. `older`: its resourceVersion is lower than one we have seen, so the server
 * answers from an old view, or its data was restored. `shrunk`: much of what we hold is not in it.
 */
export type Doubt = 'older' | 'shrunk'

/** How often a list must be read again, with the same result, before it is believed. */
const rereads: Readonly<Record<Doubt, number>> = { older: 3, shrunk: 2 }

const firstRereadMilliseconds = 1000

/** A server that lies in turns is believed in the end: better an old view than none. */
const maxDoubtsInARow = 4

/** Remembers what was doubted of the last lists. */
export class Doubts {
  readonly #timing: Pick<Timing, 'random'>
  #inARow: Readonly<Record<Doubt, number>> = { older: 0, shrunk: 0 }
  #lists = 0

  constructor(timing: Pick<Timing, 'random'>) {
    this.#timing = timing
  }

  /** Milliseconds after which to read the list again, each time four times as long; undefined: it is to be believed. */
  delayOf(doubts: readonly Doubt[]): number | undefined {
    const count = (doubt: Doubt): number => (doubts.includes(doubt) ? this.#inARow[doubt] + 1 : 0)
    const inARow = { older: count('older'), shrunk: count('shrunk') }
    this.#lists += 1
    const isDoubted = this.#lists <= maxDoubtsInARow && doubts.some((doubt) => inARow[doubt] <= rereads[doubt])
    this.#inARow = isDoubted ? inARow : { older: 0, shrunk: 0 }
    if (!isDoubted) {
      this.#lists = 0
      return undefined
    }
    const times = Math.max(inARow.older, inARow.shrunk)
    return jitter(this.#timing, firstRereadMilliseconds * 4 ** (times - 1))
  }
}
