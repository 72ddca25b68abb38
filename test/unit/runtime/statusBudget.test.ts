import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Outcome } from '../../../operator/runtime/outcome.ts'
import { StatusBudget } from '../../../operator/runtime/statusBudget.ts'
import { makeFakeClock } from './fakeClock.ts'

const settled: Outcome = { kind: 'settled' }
const rollingOut: Outcome = { kind: 'progressing', reason: 'RollingOut', message: '' }
const lacking: Outcome = { kind: 'progressing', reason: 'ReplicasNotReady', message: '' }
const forbidden: Outcome = { kind: 'blocked', reason: 'Forbidden', message: '', by: 'the API server' }

/** Writes when it may: 0, or after how many milliseconds to ask again. */
function take(budget: StatusBudget, outcome: Outcome, key = 'k'): number {
  const delay = budget.delayOf(key, outcome)
  if (delay === 0) budget.wrote(key, outcome)
  return delay
}

describe('the budget of status writes', () => {
  it('lets the first write and the result through at once, and what is on the way once a second', async () => {
    const clock = makeFakeClock()
    const budget = new StatusBudget(clock, 1000)
    expect(take(budget, rollingOut)).toBe(0)
    expect(take(budget, rollingOut)).toBe(1000)
    await clock.pass(400)
    expect(take(budget, lacking)).toBe(600)
    expect(take(budget, settled)).toBe(0)
    expect(take(budget, forbidden)).toBe(600)
    expect(take(budget, rollingOut, 'other')).toBe(0)
    await clock.pass(1600)
    expect(take(budget, lacking)).toBe(0)
  })

  it('lets the end of what was told as a result through at once, whatever figures changed before it', async () => {
    const clock = makeFakeClock()
    const budget = new StatusBudget(clock, 1000)
    expect(take(budget, settled)).toBe(0)
    await clock.pass(60_000)
    // As when a pod goes: the counts first, then that it is missed, and then that it is back.
    expect(take(budget, settled)).toBe(0)
    expect(take(budget, settled)).toBe(1000)
    expect(take(budget, lacking)).toBe(0)
    await clock.pass(1500)
    expect(take(budget, settled)).toBe(0)
  })

  it('never lets through more than two and one a second, and lets through whoever waits as long as it was told', async () => {
    const outcome = fc.constantFrom(settled, rollingOut, lacking, forbidden)
    const asks = fc.array(fc.record({ after: fc.integer({ min: 0, max: 1500 }), outcome }), {
      minLength: 1,
      maxLength: 60,
    })
    await fc.assert(
      fc.asyncProperty(asks, async (all) => {
        const clock = makeFakeClock()
        const budget = new StatusBudget(clock, 1000)
        let written = 0
        for (const { after, outcome: each } of all) {
          await clock.pass(after)
          const delay = take(budget, each)
          if (delay === 0) written += 1
          expect(written).toBeLessThanOrEqual(2 + clock.now() / 1000)
        }
        const delay = take(budget, rollingOut)
        await clock.pass(delay)
        expect(delay === 0 ? 0 : take(budget, rollingOut)).toBe(0)
      }),
      { seed: 20261122, numRuns: 200 },
    )
  })
})
