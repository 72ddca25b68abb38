import { describe, expect, it } from '@jest/globals'
import { driftingFiles, generatedFiles } from '../../../crds/generate.ts'
import { printReference } from '../../../crds/reference.ts'

describe('the generated files', () => {
  it('are what operator/api says', async () => {
    expect(await driftingFiles(await generatedFiles())).toEqual([])
  })

  it('are named when they drift', async () => {
    const files = new Map(
      [...(await generatedFiles())].map(([url, text]) => [url, url.pathname.endsWith('.md') ? `${text}x` : text]),
    )
    expect(await driftingFiles(files)).toEqual(['crds/REFERENCE.md'])
    expect(await driftingFiles(new Map([[new URL('nowhere.yaml', import.meta.url), '']]))).toEqual([
      'crds/nowhere.yaml',
    ])
  })
})

describe('the reference', () => {
  it('is not written while a label has no description', () => {
    expect(() => printReference([], 'export const labels = {}')).toThrow(/app \(appstead\.dev\/app\) has no comment/)
  })
})
