import { describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeLog } from '../../../operator/runtime/log.ts'
import { failOnLeaks, leaksIn, leaksInOutput, makeCanary, remember, rememberingIn } from '../../support/canaries.ts'

describe('a canary', () => {
  it('is found in a log line that shows it, and named without being shown again', () => {
    const canary = makeCanary('the token of a test')
    let line = ''
    makeLog('debug', { write: (text) => (line = text) }).info({ token: canary }, 'Leaking on purpose')
    const leaks = leaksIn('the log', line)
    expect(leaks).toEqual([{ where: 'the log', what: 'the token of a test' }])
    expect(() => failOnLeaks(leaks)).toThrow('secrets were seen:\n  the token of a test in the log')
    expect(JSON.stringify(leaks)).not.toContain(canary)
  })

  it.each([0, 1, 2, 3, 4])('is found in base64, after %i bytes of something else', (shift) => {
    const canary = makeCanary('a password')
    const text = `data: ${Buffer.from('#'.repeat(shift) + canary + '$$').toString('base64')}`
    expect(leaksIn('a dump', text)).toEqual([{ where: 'a dump', what: 'a password' }])
  })

  it('is found when only its prefix is known, as it is and in base64', () => {
    const canary = makeCanary('of another process')
    for (const text of [`x${canary}`, Buffer.from(`x${canary}`).toString('base64')]) {
      expect(leaksIn('the output', text, [])).toEqual([{ where: 'the output', what: 'a planted secret' }])
    }
  })

  it('is not found where there is none', () => {
    makeCanary('unseen')
    remember('a short one', 'abc')
    expect(leaksIn('a text', 'abc, the canary of no mine, Y2FuYXJ5')).toEqual([])
    failOnLeaks([])
  })

  it('made by a child process is found in what that wrote', () => {
    const folder = mkdtempSync(join(tmpdir(), 'canaries-'))
    const file = join(folder, 'canaries')
    const script = `import { remember } from './test/support/canaries.ts'
      remember('generated', process.env.SECRET); console.error('leaked: ' + process.env.SECRET)`
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, ...rememberingIn(file), SECRET: 'Xq27-generated-by-product' },
      encoding: 'utf8',
    })
    expect(leaksInOutput('stage unit', stderr, file)).toEqual([{ where: 'stage unit', what: 'generated' }])
    expect(leaksInOutput('stage unit', 'nothing', file)).toEqual([])
    rmSync(folder, { recursive: true })
  })
})
