import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { cases, planFile, planTextOf } from './cases.ts'

/** After a wanted change: `npm run golden`, and review the diff. */
describe('what the reconciler makes of the objects in in.yaml is plan.yaml, byte for byte', () => {
  it.each(cases)('%s', async (name) => {
    expect(await planTextOf(name)).toBe(readFileSync(planFile(name), 'utf8'))
  })
})
