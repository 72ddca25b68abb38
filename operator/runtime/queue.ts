import { jitter } from '../kube/timing.ts'
import type { Clock } from './clock.ts'
import { higherOf, Turns, type Priority, type Turn } from './turns.ts'

export type { Priority } from './turns.ts'

/** Told what happens to keys, for metrics; must not throw. */
export interface QueueObserver {
  /** A key waits that did not wait before. */
  added?(key: string): void
  started?(key: string, waitedSeconds: number): void
  finished?(key: string, seconds: number): void
  /** A key failed and will be tried again. */
  retried?(key: string): void
}

export interface QueueOptions {
  readonly clock: Clock
  /** How many keys are worked on at the same time. */
  readonly workers: number
  /** Works on one key; must not throw. */
  work(key: string): Promise<void>
  /** Who competes with whom: project and app of a key. Without it, all keys are of one. */
  readonly flowOf?: (key: string) => readonly string[]
  readonly observer?: QueueObserver
}

const firstBackoffMilliseconds = 50
const maxBackoffMilliseconds = 120_000

/**
 * Keys to be worked on. A key is worked on by one worker at a time; one that is added while it is worked on, or several
 * times before, is worked on once more, and sees everything that was added before it starts.
 *
 * Order (Turns): by priority, and of one priority projects take turns, and in each its apps. What is promised: the key
 * of a project of which nothing is worked on waits for at most one pick of each other project that waits with the same
 * priority, however many keys those have. Of eight picks one serves the longest wait of all, so nothing starves, and
 * one the second priority. Work that runs is not interrupted: slow keys of one project may hold all workers if nobody
 * else waited when they started. Others then get every worker that becomes free, until it holds no more than its share.
 *
 * Backoff is as in client-go: a key that failed is run again after its delay, or before that because something asked
 * for it. Such a run takes the place of the retry, and if it fails too, the delay grows on: only forget() ends a row of
 * failures. What an object does to itself is for the Breaker.
 */
export class Queue {
  readonly #options: QueueOptions
  readonly #turns: Turns
  /** Since when a key is worked on. */
  readonly #running = new Map<string, number>()
  /** Added while running: to be run again. */
  readonly #dirty = new Map<string, { readonly priority: Priority; readonly since: number }>()
  readonly #delayed = new Map<string, Delayed>()
  readonly #retries = new Map<string, () => void>()
  readonly #failures = new Map<string, number>()
  #state: 'new' | 'started' | 'stopped' = 'new'
  #whenIdle: (() => void)[] = []

  constructor(options: QueueOptions) {
    this.#options = options
    this.#turns = new Turns(options.workers, options.flowOf ?? (() => []))
  }

  /** Keys ready to be worked on. */
  get depth(): number {
    return this.#turns.size + this.#dirty.size
  }

