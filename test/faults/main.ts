import process from 'node:process'
import { parseArgs } from 'node:util'
import { judge, judgeUndisturbed, playWithCrashes, type Crash, type Failure } from './run/crashes.ts'
import { faultOf, type FaultName } from './run/disturbances.ts'
import { play } from './run/play.ts'
import { scenarioOf, type Scenario } from './run/scenarios.ts'
import { runSchedule } from './run/schedules.ts'

/**
 * `npm run faults -- --minutes 5 --seed 1`: schedules from seed 1 on, for so long. With --scenario and --seed alone, or
 * with --crash, exactly one: what a failure printed; with `--faults none` the scenario undisturbed. Exits with 1 when a
 * schedule failed, with 2 when it was asked for something there is not.
 */

interface Asked {
  readonly seed: number
  readonly minutes: number | undefined
  readonly scenario: Scenario | undefined
  /** Empty for `none`. */
  readonly faults: readonly FaultName[] | undefined
  readonly crashes: readonly Crash[] | undefined
}

const asked = readArguments()
if (asked !== undefined) await run(asked)

/** What the command line asks for; undefined when it cannot be done, which is said. */
function readArguments(): Asked | undefined {
  try {
    return parseAsked()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
    return undefined
  }
}

function parseAsked(): Asked {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string', default: '1' },
      scenario: { type: 'string' },
      faults: { type: 'string' },
      crash: { type: 'string' },
    },
  })
  const { minutes, seed, scenario, faults, crash } = values
  if (faults === 'none' && scenario === undefined) throw new TypeError('--faults none needs --scenario')
  if (crash !== undefined && scenario === undefined) throw new TypeError('--crash needs --scenario')
  return {
    seed: numberOf('seed', seed),
    minutes: minutes === undefined ? undefined : numberOf('minutes', minutes),
    scenario: scenario === undefined ? undefined : scenarioOf(scenario),
    faults: faults === 'none' ? [] : faults?.split(',').map(faultOf),
    crashes: crash?.split(',').map(crashOf),
  }
}

function numberOf(name: string, text: string): number {
  const number = Number(text)
  if (text.trim() === '' || !(number >= 0)) throw new TypeError(`--${name} ${text}: not a number`)
  return number
}

function crashOf(text: string): Crash {
  const [, write, when] = /^([1-9]\d*):(before|after)$/.exec(text) ?? []
  if (write === undefined) throw new TypeError(`--crash ${text}: not like 3:before or 3:after`)
  return { write: Number(write), when: when === 'before' ? 'before' : 'after' }
}

async function run({ seed, minutes, scenario, faults, crashes }: Asked): Promise<void> {
  if (crashes !== undefined) report(seed, await replayCrashes(scenario!, seed, crashes))
  else if (faults?.length === 0) report(seed, judgeUndisturbed(scenario!, seed, await play(scenario!, { seed })))
  else if (minutes === undefined) report(seed, (await runSchedule(seed, scenario, faults)).failure)
  else await runFor(minutes, { seed, scenario, faults })
}

/** Runs the seeds that follow, for a number of minutes. */
async function runFor(
  minutes: number,
  { seed, scenario, faults }: Pick<Asked, 'seed' | 'scenario' | 'faults'>,
): Promise<void> {
  const end = Date.now() + minutes * 60_000
  const failed: number[] = []
  let next = seed
  for (; Date.now() < end; next += 1) {
    if (tell((await runSchedule(next, scenario, faults)).failure)) failed.push(next)
  }
  finish(next - seed, failed)
}

async function replayCrashes(
  scenario: Scenario,
  seed: number,
  crashes: readonly Crash[],
): Promise<Failure | undefined> {
  const expected = await play(scenario, { seed })
  const found = await playWithCrashes(scenario, seed, crashes)
  return judge(scenario, { seed, crashes, expected, found })
}

/** Prints a failure; whether there is one. */
function tell(failure: Failure | undefined): boolean {
  if (failure === undefined) return false
  process.stdout.write(`${failure.replay}\n${failure.differences.map((line) => `    ${line}\n`).join('')}`)
  return true
}

function report(seed: number, failure: Failure | undefined): void {
  finish(1, tell(failure) ? [seed] : [])
}

function finish(schedules: number, seeds: readonly number[]): void {
  process.stdout.write(`${schedules} schedules, ${seeds.length} failures, seeds: ${seeds.join(' ') || 'none'}\n`)
  process.exitCode = seeds.length === 0 ? 0 : 1
}
