import type { Json } from '../double/json.ts'
import { servedKind } from '../double/served.ts'
import type { Store } from '../double/store.ts'
import { watchInvariants } from './invariants.ts'
import { prepare, project, scenarioOf, type Scenario } from './scenarios.ts'
import { stateOf, Tally } from './state.ts'
import { World, type WorldOptions } from './world.ts'

/** How a run of a scenario ended. */
export interface Ending {
  readonly state: Readonly<Record<string, Json>>
  /** Creates and deletes of the operator. */
  readonly counts: Readonly<Record<string, number>>
  readonly writes: number
  readonly starts: number
  /** What must never be, and was. */
  readonly violations: readonly string[]
}

export interface PlayOptions extends Omit<WorldOptions, 'store'> {
  /** Given the world before anything happens in it. */
  readonly onWorld?: (world: World) => void
  /** Told when the user has done a step: what is to go wrong now. */
  readonly onStep?: (world: World) => void
  /** Begins with nothing, and creates the instance first where the scenario has it already. */
  readonly isWhole?: boolean
}

/** Plays a scenario to its end in a new world. */
export async function play(scenario: Scenario, options: PlayOptions): Promise<Ending> {
  if (scenario.beginsCreated && options.isWhole !== true) {
    return playIn(new World({ ...options, store: (await createdStore()).copy() }), scenario, options)
  }
  const steps = [...(scenario.beginsCreated ? creation.steps : []), ...scenario.steps]
  return playIn(new World(options), { ...scenario, steps }, options)
}

async function playIn(world: World, scenario: Scenario, { onWorld, onStep }: PlayOptions): Promise<Ending> {
  const { steps } = scenario
  const { double } = world
  const violations = watchInvariants(world, scenario)
  const tally = new Tally(double.store)
  onWorld?.(world)
  if (double.store.get(servedKind('Namespace'), `/${project}`) === undefined) await prepare(world.hands)
  world.start()
  for (const step of steps) {
    const { when } = step
    const reached = await world.settle(when === 'settled' ? undefined : () => when(double.store))
    if (reached === 'restless') violations.push(`before '${step.does}': never quiet`)
    if (reached === 'settled' && when !== 'settled') violations.push(`before '${step.does}': never came to it`)
    await step.act(world.hands)
    onStep?.(world)
  }
  if ((await world.settle()) === 'restless') violations.push('at the end: never quiet')
  const { writes, starts } = world
  world.link.kill()
  return { state: stateOf(double.store), counts: tally.counts, writes, starts, violations }
}

const creation = scenarioOf('create')
let created: Promise<Store> | undefined

/** A cluster in which the instance of the scenario `create` runs; made once. */
function createdStore(): Promise<Store> {
  created ??= makeCreated()
  return created
}

async function makeCreated(): Promise<Store> {
  const world = new World({ seed: 0 })
  const { violations } = await playIn(world, creation, { seed: 0 })
  if (violations.length > 0) throw new Error(`create: ${violations.join('; ')}`)
  return world.double.store
}
