import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startCluster, stopCluster } from '../cluster/cluster.ts'
import { establishCrds } from '../support/apiserver.ts'
import { Double, furnish } from './double/server.ts'
import { Mapping } from './parity/mapping.ts'
import { namedRequests } from './parity/namedRequests.ts'
import { compareQuestions, compareRandom } from './parity/randomRun.ts'
import { connect, type RealServer } from './parity/realServer.ts'
import { record, shownKinds } from './parity/recording.ts'
import { replay } from './parity/replay.ts'
import { compareEvents, watchTypes, type RealEvents } from './parity/watchEvents.ts'
import { scenarios } from './run/scenarios.ts'

/** The double may stand for the API server as far as this says that the two answer alike. */

const name = 'double-parity'
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

describe('the real server', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    'answers every request of %s as the double did, and tells the same of each object',
    async (_name, scenario) => {
      const envs = ['dev', 'staging', 'prod'].map((env) => `/apis/appstead.dev/v1alpha1/appenvs/${env}`)
      for (const path of envs) await server.admin({ method: 'DELETE', path })
      const recording = await record(scenario, 1)
      const mapping = await makeMapping()
      expect(await replay(server.admin, recording.entries, mapping)).toEqual([])
      expect(await compareEvents(recording, events, mapping)).toEqual([])
      expect(recording.entries.length).toBeGreaterThan(50)
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