  /** Keys ready to be worked on, by priority. */
  get depths(): Readonly<Record<Priority, number>> {
    const dirty = [...this.#dirty.values()]
    const depthOf = (priority: Priority): number =>
      this.#turns.sizeOf(priority) + dirty.filter((each) => each.priority === priority).length
    return { user: depthOf('user'), event: depthOf('event'), retry: depthOf('retry'), resync: depthOf('resync') }
  }

  /** Keys being worked on. */
  get running(): number {
    return this.#running.size
  }

  /** For how long the keys have been worked on that are worked on now, all together. */
  get unfinishedSeconds(): number {
    return this.#runningSeconds().reduce((sum, seconds) => sum + seconds, 0)
  }

  /** For how long the longest of the keys has been worked on that are worked on now; 0 without any. */
  get longestRunningSeconds(): number {
    return Math.max(0, ...this.#runningSeconds())
  }

  /** Begins to work; keys added before wait for it. */
  start(): void {
    this.#state = 'started'
    this.#pump()
  }

  /** Takes no more keys, forgets those that wait, resolves when the running ones are done. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#turns.clear()
    this.#dirty.clear()
    for (const { cancel } of this.#delayed.values()) cancel()
    this.#delayed.clear()
    for (const cancel of this.#retries.values()) cancel()
    this.#retries.clear()
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /** Asks for the key to be worked on as soon as a worker is free; of several priorities asked for the highest counts. */
  add(key: string, priority: Priority = 'event'): void {
    if (this.#state === 'stopped') return
    const now = this.#options.clock.now()
    const dirty = this.#dirty.get(key)
    const isRunning = this.#running.has(key)
    const isNew = isRunning ? dirty === undefined : this.#turns.add(key, priority, now)
    if (isRunning) {
      this.#dirty.set(key, { priority: higherOf(dirty?.priority ?? priority, priority), since: dirty?.since ?? now })
    }
    if (isNew) this.#options.observer?.added?.(key)
    this.#pump()
  }

  /** Asks for the key to be worked on after a delay; of several such requests the earliest and the highest priority count. */
  addAfter(key: string, milliseconds: number, priority: Priority = 'event'): void {
    if (this.#state === 'stopped') return
    const asked = this.#options.clock.now() + milliseconds
    const earlier = this.#delayed.get(key)
    earlier?.cancel()
    const at = Math.min(asked, earlier?.at ?? asked)
    const highest = higherOf(earlier?.priority ?? priority, priority)
    const cancel = this.#options.clock.after(at - this.#options.clock.now(), () => {
      this.#delayed.delete(key)
      this.add(key, highest)
    })
    this.#delayed.set(key, { at, priority: highest, cancel })
  }

  /** After a failure: the key again after a delay that doubles with each failure in a row, not before `minMilliseconds`. Returns the delay. */
  addWithBackoff(key: string, minMilliseconds = 0): number {
    const { clock, observer } = this.#options
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const backoff = Math.min(maxBackoffMilliseconds, firstBackoffMilliseconds * 2 ** failures)
    const delay = Math.max(minMilliseconds, jitter(clock, backoff))
    if (this.#state === 'stopped') return delay
    this.#cancelRetry(key)
    const retry = (): void => {
      this.#retries.delete(key)
      this.add(key, 'retry')
    }
    this.#retries.set(key, clock.after(delay, retry))
    observer?.retried?.(key)
    return delay
  }

  /** The key did not fail: its next failure begins with the shortest delay, and no delayed request is left. */
  forget(key: string): void {
    this.#failures.delete(key)
    this.#cancelRetry(key)
    this.#delayed.get(key)?.cancel()
    this.#delayed.delete(key)
  }

  #cancelRetry(key: string): void {
    this.#retries.get(key)?.()
    this.#retries.delete(key)
  }

  #runningSeconds(): number[] {
    const now = this.#options.clock.now()
    return [...this.#running.values()].map((since) => (now - since) / 1000)
  }

  #pump(): void {
    while (this.#state === 'started' && this.#running.size < this.#options.workers) {
      const turn = this.#turns.take()
      if (turn === undefined) return
      void this.#run(turn)
    }
  }

  async #run(turn: Turn): Promise<void> {
    const { clock, observer } = this.#options
    const { key } = turn
    const startedAt = clock.now()
    this.#running.set(key, startedAt)
    this.#cancelRetry(key)
    observer?.started?.(key, (startedAt - turn.since) / 1000)
    try {
      await this.#options.work(key)
    } finally {
      this.#running.delete(key)
      this.#turns.giveBack(turn)
      observer?.finished?.(key, (clock.now() - startedAt) / 1000)
      const again = this.#dirty.get(key)
      this.#dirty.delete(key)
      if (again !== undefined) this.#turns.add(key, again.priority, again.since)
      this.#pump()
      if (this.#running.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
    }
  }
}

interface Delayed {
  readonly at: number
  readonly priority: Priority
  readonly cancel: () => void
}
