import { describe, expect, it } from '@jest/globals'
import { ageOf, tableOf } from '../../../cli/columns.ts'

describe('a table', () => {
  it('has columns as wide as their widest cell, and nothing behind the last', () => {
    expect(
      tableOf([
        ['NAME', 'REASON', 'MESSAGE'],
        ['a', 'Completed', 'well done'],
        ['long-name', '', ''],
      ]),
    ).toEqual(['NAME        REASON      MESSAGE', 'a           Completed   well done', 'long-name'])
  })

  it.each([
    ['2026-01-02T03:04:05Z', '0s'],
    ['2026-01-02T03:02:06Z', '119s'],
    ['2026-01-02T03:02:05Z', '2m'],
    ['2026-01-02T01:04:05Z', '2h'],
    ['2025-12-30T03:04:05Z', '3d'],
    // Clocks differ.
    ['2026-01-02T03:04:09Z', '0s'],
    [undefined, '<unknown>'],
  ])('tells an age as kubectl does: %s is %s', (time, age) => {
    expect(ageOf(time, new Date('2026-01-02T03:04:05Z'))).toBe(age)
  })
})
