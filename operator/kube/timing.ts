/** Time and chance, given from outside. */
export interface Timing {
  /** Milliseconds of a clock that never jumps. */
  now(): number
  /** 0 to 1. */
  random(): number
  /** Runs `run` once after a delay; the returned function cancels it. */
  after(milliseconds: number, run: () => void): () => void
}

/** A delay between half and all of `milliseconds`, so that those who failed together do not return together. */
export function jitter(timing: Pick<Timing, 'random'>, milliseconds: number): number {
  return milliseconds * (0.5 + timing.random() / 2)
}

/** Resolves after the delay, or at once when the signal is aborted. */
export function sleep(timing: Pick<Timing, 'after'>, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      signal.removeEventListener('abort', done)
      cancel()
      resolve()
    }
    const cancel = timing.after(milliseconds, done)
    signal.addEventListener('abort', done, { once: true })
  })
}
