import { describe, expect, it } from '@jest/globals'
import { helpOf } from '../../../cli/help.ts'
import { parse } from '../../../cli/parse.ts'
import { commands } from '../../../cli/table.ts'

/** A line of a shell as words: what stands in single quotes is one. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word)

describe.each(commands)('$name', (command) => {
  it('has an example that is understood, and in its help', () => {
    const parsed = parse(wordsOf(command.example))
    expect(parsed.command).toBe(command)
    expect(helpOf(command)).toContain(`\nExample: kubectl appstead ${command.example}\n`)
  })

  it('says of each option in one sentence or more what it does', () => {
    for (const { about } of Object.values(command.options)) expect(about).toMatch(/^[A-Z].*\.$/)
  })
})
