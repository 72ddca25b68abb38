import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from '@jest/globals'
import { play } from './run/play.ts'
import { scenarioOf } from './run/scenarios.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

it.each([
  ['whose run is over', undefined],
  ['that was killed', 'after'],
] as const)('an operator %s leaves nothing of itself in memory', async (_what, crash) => {
  const links: WeakRef<object>[] = []
  await play(scenarioOf('image'), {
    seed: 1,
    onStep: ({ link }) => void links.push(new WeakRef(link)),
    crashAt: ({ number }) => (number === 2 ? crash : undefined),
  })
  expect(links).toHaveLength(1)
  await waitUntilCollected(links[0]!)
})

/** What the run began in its last moments ends within a few turns of the event loop; what holds it after a hundred, holds it. */
async function waitUntilCollected(link: WeakRef<object>): Promise<void> {
  for (let turns = 0; turns < 100; turns += 1) {
    // In the turn in which a WeakRef was made, or asked, it holds.
    await turn()
    collect()
    if (link.deref() === undefined) return
  }
  throw new Error('it is still held')
}
