import { setTimeout as pause } from 'node:timers/promises'
import type { Admin } from '../../support/apiserver.ts'
import { Double, furnish, type Question } from '../double/server.ts'
import { servedKind } from '../double/served.ts'
import type { Store } from '../double/store.ts'
import { metaOf } from '../double/writes.ts'
import { makeRandom } from '../schedule/random.ts'
import { Schedule } from '../schedule/schedule.ts'
import { startControllerManager, type ControllerManager } from '../world/controllerManager.ts'
import { askBoth } from './asking.ts'
import { Mapping } from './mapping.ts'
import { beginning, drawRequest } from './randomRequests.ts'
import type { RealServer } from './realServer.ts'
import type { Difference } from './replay.ts'

const namespaceType = servedKind('Namespace')

/** What the two servers were asked, and the first answer that differs, if one does: that to the last question. */
export interface Compared {
  readonly questions: readonly Question[]
  readonly difference: Difference | undefined
}

/** Sends `count` requests drawn by a seed to a new double and to a real server; ends at the first answer that differs. */
export function compareRandom(server: RealServer, seed: number, count: number): Promise<Compared> {
  const random = makeRandom(seed)
  return compare(server, (number, store) =>
    number < count ? (beginning[number] ?? drawRequest(random, store)) : undefined,
  )
}

/** The same with given requests, in the namespaces they need. */
export function compareQuestions(server: RealServer, questions: readonly Question[]): Promise<Compared> {
  return compare(server, (number) => [...beginning, ...questions][number])
}

let runs = 0

async function compare(
  server: RealServer,
  next: (number: number, store: Store) => Question | undefined,
): Promise<Compared> {
  const schedule = new Schedule(makeRandom(1))
  const double = new Double({ now: () => schedule.wall })
  furnish(double)
  const rest = startControllerManager(double, schedule)
  runs += 1
  const mapping = new Mapping(`r${runs}x${Date.now().toString(36).slice(-6)}`)
  const questions: Question[] = []
  let difference: Difference | undefined
  while (difference === undefined) {
    const question = next(questions.length, double.store)
    if (question === undefined) break
    questions.push(question)
    difference = await askBoth({ server, double, mapping }, question)
    if (question.method !== 'GET') await letGo(server.admin, double, { schedule, rest, mapping })
  }
  return { questions, difference }
}

interface Others {
  readonly schedule: Schedule
  readonly rest: ControllerManager
  readonly mapping: Mapping
}

/** Lets the rest of both clusters do what namespaces that are leaving ask for. */
async function letGo(admin: Admin, double: Double, { schedule, rest, mapping }: Others): Promise<void> {
  const wasLeaving = double.store
    .list(namespaceType)
    .filter(([, object]) => metaOf(object).deletionTimestamp !== undefined)
  while (!rest.isIdle) await schedule.step()
  for (const [, object] of wasLeaving) {
    const { name } = metaOf(object)
    const isHeld = double.store.get(namespaceType, `/${name}`) !== undefined
    const path = mapping.toReal(`/api/v1/namespaces/${name}`)
    // What is held keeps the namespace; what is not must be gone before the next request.
    for (let tries = 0; tries < 400; tries += 1) {
      if (!isHeld && (await admin({ path })).status === 404) break
      if (isHeld && (await isEmptied(admin, path))) break
      await pause(25)
    }
  }
}

async function isEmptied(admin: Admin, path: string): Promise<boolean> {
  const { body } = await admin({ path })
  const { status } = body as { status?: { conditions?: { type: string; status: string }[] } }
  return (
    status?.conditions?.some(({ type, status: is }) => type === 'NamespaceFinalizersRemaining' && is === 'True') ??
    false
  )
}
