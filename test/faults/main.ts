import process from 'node:process'
import { parseArgs } from 'node:util'
import { judge, playWithCrashes, type Crash, type Failure } from './run/crashes.ts'
import { play } from './run/play.ts'
import { scenarioOf } from './run/scenarios.ts'
import { runSchedule } from './run/schedules.ts'

/**
 * `npm run faults -- --minutes 5 --seed 1`: schedules from seed 1 on, for so long. With --scenario and --seed alone, or
 * with --crash, exactly one: what a failure printed.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    scenario: { type: 'string' },
    faults: { type: 'string' },
    crash: { type: 'string' },
  },
})

const seed = Number(values.seed)
const scenario = values.scenario === undefined ? undefined : scenarioOf(values.scenario)
const faults = values.faults?.split(',')

if (values.crash !== undefined) await replayCrash(values.crash)
else if (values.minutes === undefined) report(1, tell(await runSchedule(seed, scenario, faults)))
else await runFor(Number(values.minutes))

/** Runs the seeds that follow, for a number of minutes. */
async function runFor(minutes: number): Promise<void> {
  const end = Date.now() + minutes * 60_000
  const failed: number[] = []
  let next = seed
  for (; Date.now() < end; next += 1) failed.push(...(tell(await runSchedule(next, scenario, faults)) ? [next] : []))
  finish(next - seed, failed)
}

async function replayCrash(text: string): Promise<void> {
  if (scenario === undefined) throw new TypeError('--crash needs --scenario')
  const crashes = text.split(',').map((part): Crash => {
    const [write, when] = part.split(':')
    return { write: Number(write), when: when === 'before' ? 'before' : 'after' }
  })
  const expected = await play(scenario, { seed })
  const found = await playWithCrashes(scenario, seed, crashes)
  report(1, tell(judge(scenario, { seed, crashes, expected, found })))
}

/** Prints a failure; whether there is one. */
function tell(failure: Failure | undefined): boolean {
  if (failure === undefined) return false
  process.stdout.write(`${failure.replay}\n${failure.differences.map((line) => `    ${line}\n`).join('')}`)
  return true
}

function report(schedules: number, hasFailed: boolean): void {
  finish(schedules, hasFailed ? [seed] : [])
}

function finish(schedules: number, seeds: readonly number[]): void {
  process.stdout.write(`${schedules} schedules, ${seeds.length} failures, seeds: ${seeds.join(' ') || 'none'}\n`)
  process.exitCode = seeds.length === 0 ? 0 : 1
}
