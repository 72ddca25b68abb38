import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { problemsOf, rowsOf, type Known } from '../../faults/catalogue.ts'
import { faultNames } from '../../faults/run/disturbances.ts'
import { scenarios } from '../../faults/run/scenarios.ts'

const folder = new URL('../../faults/', import.meta.url)

describe('the catalogue of faults', () => {
  it('has seventy rows, and each file, test, scenario and fault that it names is there', () => {
    const known: Known = {
      read(path) {
        const file = new URL(path, folder)
        return existsSync(file) ? readFileSync(file, 'utf8') : undefined
      },
      scenarios: scenarios.map(({ name }) => name),
      faults: faultNames,
    }
    expect(problemsOf(readFileSync(new URL('README.md', folder), 'utf8'), known)).toEqual([])
  })
})

const row = (number: number, shownBy = '[a] “does this”'): string => `| ${number} | a fault | its end | ${shownBy} |`
const rows = Array.from({ length: 70 }, (_, index) => row(index + 1))
const bug = '| What one saw | Why | Shown by |\n|---|---|---|\n| it hung | it waited | [a] “does this” |'

/** A catalogue without a fault, but for these rows. */
function catalogueWith(...others: readonly (readonly [number, string])[]): string {
  const texts = rows.map((text, index) => others.find(([number]) => number === index + 1)?.[1] ?? text)
  const files = '[a]: a.test.ts\n[crashes]: crashes.test.ts\n[schedules]: schedules.test.ts'
  const uses = '[crashes] of `create`, [schedules] (slow)'
  return ['### A', '| # | Fault |', '|---|---|', ...texts, uses, '## Bugs', bug, '', files].join('\n')
}

const source = `
describe('a group', () => {
  it('does this', () => {})
  it('says of "that" what is so', () => {})
  it.each([[1, 'x']])('does %s as $name', async () => {})
})`
const found: Known = { read: () => source, scenarios: ['create'], faults: ['slow'] }
const about = (text: string): string[] => problemsOf(text, found)

describe('a catalogue', () => {
  it('of which all is so has no problems', () => {
    expect(about(catalogueWith())).toEqual([])
    expect(rowsOf(catalogueWith()).at(-1)).toEqual({
      number: 70,
      fault: 'a fault',
      expected: 'its end',
      shownBy: '[a] “does this”',
    })
  })

  it.each([
    ['“a group does this”, “says of … what is so” and “does %s as $name”', []],
    ['[a] alone, *Open*', []],
    ['*Instance*', []],
    ['a later issue', []],
    ['[schedules] (slow) and [crashes] of `create`', []],
    ['nothing', ['7: no test and no issue is named']],
    ['“does that”', ['7: no test “does that” in [a]']],
    ['“says … what is not”', ['7: no test “says … what is not” in [a]']],
    ['“(does this)”', ['7: no test “(does this)” in [a]']],
    ['[crashes] of `create` and `destroy`', ['7: no scenario destroy']],
    ['[schedules] (slow, fast)', ['7: no fault fast']],
    ['`npm run faults -- --seed 1 --scenario destroy`', ['7: no scenario destroy']],
    ['[b] alone', ['7: no file is given for [b]']],
  ])('that says %s: %j', (text, problems) => {
    const given = text.startsWith('“') ? `[a] ${text}` : text
    expect(about(catalogueWith([7, row(7, given)]))).toEqual(problems)
  })

  it('that lacks a row, or has one twice, is not whole', () => {
    expect(about(catalogueWith([7, '']))).toEqual([expect.stringMatching(/^the rows are not 1 to 70: 1,2,3,4,5,6,8,/)])
    expect(about(catalogueWith([7, row(6)]))).toEqual([expect.stringContaining('5,6,6,8')])
  })

  it('of which a file is gone, or of no use, says so', () => {
    const gone = { ...found, read: (path: string) => (path === 'a.test.ts' ? undefined : source) }
    expect(problemsOf(catalogueWith(), gone)).toContain('[a]: there is no a.test.ts')
    expect(about(`${catalogueWith()}\n[c]: c.test.ts`)).toEqual(['[c]: nothing refers to it'])
  })

  it('of which a bug is shown by a test that is gone says so', () => {
    const text = catalogueWith().replace('it waited | [a] “does this”', 'it waited | [a] “did this”')
    expect(about(text)).toEqual(['it hung: no test “did this” in [a]'])
  })
})
