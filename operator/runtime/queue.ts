import { jitter, type Clock } from './clock.ts'

export interface QueueOptions {
  readonly clock: Clock
  /** How many keys are worked on at the same time. */
  readonly workers: number
  /** Works on one key; must not throw. */
  work(key: string): Promise<void>
}

const firstBackoffMilliseconds = 50
const maxBackoffMilliseconds = 120_000

/**
 * Keys to be worked on. A key is worked on by one worker at a time; one that is added while it is worked on, or several
 * times before, is worked on once more, and sees everything that was added before it starts.
 */
export class Queue {
  readonly #options: QueueOptions
  readonly #waiting = new Set<string>()
  readonly #running = new Set<string>()
  /** Added while running: to be run again. */
  readonly #dirty = new Set<string>()
  readonly #delayed = new Map<string, { readonly at: number; readonly cancel: () => void }>()
  readonly #failures = new Map<string, number>()
  #isStarted = false
  #whenIdle: (() => void)[] = []

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Keys ready to be worked on. */
  get depth(): number {
    return this.#waiting.size + this.#dirty.size
  }

  /** Keys being worked on. */
  get running(): number {
    return this.#running.size
  }

  /** Begins to work; keys added before wait for it. */
  start(): void {
    this.#isStarted = true
    this.#pump()
  }

  /** Takes no more keys, forgets those that wait, resolves when the running ones are done. */
  async stop(): Promise<void> {
    this.#isStarted = false
    this.#waiting.clear()
    this.#dirty.clear()
    for (const { cancel } of this.#delayed.values()) cancel()
    this.#delayed.clear()
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /** Asks for the key to be worked on as soon as a worker is free. */
  add(key: string): void {
    if (this.#running.has(key)) this.#dirty.add(key)
    else this.#waiting.add(key)
    this.#pump()
  }

  /** Asks for the key to be worked on after a delay; of several such requests the earliest counts. */
  addAfter(key: string, milliseconds: number): void {
    const at = this.#options.clock.now() + milliseconds
    const earlier = this.#delayed.get(key)
    if (earlier !== undefined && earlier.at <= at) return
    earlier?.cancel()
    const cancel = this.#options.clock.after(milliseconds, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { at, cancel })
  }

  /** After a failure: the key again after a delay that doubles with each failure in a row, not before `minMilliseconds`. Returns the delay. */
  addWithBackoff(key: string, minMilliseconds = 0): number {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const backoff = Math.min(maxBackoffMilliseconds, firstBackoffMilliseconds * 2 ** failures)
    const delay = Math.max(minMilliseconds, jitter(this.#options.clock, backoff))
    this.addAfter(key, delay)
    return delay
  }

  /** The key did not fail: its next failure begins with the shortest delay, and no delayed request is left. */
  forget(key: string): void {
    this.#failures.delete(key)
    this.#delayed.get(key)?.cancel()
    this.#delayed.delete(key)
  }

  #pump(): void {
    while (this.#isStarted && this.#running.size < this.#options.workers) {
      const next = this.#waiting.values().next()
      if (next.done === true) return
      this.#waiting.delete(next.value)
      void this.#run(next.value)
    }
  }

  async #run(key: string): Promise<void> {
    this.#running.add(key)
    try {
      await this.#options.work(key)
    } finally {
      this.#running.delete(key)
      if (this.#dirty.delete(key) && this.#isStarted) this.#waiting.add(key)
      this.#pump()
      if (this.#running.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
    }
  }
}
