import { describe, expect, it } from '@jest/globals'
import { generatedFiles } from '../../../crds/generate.ts'
import { findDrift } from '../../../crds/generated.ts'
import { printReference } from '../../../crds/reference.ts'

describe('the generated files', () => {
  it('are what operator/api says', async () => {
    expect(await findDrift(await generatedFiles())).toEqual([])
  })
})

describe('the reference', () => {
  it('is not written while a label has no description', () => {
    expect(() => printReference([], 'export const labels = {}')).toThrow(/app \(appstead\.dev\/app\) has no comment/)
  })
})
