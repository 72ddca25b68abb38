import { describe, expect, it } from '@jest/globals'
import { compareQuantities, cpuOf, cpuQuantity, memoryOf, memoryQuantity } from '../../../operator/api/quantity.ts'

describe('compareQuantities', () => {
  it.each([
    ['1', '1000m', 0],
    ['0.5', '500m', 0],
    ['250m', '0.3', -1],
    ['2', '1999m', 1],
    ['1Gi', '1024Mi', 0],
    ['1.5Gi', '1536Mi', 0],
    ['2Gi', '2G', 1],
    ['999M', '1G', -1],
    ['1k', '1Ki', -1],
    ['999999999Mi', '999T', 1],
  ])('%s against %s is %d', (a, b, expected) => {
    expect(compareQuantities(a, b)).toBe(expected)
    expect(compareQuantities(b, a)).toBe(0 - expected)
  })
})

describe('a sum', () => {
  it.each([
    [['250m', 3], ['0.5', 1], '1250m'],
    [['500m', 2], ['1', 1], '2'],
    [['0.0', 4], ['0', 1], '0'],
    [['1.001', 1], ['0', 9], '1001m'],
  ] as const)('of CPU %j and %j is %s', (a, b, sum) => {
    expect(cpuOf([a, b].map(([quantity, times]) => ({ quantity, times })))).toBe(sum)
  })

  it.each([
    [['128Mi', 3], ['1Gi', 2], '2432Mi'],
    [['512Mi', 2], ['1Gi', 1], '2Gi'],
    [['500M', 3], ['500M', 1], '2G'],
    [['1k', 1], ['1Ki', 1], '2024'],
    [['1.5Gi', 1], ['0', 1], '1536Mi'],
    [['128Mi', 0], ['0', 1], '0'],
  ] as const)('of memory %j and %j is %s', (a, b, sum) => {
    expect(memoryOf([a, b].map(([quantity, times]) => ({ quantity, times })))).toBe(sum)
  })
})

describe('the patterns', () => {
  it('take what people write', () => {
    expect(['1', '0.5', '250m', '1.25'].filter((text) => !cpuQuantity.test(text))).toEqual([])
    expect(['128Mi', '1Gi', '1.5Gi', '500M', '2097152Ki'].filter((text) => !memoryQuantity.test(text))).toEqual([])
  })

  it('refuse what means something else than it seems, or nothing', () => {
    expect(['', '-1', '1.', '.5', '1e3', '1 ', '0.5m', '1G', '1,5'].filter((text) => cpuQuantity.test(text))).toEqual(
      [],
    )
    expect(
      ['', '128', '1m', '1Gib', '-1Gi', '1gi', '1 Gi', '97813737235G', '1E'].filter((text) =>
        memoryQuantity.test(text),
      ),
    ).toEqual([])
  })
})
