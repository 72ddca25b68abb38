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
  // In the turn in which a WeakRef was made, it holds.
  await turn()
  collect()
  expect(links.map((link) => link.deref() !== undefined)).toEqual([false])
})
