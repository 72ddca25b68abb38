import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { faultNames } from './run/disturbances.ts'
import { scenarios } from './run/scenarios.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

/** Runs the command to its end. */
function run(...args: string[]): { code: number | null; lines: readonly string[]; complaint: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
  return { code: status, lines: stdout.split('\n').slice(0, -1), complaint: stderr }
}

describe('npm run faults', () => {
  it('counts schedules and failures in its last line, and exits with 0 when there is none', () => {
    const { code, lines } = run('--seed', '24', '--scenario', 'create')
    expect(lines).toEqual(['1 schedules, 0 failures, seeds: none'])
    expect(code).toBe(0)
  })

  it('exits with 1 after a failure, having printed what replays it and what differs', () => {
    // A kill that never comes, for there are not that many writes.
    const { code, lines } = run('--seed', '7', '--scenario', 'image', '--crash', '100000:after')
    expect(lines).toEqual([
      'npm run faults -- --seed 7 --scenario image --crash 100000:after',
      '    killed 0 times, started 1 times',
      '1 schedules, 1 failures, seeds: 7',
    ])
    expect(code).toBe(1)
  })

  it('plays a scenario undisturbed', () => {
    const { code, lines } = run('--seed', '1', '--scenario', 'create', '--faults', 'none')
    expect(lines).toEqual(['1 schedules, 0 failures, seeds: none'])
    expect(code).toBe(0)
  })

  it('runs the seeds that follow for as long as it is told', () => {
    const { code, lines } = run('--minutes', '0.02', '--seed', '1', '--scenario', 'image')
    expect(Number(/^(\d+) schedules, 0 failures, seeds: none$/.exec(lines.at(-1)!)?.[1])).toBeGreaterThan(0)
    expect(code).toBe(0)
  })

  it.each([
    ['a fault', ['--faults', 'lost,typo'], `no fault typo: ${faultNames.join(', ')}`],
    ['a scenario', ['--scenario', 'typo'], `no scenario typo: ${scenarios.map(({ name }) => name).join(', ')}`],
    ['a seed', ['--seed', 'typo'], '--seed typo: not a number'],
    ['a kill', ['--scenario', 'image', '--crash', '3'], '--crash 3: not like 3:before or 3:after'],
    ['no fault of no scenario', ['--faults', 'none'], '--faults none needs --scenario'],
    ['a kill of no scenario', ['--crash', '3:after'], '--crash needs --scenario'],
  ])('refuses %s there is not with one line and 2, having run nothing', (_what, args, complaint) => {
    expect(run(...args)).toEqual({ code: 2, lines: [], complaint: `${complaint}\n` })
  })

  it('refuses an option there is not', () => {
    const { code, complaint } = run('--sed', '1')
    expect(complaint).toContain("Unknown option '--sed'")
    expect(code).toBe(2)
  })
})
