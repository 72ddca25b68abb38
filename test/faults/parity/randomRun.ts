import { setTimeout as pause } from 'node:timers/promises'
import type { Admin } from '../../support/apiserver.ts'
import { isSame } from '../double/json.ts'
import { Double, furnish, type Question } from '../double/server.ts'
import { servedKind } from '../double/served.ts'
import { metaOf } from '../double/writes.ts'
import { makeRandom } from '../schedule/random.ts'
import { Schedule } from '../schedule/schedule.ts'
import { startControllerManager, type ControllerManager } from '../world/controllerManager.ts'
import { formOfAnswer } from './forms.ts'
import { Mapping } from './mapping.ts'
import { beginning, drawRequest } from './randomRequests.ts'
import { callOf, plain, type Difference } from './replay.ts'

const namespaceType = servedKind('Namespace')

/** Sends the same random requests to a new double and to a real server; ends at the first answer that differs. */
export async function compareRandom(
  admin: Admin,
  seed: number,
  count: number,
): Promise<{ readonly requests: number; readonly differences: readonly Difference[] }> {
  const random = makeRandom(seed)
  const schedule = new Schedule(random.fork('schedule'))
  const double = new Double({ now: () => schedule.wall })
  furnish(double)
  const rest = startControllerManager(double, schedule)
  const mapping = new Mapping(`r${seed}${Date.now().toString(36).slice(-5)}`)
  for (let number = 0; number < count; number += 1) {
    const question = beginning[number] ?? drawRequest(random, double.store)
    const difference = await askBoth(admin, double, question, mapping)
    if (difference !== undefined) return { requests: number + 1, differences: [difference] }
    if (question.method !== 'GET') await letGo(admin, double, { schedule, rest, mapping })
  }
  return { requests: count, differences: [] }
}

async function askBoth(
  admin: Admin,
  double: Double,
  question: Question,
  mapping: Mapping,
): Promise<Difference | undefined> {
  const call = callOf(question, mapping)
  const expected = double.handle(question, 'user')
  const { status, body } = await admin(call)
  mapping.learn(expected.body, body)
  // The double knows no defaults of built-in kinds.
  const isWhole = !question.path.includes('/deployments')
  const ours = plain(formOfAnswer(expected.status, expected.body, isWhole))
  const real = plain(formOfAnswer(status, mapping.fromReal(body), isWhole))
  if (isSame(ours, real)) return undefined
  return { request: `${question.method} ${question.path} ${JSON.stringify(question.body)}`, double: ours, real }
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
