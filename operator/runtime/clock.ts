import type { Timing } from '../kube/timing.ts'

/** Time and chance as the engine sees them; tests put their own in its place. */
export interface Clock extends Timing {
  /** The time of day, for what people read. Never used to measure. */
  wall(): Date
}

/** The machine's clock. Its timers do not keep the process alive: main does. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => new Date(),
  random: () => Math.random(),
  after(milliseconds, run) {
    // What was due a moment ago is due now: Node warns of less than nothing.
    const timer = setTimeout(run, Math.max(0, milliseconds))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
