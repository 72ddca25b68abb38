import { describe, expect, it } from '@jest/globals'
import { disturbanceOf, faultNames, type FaultName } from './run/disturbances.ts'
import type { Failure } from './run/crashes.ts'
import { play } from './run/play.ts'
import { scenarioOf, scenarios, type Scenario } from './run/scenarios.ts'
import { runSchedule } from './run/schedules.ts'

/** What happened in a run, in order: who did what to which object, and when. */
async function traceOf(seed: number, name: string): Promise<string[]> {
  const trace: string[] = []
  const { options } = disturbanceOf(seed)
  await play(scenarioOf(name), {
    ...options,
    onWorld: (world) => {
      options.onWorld?.(world)
      world.double.store.onChange(({ resourceVersion, served, key, after, actor }) => {
        const what = after === undefined ? 'removed' : 'stored'
        trace.push(`${world.schedule.time} ${resourceVersion} ${actor} ${what} ${served.type.plural} ${key}`)
      })
    },
  })
  return trace
}

describe('a schedule', () => {
  it.each([3, 17, 40])('of seed %i is the same each time', async (seed) => {
    const trace = await traceOf(seed, 'image')
    expect(trace.length).toBeGreaterThan(15)
    expect(await traceOf(seed, 'image')).toEqual(trace)
  })

  it('of another seed is another one', async () => {
    expect(await traceOf(3, 'image')).not.toEqual(await traceOf(4, 'image'))
  })
})

/** Found something once; each stays. */
const knownSeeds = [
  [6, 'service-removed'],
  [24, 'create'],
  [44, 'recreate-in-haste'],
  [82, 'service-removed'],
  [5467, 'service-added'],
  [40580, 'image-and-back'],
  [40341, 'image-and-back'],
  [30870, 'service-removed'],
  [60542, 'recreate-in-haste'],
] as const

async function failureOf(seed: number, scenario: Scenario, only?: readonly FaultName[]): Promise<Failure | undefined> {
  return (await runSchedule(seed, scenario, only)).failure
}

describe('under faults drawn by seed', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s ends as undisturbed, with as many creates and deletes',
    async (_name, scenario) => {
      for (let seed = 1; seed <= 20; seed += 1) expect(await failureOf(seed, scenario)).toBeUndefined()
    },
    120_000,
  )

  it.each(knownSeeds)('seed %i, of %s', async (seed, name) => {
    expect(await failureOf(seed, scenarioOf(name))).toBeUndefined()
  })
})

describe('under one fault alone', () => {
  it.each(faultNames)(
    '%s: each scenario ends as undisturbed, with as many creates and deletes',
    async (fault) => {
      let fired = 0
      for (const scenario of scenarios) {
        for (const seed of [1, 2]) {
          const outcome = await runSchedule(seed, scenario, [fault])
          expect(outcome.failure).toBeUndefined()
          fired += outcome.fired[fault] ?? 0
        }
      }
      expect(fired).toBeGreaterThan(0)
    },
    120_000,
  )
})
