import { execFile } from 'node:child_process'
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { layoutOf } from './layout.ts'

let root = ''

beforeAll(() => void (root = mkdtempSync(join(tmpdir(), 'appstead-links-'))))
afterAll(() => rmSync(root, { recursive: true, force: true }))

it('clusters of one checkout that start side by side keep a link to the same binary', async () => {
  const script = `
    import { linkBinary } from '${import.meta.dirname}/cluster.ts'
    import { layoutOf } from '${import.meta.dirname}/layout.ts'
    const layout = layoutOf('side', '${root}')
    for (let times = 0; times < 2000; times += 1) linkBinary(layout, 'kubectl', '/the/binary')`
  const start = (): Promise<unknown> =>
    promisify(execFile)(process.execPath, ['--input-type=module-typescript', '--eval', script])
  await Promise.all([start(), start()])
  expect(readlinkSync(join(layoutOf('side', root).base, 'bin', 'kubectl'))).toBe('/the/binary')
})
