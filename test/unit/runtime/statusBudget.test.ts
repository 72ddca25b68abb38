import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { StatusBudget } from '../../../operator/runtime/statusBudget.ts'
import { makeFakeClock } from './fakeClock.ts'

describe('the budget of status writes', () => {
  it('lets the first write and the result through at once, and what is on the way once a second', async () => {
    const clock = makeFakeClock()
    const budget = new StatusBudget(clock, 1000)
    expect(budget.take('k', false)).toBe(0)
    expect(budget.take('k', false)).toBe(1000)
    await clock.pass(400)
    expect(budget.take('k', false)).toBe(600)
    expect(budget.take('k', true)).toBe(0)
    expect(budget.take('k', true)).toBe(600)
    expect(budget.take('other', false)).toBe(0)
    await clock.pass(1600)
    expect(budget.take('k', false)).toBe(0)
  })

  it('never lets through more than two and one a second, and lets through whoever waits as long as it was told', async () => {
    const asks = fc.array(fc.record({ after: fc.integer({ min: 0, max: 1500 }), isResult: fc.boolean() }), {
      minLength: 1,
      maxLength: 60,
    })
    await fc.assert(
      fc.asyncProperty(asks, async (all) => {
        const clock = makeFakeClock()
        const budget = new StatusBudget(clock, 1000)
        let written = 0
        for (const { after, isResult } of all) {
          await clock.pass(after)
          const delay = budget.take('k', isResult)
          if (delay === 0) written += 1
          expect(written).toBeLessThanOrEqual(2 + clock.now() / 1000)
        }
        const delay = budget.take('k', false)
        await clock.pass(delay)
        expect(delay === 0 ? 0 : budget.take('k', false)).toBe(0)
      }),
      { seed: 20261122, numRuns: 200 },
    )
  })
})
