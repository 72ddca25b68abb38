import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startCluster, stopCluster } from '../cluster/cluster.ts'
import { establishCrds } from '../support/apiserver.ts'
import { Double, furnish } from './double/server.ts'
import { Mapping } from './parity/mapping.ts'
import { namedRequests } from './parity/namedRequests.ts'
import { compareQuestions, compareRandom } from './parity/randomRun.ts'
import { connect, type RealServer } from './parity/realServer.ts'
import { record, shownKinds, type Recording } from './parity/recording.ts'
import { replay, type Difference } from './parity/replay.ts'
import { compareEvents, watchTypes, type RealEvents } from './parity/watchEvents.ts'
import { scenarios, type Scenario } from './run/scenarios.ts'
import { makeRandom } from './schedule/random.ts'

/** The double may stand for the API server as far as this says that the two answer alike. */

const name = 'test-parity'
let server: RealServer
let events: RealEvents

beforeAll(async () => {
  const { kubeconfig } = await startCluster({ name, level: 'control', report: () => undefined })
  server = await connect(kubeconfig)
  await establishCrds(server.admin)
  events = await watchTypes(server, shownKinds)
}, 180_000)

afterAll(async () => {
  server?.close()
  await stopCluster({ name, report: () => undefined })
}, 60_000)

/** Knows the uids of what is there from the beginning. */
async function makeMapping(): Promise<Mapping> {
  const mapping = new Mapping(`x${Math.random().toString(36).slice(2, 7)}`)
  const double = new Double({ now: () => 0 })
  furnish(double)
  const question = { method: 'GET', path: '/api/v1/namespaces/kube-system' } as const
  mapping.learn(double.handle(question, 'user').body, (await server.admin(question)).body)
  return mapping
}

/** Sends a recording to the real server; what it answers, and then tells of each object, otherwise than the double did. */
async function differencesOf(recording: Recording): Promise<readonly Difference[]> {
  const envs = ['dev', 'staging', 'prod'].map((env) => `/apis/appstead.dev/v1alpha1/appenvs/${env}`)
  for (const path of envs) {
    // No operator runs there that would let them go.
    await server.admin({ method: 'PATCH', path, body: { metadata: { finalizers: null } } })
    await server.admin({ method: 'DELETE', path })
  }
  const mapping = await makeMapping()
  const answered = await replay(server.admin, recording.entries, mapping)
  return [...answered, ...(await compareEvents(recording, events, mapping))]
}

/** The same scenario, in which the operator is killed twice: after a write of the first half, and after one of the second. */
function recordKilled(scenario: Scenario, { writes }: Recording): Promise<Recording> {
  const random = makeRandom(2).fork(scenario.name)
  const half = Math.floor(writes / 2)
  // After a kill there may be a few writes less.
  const kills = [random.integer(1, half), random.integer(half + 1, writes - 2)]
  return record(
    scenario,
    1,
    kills.map((write) => ({ write, when: 'after' })),
  )
}

describe('the real server', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    'answers every request of %s as the double did, killed operators’ too, and tells the same of each object',
    async (_name, scenario) => {
      const undisturbed = await record(scenario, 1)
      expect(await differencesOf(undisturbed)).toEqual([])
      expect(undisturbed.entries.length).toBeGreaterThan(50)
      const killed = await recordKilled(scenario, undisturbed)
      expect(await differencesOf(killed)).toEqual([])
      // Those that came after listed everything anew.
      expect(killed.entries.length).toBeGreaterThan(undisturbed.entries.length + 20)
    },
    120_000,
  )

  it.each(Object.entries(namedRequests))(
    '%s, as on the double',
    async (_name, questions) => {
      const { difference } = await compareQuestions(server, questions)
      expect(difference).toBeUndefined()
    },
    30_000,
  )

  it.each([1, 2, 3, 4])(
    'answers right and wrong requests drawn by seed %i as the double does',
    async (seed) => {
      const { questions, difference } = await compareRandom(server, seed, 150)
      expect(difference).toBeUndefined()
      expect(questions).toHaveLength(150)
    },
    180_000,
  )
})
