import { describe, expect, it } from '@jest/globals'
import { Doubts, type Doubt } from '../../../operator/kube/backoff.ts'

const longest = { random: () => 1 }

describe('doubts in a row', () => {
  it('come to an end although their reason is another one each time', () => {
    const doubts = new Doubts(longest)
    const reasons: Doubt[][] = Array.from({ length: 10 }, (_, index) => [index % 2 === 0 ? 'older' : 'shrunk'])
    expect(reasons.findIndex((reason) => doubts.delayOf(reason) === undefined)).toBe(4)
  })

  it('begin anew after a list that was believed', () => {
    const doubts = new Doubts(longest)
    for (let round = 0; round < 3; round += 1) {
      expect([doubts.delayOf(['shrunk']), doubts.delayOf(['shrunk'])]).toEqual([1000, 4000])
      expect(doubts.delayOf(['shrunk'])).toBeUndefined()
    }
  })
})
