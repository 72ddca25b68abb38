import { makeRandom } from '../schedule/random.ts'
import { differences } from './compare.ts'
import type { Failure } from './crashes.ts'
import { disturbanceOf } from './disturbances.ts'
import { play, type Ending } from './play.ts'
import { scenarios, type Scenario } from './scenarios.ts'

const undisturbed = new Map<Scenario, Promise<Ending>>()

/** The undisturbed ending of a scenario; played once. */
export function endingOf(scenario: Scenario): Promise<Ending> {
  const known = undisturbed.get(scenario)
  if (known !== undefined) return known
  const ending = play(scenario, { seed: 0 })
  undisturbed.set(scenario, ending)
  return ending
}

/** The scenario that a seed means when none is named. */
export function scenarioOfSeed(seed: number): Scenario {
  return makeRandom(seed).fork('scenario').pick(scenarios)
}

/** Plays one schedule of faults; undefined when it ended as the undisturbed run. */
export async function runSchedule(
  seed: number,
  scenario: Scenario = scenarioOfSeed(seed),
  only?: readonly string[],
): Promise<Failure | undefined> {
  const disturbance = disturbanceOf(seed, only)
  const found = await play(scenario, disturbance.options)
  const how = disturbance.isByHand ? 'by hand' : scenario.isRace ? 'at most' : 'equal'
  const list = differences(await endingOf(scenario), found, how)
  if (list.length === 0) return undefined
  const chosen = only === undefined ? '' : ` --faults ${only.join(',')}`
  const replay = `npm run faults -- --seed ${seed} --scenario ${scenario.name}${chosen}`
  return { replay: `${replay}   (${disturbance.faults.join(', ')})`, differences: list }
}
