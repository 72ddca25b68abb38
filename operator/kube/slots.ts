interface Waiter {
  readonly start: () => void
  readonly fail: (error: unknown) => void
}

/**
 * Who may send a call now: in the order of asking, at most `limit` at once, and nobody while the server has asked us to
 * wait. Waiting here and not inside a connection keeps what is decided at the last moment (credentials, may we write)
 * next to the sending.
 */
export class Slots {
  readonly #limit: number
  #taken = 0
  readonly #waiting = new Set<Waiter>()
  /** Who waits for the end of the pause only. */
  readonly #paused = new Set<Waiter>()
  #openAt = 0
  #timer: NodeJS.Timeout | undefined
  #closed: Error | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Seconds until the pause is over; 0 when there is none. */
  get pauseSeconds(): number {
    return Math.max(0, this.#openAt - performance.now()) / 1000
  }

  /** Resolves with the function that gives the slot back; rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#closed !== undefined) throw this.#closed
    const mustWait = this.#taken >= this.#limit || this.#waiting.size > 0 || this.pauseSeconds > 0
    if (mustWait) await this.#wait(this.#waiting, signal)
    else this.#taken += 1
    let isBack = false
    return () => {
      if (isBack) return
      isBack = true
      this.#taken -= 1
      this.#advance()
    }
  }

  /** Resolves when there is no pause; takes no slot. */
  async pass(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#closed !== undefined) throw this.#closed
    if (this.pauseSeconds > 0) await this.#wait(this.#paused, signal)
  }

  /** Lets nobody start for so long; a shorter pause than the running one changes nothing. */
  pause(seconds: number): void {
    const openAt = performance.now() + seconds * 1000
    if (openAt <= this.#openAt || this.#closed !== undefined) return
    this.#openAt = openAt
    clearTimeout(this.#timer)
    this.#wakeLater()
  }

  /** Who waits, and who comes later, is refused with `error`; slots already taken stay. */
  close(error: Error): void {
    this.#closed = error
    clearTimeout(this.#timer)
    for (const waiters of [this.#waiting, this.#paused]) {
      for (const { fail } of waiters) fail(error)
      waiters.clear()
    }
  }

  /** A waiter who started has its turn already counted. */
  #wait(waiters: Set<Waiter>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        waiters.delete(waiter)
        reject(signal.reason)
      }
      const end = (settle: () => void): void => {
        signal.removeEventListener('abort', giveUp)
        settle()
      }
      const waiter = { start: () => end(resolve), fail: (error: unknown) => end(() => reject(error)) }
      signal.addEventListener('abort', giveUp, { once: true })
      waiters.add(waiter)
    })
  }

  #wakeLater(): void {
    const milliseconds = Math.ceil(this.pauseSeconds * 1000)
    this.#timer = setTimeout(() => {
      // Timers count from the start of the event loop's turn, so after a long one they come too early.
      if (this.pauseSeconds > 0) this.#wakeLater()
      else this.#advance()
    }, milliseconds)
  }

  #advance(): void {
    if (this.pauseSeconds > 0) return
    for (const waiter of this.#paused) {
      this.#paused.delete(waiter)
      waiter.start()
    }
    for (const waiter of this.#waiting) {
      if (this.#taken >= this.#limit) return
      this.#waiting.delete(waiter)
      this.#taken += 1
      waiter.start()
    }
  }
}
