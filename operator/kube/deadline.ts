/** The time a call has, and its caller's signal, as one signal. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Seconds that are left; Infinity after `disarm`. */
  left(): number
  /** From now on only the caller's signal counts. */
  disarm(): void
  /** Lets the timer and the listener go; to be called at the end, always. */
  end(): void
}

/** Begins now. One controller and one timer, both let go at the end: AbortSignal.timeout would live on for its time. */
export function startDeadline(seconds: number, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  let endsAt = performance.now() + seconds * 1000
  const timer = setTimeout(abort, seconds * 1000)
  if (caller?.aborted === true) abort()
  caller?.addEventListener('abort', abort, { once: true })
  return {
    signal: controller.signal,
    left: () => (endsAt - performance.now()) / 1000,
    disarm() {
      clearTimeout(timer)
      endsAt = Infinity
    },
    end() {
      clearTimeout(timer)
      caller?.removeEventListener('abort', abort)
    },
  }
}

/** What `promise` comes to; rejects with the signal's reason when that comes first. What it does goes on unheeded. */
export function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    if (signal.aborted) return giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
