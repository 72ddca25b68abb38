import process from 'node:process'
import { parseArgs } from 'node:util'
import { establishCrds } from '../../support/apiserver.ts'
import type { Question } from '../double/server.ts'
import { beginning } from './randomRequests.ts'
import { compareQuestions, compareRandom } from './randomRun.ts'
import { connect, type RealServer } from './realServer.ts'
import type { Difference } from './replay.ts'
import { shrink } from './shrink.ts'

/**
 * `npm run parity -- --kubeconfig FILE --seeds 1-40 --requests 300`: compares the double with a running
 * server, seed by seed, and shows the fewest requests that lead to each difference. Exits with 1 when there is one.
 */

/** After so long what is left is shown, be it the fewest or not. */
const longestMilliseconds = 60_000

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '' },
    seeds: { type: 'string', default: '1-10' },
    requests: { type: 'string', default: '300' },
  },
})
const [first = 1, last = first] = values.seeds.split('-').map(Number)
const running = await connect(values.kubeconfig)
await establishCrds(running.admin)
for (let seed = first; seed <= last; seed += 1) await runSeed(running, seed, Number(values.requests))
running.close()

async function runSeed(server: RealServer, seed: number, count: number): Promise<void> {
  const start = Date.now()
  const { questions, difference } = await compareRandom(server, seed, count)
  const seconds = ((Date.now() - start) / 1000).toFixed(1)
  process.stdout.write(`seed ${seed}: ${questions.length} requests, ${seconds} s\n`)
  if (difference === undefined) return
  process.exitCode = 1
  show(difference)
  const fails = async (some: readonly Question[]): Promise<boolean> =>
    Date.now() - start < longestMilliseconds && (await compareQuestions(server, some)).difference !== undefined
  const all = questions.slice(beginning.length)
  // What leads to it is most often about the same object.
  const near = all.filter(({ path }) => objectOf(path) === objectOf(all.at(-1)!.path))
  const fewest = await shrink((await fails(near)) ? near : all, fails)
  process.stdout.write(`  the fewest requests: ${fewest.length}\n`)
  for (const question of fewest.slice(-8)) process.stdout.write(`  ${JSON.stringify(question)}\n`)
}

function show({ request, double, real }: Difference): void {
  process.stdout.write(`  ${request}\n  double: ${JSON.stringify(double)}\n  real:   ${JSON.stringify(real)}\n`)
}

function objectOf(path: string): string {
  return path.replace(/\?.*/, '').replace(/\/status$/, '')
}
