import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { makeWorld, type Process, type World } from './leaderWorld.ts'

type Step = (world: World, process: Process | undefined) => void

/** What may befall one of the processes, or the Lease. */
const steps: Readonly<Record<string, Step>> = {
  pause: (_world, process) => process?.pause(),
  resume: (_world, process) => process?.resume(),
  kill: (_world, process) => process?.kill(),
  release: (_world, process) => void process?.leader.release(),
  startOlder: (world) => void world.start(`old${world.processes.length}`, '1.0.0'),
  startNewer: (world) => void world.start(`new${world.processes.length}`, '2.0.0'),
  cutOff: (_world, process) => process && (process.line.calls = 'down'),
  loseAnswers: (_world, process) => process && (process.line.calls = 'unanswered'),
  refuse: (_world, process) => process && (process.line.calls = 'refused'),
  slow: (_world, process) => process && (process.line.delayMilliseconds = 3000),
  silenceWatch: (_world, process) => process && (process.line.watch = 'silent'),
  mend: (_world, process) =>
    process && Object.assign(process.line, { calls: 'good', watch: 'good', delayMilliseconds: 0 }),
  jumpClock: (_world, process) => process?.jump(3_600_000),
  shorten: (world) => world.editSpec({ leaseDurationSeconds: 1 }),
  empty: (world) => world.editSpec({ holderIdentity: '' }),
  giveAway: (world) => world.editSpec({ holderIdentity: 'stranger' }),
}

const moves = fc.array(
  fc.record({ step: fc.constantFrom(...Object.keys(steps)), who: fc.nat(4), seconds: fc.nat(150) }),
  { minLength: 3, maxLength: 15 },
)

describe('whatever befalls processes, lines and clocks', () => {
  it('never two may write, and in the end one does', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (schedule) => {
        const world = makeWorld()
        world.start('first')
        world.start('second')
        for (const { step, who, seconds } of schedule) {
          steps[step]!(world, world.processes[who % world.processes.length])
          // Throws as soon as two may write.
          await world.pass(seconds / 10)
        }
        for (const { line } of world.processes) Object.assign(line, { delayMilliseconds: 0 })
        world.start('last', '2.0.0')
        for (const process of world.processes.slice(0, -1)) process.kill()
        await world.pass(35)
        expect(world.processes.at(-1)?.mayWrite()).toBe(true)
      }),
      { numRuns: 30 },
    )
  }, 60_000)
})
