import { systemClock, type Clock } from '../../../operator/runtime/clock.ts'

/** A clock that goes so many times as fast as the machine's: what waits for half a minute can be waited for. */
export function fastClock(speed: number): Clock {
  const startedAt = performance.now()
  const startedOn = Date.now()
  const passed = (): number => (performance.now() - startedAt) * speed
  return {
    now: () => startedAt + passed(),
    wall: () => new Date(startedOn + passed()),
    random: () => systemClock.random(),
    after: (milliseconds, run) => systemClock.after(milliseconds / speed, run),
  }
}

/** The machine's clock, which can be put forward. */
export interface JumpingClock extends Clock {
  /** So many seconds go by at once. */
  pass(seconds: number): void
}

export function jumpingClock(): JumpingClock {
  let passed = 0
  return {
    ...systemClock,
    now: () => systemClock.now() + passed,
    wall: () => new Date(Date.now() + passed),
    pass: (seconds) => (passed += seconds * 1000),
  }
}

/** The settings of an operator with such a clock: what others take is not sped up. */
export function patientConfig(speed: number) {
  return { workers: 4, reconcileDeadlineSeconds: 30 * speed, stopGraceSeconds: 5 * speed, instance: 'test' }
}
