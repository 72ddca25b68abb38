import type { Clock } from '../../../operator/runtime/clock.ts'

interface Timer {
  readonly at: number
  readonly run: () => void
}

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /** Lets time pass, running what falls due in order, and lets the promises in between settle. */
  pass(milliseconds: number): Promise<void>
  /** Delays of the timers that are set, shortest first. */
  pending(): number[]
}

/** A FakeClock at 0; `random` always gives `chance`, 1 by default: delays are then at their longest. */
export function makeFakeClock(chance = 1): FakeClock {
  let time = 0
  const timers = new Set<Timer>()
  const nextBefore = (limit: number): Timer | undefined =>
    [...timers].filter(({ at }) => at <= limit).toSorted((a, b) => a.at - b.at)[0]
  return {
    now: () => time,
    wall: () => new Date(Date.UTC(2026, 0, 1) + time),
    random: () => chance,
    after(milliseconds, run) {
      const timer = { at: time + milliseconds, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async pass(milliseconds) {
      const limit = time + milliseconds
      await settle()
      for (let timer = nextBefore(limit); timer !== undefined; timer = nextBefore(limit)) {
        timers.delete(timer)
        time = timer.at
        timer.run()
        await settle()
      }
      time = limit
      await settle()
    },
    pending: () => [...timers].map(({ at }) => at - time).toSorted((a, b) => a - b),
  }
}

/** Lets everything run that is only waiting for its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
