import { isDeepStrictEqual } from 'node:util'
import { expect, it } from '@jest/globals'
import type { ErroredSetting } from '../../../charts/policyTemplate.ts'
import type { Call } from '../../support/apiserver.ts'
import { installPolicies } from '../../support/productCluster.ts'
import {
  answersTo,
  attempts,
  dryRun,
  expectedOf,
  makeErrored,
  pathOf,
  person,
  requesters,
  type Rows,
} from './erroredTable.ts'
import { createRunning, removeInVain, useWorld } from './world.ts'

/** What the policies make of what people do with an AppInstance that is Errored, besides policies.test.ts. */

const world = useWorld()

const ownPath = (): string => pathOf('AppInstance', world.namespace, world.instance)

/** Installs it, and waits until the API server goes by all of it. */
async function set(setting: ErroredSetting, rows: Rows): Promise<void> {
  await installPolicies(world.hands, world.operatorUser, setting)
  const answers = () => answersTo(rows, world.hands.admin)
  const expected = expectedOf(rows, setting)
  const isSo = async (): Promise<boolean> => isDeepStrictEqual(await answers(), expected)
  await world.operator.until(`what is answered with ${setting}`, isSo).catch(() => undefined)
  // Names each that is not.
  expect(await answers()).toEqual(expected)
}

it('policies.errored says who is denied what of an Errored instance, and who is warned', async () => {
  await makeErrored(world)
  const rows = await attempts(world)
  try {
    for (const setting of ['Deny', 'Warn', 'Off'] as const) await set(setting, rows)
  } finally {
    // The files after this one use the same API server.
    await set('Default', rows)
  }
}, 120_000)

it('what is Errored and protected is not deleted', async () => {
  await makeErrored(world, { deletionProtection: true })
  for (const as of Object.values(requesters)) {
    const { status, body } = await world.hands.admin({ method: 'DELETE', path: ownPath() + dryRun, as })
    expect(status).toBe(403)
    expect(JSON.stringify(body)).toContain('protected from deletion')
  }
}, 60_000)

it('what is Errored since it could not be cleaned up lets nobody into what is left of it', async () => {
  const { hands, operator, instance } = world
  await createRunning(world, { spec: { deletionDeadlineSeconds: 5 } })
  // Whether the pod is there is asked after the policies.
  const path = `${pathOf('Pod', instance, 'web')}/exec?command=ls&stdout=true`
  const exec: Call = { method: 'POST', path, as: person }
  expect((await hands.admin(exec)).status).toBe(404)
  const letGo = await removeInVain(world)
  await operator.until('nobody gets in', async () => {
    const { status, body } = await hands.admin(exec)
    return status === 403 && JSON.stringify(body).includes('is Errored')
  })
  await letGo()
}, 90_000)
