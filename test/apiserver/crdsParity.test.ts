import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { Kind } from '../../operator/api/kind.ts'
import { kinds } from '../../operator/api/kinds.ts'
import { collectionPath } from '../../operator/kube/paths.ts'
import { apiServer, dropNamespace, establishCrds, makeNamespace, type Admin, type Reply } from '../support/apiserver.ts'
import { goodObjects, spoiltObjects, type SentObject } from '../support/arbitraryObjects.ts'
import { objectionsTo } from '../support/verdict.ts'

/** zod and the API server must agree about every object. APPSTEAD_SEED and APPSTEAD_RUNS look elsewhere and longer. */
const seed = Number(process.env['APPSTEAD_SEED'] ?? 20_261_121)
const numRuns = Number(process.env['APPSTEAD_RUNS'] ?? 150)

let admin: Admin
let namespace: string

beforeAll(async () => {
  const server = await apiServer()
  admin = server.admin
  await establishCrds(admin)
  namespace = await makeNamespace(admin, 'parity')
}, 900_000)

afterAll(() => dropNamespace(admin, namespace))

function dryRun(kind: Kind, object: SentObject): Promise<Reply> {
  const path = `${collectionPath(kind, kind.namespaced ? namespace : '')}?dryRun=All&fieldValidation=Strict`
  return admin({ method: 'POST', path, body: object })
}

interface Tally {
  good: number
  bad: number
}

async function compare(kind: Kind, object: SentObject, tally: Tally): Promise<void> {
  const objections = objectionsTo(kind, JSON.parse(JSON.stringify(object)))
  const { status, body } = await dryRun(kind, object)
  if (![201, 400, 422].includes(status)) throw new Error(`${status} ${JSON.stringify(body)}`)
  const serverSays = status === 201 ? 'good' : 'bad'
  const zodSays = objections.length === 0 ? 'good' : 'bad'
  if (zodSays !== serverSays) {
    const { message } = body as { message?: string }
    throw new Error(
      `zod: ${zodSays} (${objections.join('; ')}), server: ${serverSays} (${message ?? ''}) of ${JSON.stringify(object)}`,
    )
  }
  tally[serverSays] += 1
}

describe.each(kinds.map((kind) => ({ kind, name: kind.kind })))('$name', ({ kind }) => {
  it('gets the same verdict from zod and from the server when its fields are as they ought to be', async () => {
    const tally = { good: 0, bad: 0 }
    await fc.assert(
      fc.asyncProperty(goodObjects(kind), (object) => compare(kind, object, tally)),
      { seed, numRuns, endOnFailure: true },
    )
    console.log(`${kind.kind}, seed ${seed}: ${tally.good} good, ${tally.bad} bad objects, no verdict differs`)
    expect(tally.good).toBeGreaterThan(numRuns / 2)
  }, 300_000)

  it('gets the same verdict from zod and from the server when it has a fault', async () => {
    const tally = { good: 0, bad: 0 }
    await fc.assert(
      fc.asyncProperty(spoiltObjects(kind), (object) => compare(kind, object, tally)),
      { seed, numRuns: numRuns * 2, endOnFailure: true },
    )
    console.log(`${kind.kind}, seed ${seed}: ${tally.good} good, ${tally.bad} bad spoilt objects, no verdict differs`)
    expect(tally.bad).toBeGreaterThan(numRuns)
  }, 300_000)
})
