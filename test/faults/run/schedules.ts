import { makeRandom } from '../schedule/random.ts'
import { differences } from './compare.ts'
import type { Failure } from './crashes.ts'
import { disturbanceOf, type Disturbance, type FaultName } from './disturbances.ts'
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

/** What came of a schedule. */
export interface Outcome {
  /** Undefined when it ended as the undisturbed run. */
  readonly failure: Failure | undefined
  readonly fired: Disturbance['fired']
}

/** Plays one schedule of faults: those that the seed draws, or those that are named. */
export async function runSchedule(
  seed: number,
  scenario: Scenario = scenarioOfSeed(seed),
  only?: readonly FaultName[],
): Promise<Outcome> {
  const disturbance = disturbanceOf(seed, only)
  const found = await play(scenario, disturbance.options)
  const { isRace } = scenario
  const { fired, isRefusing } = disturbance
  const how = disturbance.isByHand ? 'by hand' : isRace ? 'at most' : 'equal'
  const list = differences(await endingOf(scenario), found, { how, isRace, isRefusing })
  if (list.length === 0) return { failure: undefined, fired }
  const chosen = only === undefined ? '' : ` --faults ${only.join(',')}`
  const replay = `npm run faults -- --seed ${seed} --scenario ${scenario.name}${chosen}`
  const failure = { replay: `${replay}   # ${disturbance.faults.join(', ')}`, differences: list }
  return { failure, fired }
}
