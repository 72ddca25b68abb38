import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { kinds } from '../../operator/api/kinds.ts'
import { apiServer, dropNamespace, establishCrds, makeNamespace, type Admin } from '../support/apiserver.ts'
import { create, kindNamed, messageOf, pathOf, replaceSpec } from '../support/kindRequests.ts'
import { changes } from '../support/ruleChanges.ts'
import { violations } from '../support/ruleViolations.ts'
import { rulesOf } from '../support/verdict.ts'

let admin: Admin
let namespace: string

beforeAll(async () => {
  admin = (await apiServer()).admin
  await establishCrds(admin)
  namespace = await makeNamespace(admin, 'rules')
}, 900_000)

afterAll(async () => {
  await dropNamespace(admin, namespace)
  await admin({ method: 'DELETE', path: pathOf('AppEnv', '', 'crds-test') })
})

describe('the CEL rules on the API server', () => {
  it.each(violations.map((each) => ({ ...each, name: `${each.sent.kind} ${each.rule}` })))(
    'refuse what breaks $name, naming field, value and what would be right',
    async ({ sent, says }) => {
      const reply = await create(admin, namespace, sent, { dryRun: true })
      expect(reply.status).toBe(422)
      for (const part of says) expect(messageOf(reply)).toContain(part)
    },
  )

  it.each(changes.map((each) => ({ ...each, name: `${each.from.kind} ${each.rule}` })))(
    'refuse a change that breaks $name',
    async ({ from, to, says }) => {
      const made = await create(admin, namespace, from, { dryRun: false })
      expect([201, 409]).toContain(made.status)
      const reply = await replaceSpec(admin, namespace, { ...from, spec: to })
      expect(reply.status).toBe(422)
      for (const part of says) expect(messageOf(reply)).toContain(part)
      // Saying the same again is no change.
      expect((await replaceSpec(admin, namespace, from)).status).toBe(200)
    },
  )

  it('have no rule that the two tables above do not break', () => {
    const broken = new Set([
      ...violations.map(({ sent, rule }) => `${sent.kind} ${rule}`),
      ...changes.map(({ from, rule }) => `${from.kind} ${rule}`),
    ])
    // The services of a stack are one schema for three kinds; AppStack stands for them, and so do its variables' names.
    const shared = new Set(
      rulesOf(kindNamed('AppStack'))
        .filter(({ path }) => path !== '')
        .map(({ rule }) => rule.id),
    )
    const all = kinds.flatMap((kind) => rulesOf(kind).map(({ path, rule }) => ({ kind, path, id: rule.id })))
    const unbroken = all
      .filter(({ kind, path, id }) => !broken.has(`${kind.kind} ${id}`) && !(path !== '' && shared.has(id)))
      .map(({ kind, id }) => `${kind.kind} ${id}`)
    expect(unbroken).toEqual([])
  })
})
