import { describe, expect, it } from '@jest/globals'
import { judge, judgeUndisturbed, playWithCrashes, sweep } from './run/crashes.ts'
import { play } from './run/play.ts'
import { scenarioOf, scenarios } from './run/scenarios.ts'
import { makeRandom } from './schedule/random.ts'

const seed = 1

describe('an operator killed at any write, before it leaves or after it was done', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    'of %s, makes and deletes as often, comes to the same end, and then writes nothing more',
    async (_name, scenario) => {
      const { schedules, failures } = await sweep(scenario, seed)
      expect(failures).toEqual([])
      expect(schedules).toBeGreaterThan(10)
    },
    // The longest has 162 crashes: 50 s while others work, too.
    600_000,
  )
})

describe('an operator killed at one write and its successor at another', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    'of %s',
    async (_name, scenario) => {
      const random = makeRandom(seed).fork(scenario.name)
      const expected = await play(scenario, { seed })
      let killedTwice = 0
      for (let round = 0; round < 8; round += 1) {
        const first = random.integer(1, expected.writes)
        const crashes = [first, first + random.integer(1, 6)].map((write) => ({
          write,
          when: random.pick(['before', 'after'] as const),
        }))
        const found = await playWithCrashes(scenario, seed, crashes)
        expect(judge(scenario, { seed, crashes, expected, found })).toBeUndefined()
        if (found.starts === 3) killedTwice += 1
      }
      expect(killedTwice).toBeGreaterThan(3)
    },
    60_000,
  )
})

describe('an undisturbed run', () => {
  it('that does not come to its end, or does what must never be, is told with what plays it again', async () => {
    const scenario = scenarioOf('create')
    const ending = await play(scenario, { seed })
    expect(judgeUndisturbed(scenario, seed, ending)).toBeUndefined()
    expect(
      judgeUndisturbed(scenario, seed, { ...ending, state: {}, violations: ['I3: a stranger was written'] }),
    ).toEqual({
      replay: 'npm run faults -- --seed 1 --scenario create --faults none',
      differences: ['I3: a stranger was written', 'the instance is not Running but undefined'],
    })
  })
})
