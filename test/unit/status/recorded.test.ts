import { expect, it } from '@jest/globals'
import { readRecorded, recordedNames } from '../../phases/recorded.ts'
import { kstatusOf } from '../../support/genericTools.ts'
import { objectionsTo, phaseTable, rowOf } from '../../support/phaseTable.ts'

/** The phase table over instances as a real API server showed them. */

const seen = recordedNames().filter((name) => name !== 'not-seen-yet')

it.each(seen)('%s is a row of the table, and generic tools say of it what the row says', (name) => {
  expect(objectionsTo(readRecorded(name))).toEqual([])
})

it('an instance that nobody has looked at is done for no tool', () => {
  expect(kstatusOf(readRecorded('not-seen-yet'))).toBe('InProgress')
})

it('each row of the table is recorded', () => {
  const rows = new Set(seen.map((name) => rowOf(readRecorded(name))))
  expect(
    Object.values(phaseTable)
      .flat()
      .filter((row) => !rows.has(row)),
  ).toEqual([])
})
