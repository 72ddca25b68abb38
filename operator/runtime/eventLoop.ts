import type { Timing } from '../kube/timing.ts'

const tickMilliseconds = 500
const windowMilliseconds = 60_000

/** More than this of one stall is not counted: a machine that slept, or a process that was stopped, is well again. */
const maxStallMilliseconds = 15_000

/** More than half of the window: with what is counted of a stall, at least three long ones. */
const budgetMilliseconds = windowMilliseconds / 2

/** How late the event loop was lately. */
export class EventLoop {
  readonly #timing: Timing
  readonly #stalls: { readonly at: number; readonly milliseconds: number }[] = []
  #cancel: () => void

  /** Begins to measure, until `stop`. */
  constructor(timing: Timing) {
    this.#timing = timing
    this.#cancel = this.#tick(timing.now())
  }

  /** Milliseconds by which the loop was late in the last minute, of each stall 15 s at most. */
  get stalledMilliseconds(): number {
    const since = this.#timing.now() - windowMilliseconds
    return this.#stalls.reduce((sum, { at, milliseconds }) => sum + (at > since ? milliseconds : 0), 0)
  }

  /**
   * False when the loop was stalled for most of the last minute, again and again. That is a process that does not get
   * well by itself (a heap at its limit, one computation without end after the other): a restart helps it. One stall,
   * however long, is no reason: it is over, and a restart would only cost.
   */
  get isWell(): boolean {
    return this.stalledMilliseconds <= budgetMilliseconds
  }

  /** Measures no more; no timer is left. */
  stop(): void {
    this.#cancel()
  }

  #tick(startedAt: number): () => void {
    return this.#timing.after(tickMilliseconds, () => {
      const at = this.#timing.now()
      const late = at - startedAt - tickMilliseconds
      // The timer's own grain is no stall.
      if (late > tickMilliseconds / 5) this.#stalls.push({ at, milliseconds: Math.min(late, maxStallMilliseconds) })
      while (this.#stalls[0] !== undefined && this.#stalls[0].at <= at - windowMilliseconds) this.#stalls.shift()
      this.#cancel = this.#tick(at)
    })
  }
}
