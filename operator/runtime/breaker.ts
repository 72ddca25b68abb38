import type { Clock } from './clock.ts'

export interface BreakerOptions {
  readonly clock: Clock
  /** A key's runs are spaced out from now on. */
  onOpen?(key: string): void
  /** A key is calm again, or gone. */
  onClose?(key: string): void
}

/** So many changes at once are no sign of anything. */
const capacity = 30
const refillMilliseconds = 5000
const spacingMilliseconds = 10_000
/** Longer than several spaced runs: they changed nothing. */
const calmMilliseconds = 60_000
const sweepMilliseconds = 10_000

/**
 * Notices objects that change themselves: each run of their key writes something that wakes the key again, most often
 * because somebody else undoes it. Each change of a key's own object takes a token from its bucket of 30, one comes back
 * every 5 s. When none is left the key is open: it may run only every 10 s, until its object has not changed for 60 s.
 * Nothing is kept of a key that did not change for as long as it takes to fill its bucket.
 */
export class Breaker {
  readonly #options: BreakerOptions
  /** When the bucket of a key will be full again. */
  readonly #fullAt = new Map<string, number>()
  readonly #open = new Map<string, { changedAt: number; mayRunAt: number }>()
  #cancelSweep: (() => void) | undefined

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  /** Keys that are open. */
  get openCount(): number {
    return this.#open.size
  }

  /** Keys of which something is kept. */
  get size(): number {
    return this.#fullAt.size
  }

  /** The key's own object changed. */
  changed(key: string): void {
    const now = this.#options.clock.now()
    const emptyAt = now + capacity * refillMilliseconds
    const fullAt = Math.max(now, this.#fullAt.get(key) ?? now) + refillMilliseconds
    this.#fullAt.set(key, Math.min(fullAt, emptyAt))
    this.#sweepLater()
    const open = this.#open.get(key)
    if (open !== undefined) open.changedAt = now
    else if (fullAt > emptyAt) {
      this.#open.set(key, { changedAt: now, mayRunAt: now + spacingMilliseconds })
      this.#options.onOpen?.(key)
    }
  }

  /** To be asked before each run of a key: 0 lets it run, and counts as that run; else the milliseconds it has to wait. */
  delayFor(key: string): number {
    const open = this.#open.get(key)
    if (open === undefined) return 0
    const now = this.#options.clock.now()
    if (now < open.mayRunAt) return open.mayRunAt - now
    open.mayRunAt = now + spacingMilliseconds
    return 0
  }

  /** The object is gone. */
  forget(key: string): void {
    this.#fullAt.delete(key)
    this.#close(key)
  }

  /** No timer is left. */
  stop(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
  }

  #close(key: string): void {
    if (this.#open.delete(key)) this.#options.onClose?.(key)
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#options.clock.after(sweepMilliseconds, () => {
      this.#cancelSweep = undefined
      this.#sweep()
      if (this.size > 0) this.#sweepLater()
    })
  }

  /** Closes what is calm, forgets full buckets. */
  #sweep(): void {
    const now = this.#options.clock.now()
    for (const [key, { changedAt }] of this.#open) if (now - changedAt >= calmMilliseconds) this.#close(key)
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now && !this.#open.has(key)) this.#fullAt.delete(key)
  }
}
