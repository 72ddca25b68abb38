import { expect, it } from '@jest/globals'
import type { ErroredSetting } from '../../../charts/policyTemplate.ts'
import { objectPath } from '../../../operator/kube/paths.ts'
import type { Call, Requester } from '../../support/apiserver.ts'
import { typeOf } from '../../support/hands.ts'
import { installPolicies } from '../../support/productCluster.ts'
import { create, createRunning, getInstance, removeInVain, useWorld } from './world.ts'

/** What the policies make of what people do with an AppInstance that is Errored, besides policies.test.ts. */

const world = useWorld()

/** Both have every right, so that only the policies can be in the way. */
const person: Requester = { user: 'jane', groups: ['team-a', 'system:masters'] }
const account: Requester = {
  user: 'system:serviceaccount:argocd:argocd-application-controller',
  groups: ['system:serviceaccounts', 'system:masters'],
}

const ownPath = (): string => objectPath(typeOf('AppInstance'), { namespace: world.namespace, name: world.instance })

/** An instance whose namespace is somebody else's. */
async function createErrored(spec: object = {}): Promise<void> {
  await world.hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: world.instance } })
  await create(world, { spec })
  expect((await getInstance(world))['status'].phase).toBe('Errored')
}

/** What becomes of a change; nothing is stored. */
async function answerTo(as: Requester): Promise<string> {
  const call: Call = { method: 'PATCH', path: `${ownPath()}?dryRun=All`, body: { spec: { image: 'hello:9' } }, as }
  const { status, warnings } = await world.hands.admin(call)
  return warnings.some((text) => text.includes('is Errored')) ? `${status} warned` : String(status)
}

type Setting = readonly [ErroredSetting, person: string, account: string]

/** Those that differ from what all other tests go by, and that. */
const others: readonly Setting[] = [
  ['Deny', '403', '403'],
  ['Warn', '200 warned', '200 warned'],
  ['Off', '200', '200'],
]
const usual: Setting = ['Default', '403', '200 warned']

/** Installs it, and waits until the API server goes by it. */
async function set([setting, ofPerson, ofAccount]: Setting): Promise<void> {
  await installPolicies(world.hands, world.operatorUser, setting)
  const expected = `${ofPerson}, ${ofAccount}`
  const isSo = async (): Promise<boolean> => `${await answerTo(person)}, ${await answerTo(account)}` === expected
  await world.operator.until(`with ${setting}: ${expected}`, isSo)
}

it('policies.errored says who is denied a change of what is Errored, and who is warned', async () => {
  await createErrored()
  try {
    for (const setting of others) await set(setting)
  } finally {
    // The files after this one use the same API server.
    await set(usual)
  }
}, 120_000)

it('what is Errored and protected is not deleted', async () => {
  await createErrored({ deletionProtection: true })
  for (const as of [person, account]) {
    const { status, body } = await world.hands.admin({ method: 'DELETE', path: `${ownPath()}?dryRun=All`, as })
    expect(status).toBe(403)
    expect(JSON.stringify(body)).toContain('protected from deletion')
  }
}, 60_000)

it('what is Errored since it could not be cleaned up lets nobody into what is left of it', async () => {
  const { hands, operator, instance } = world
  await createRunning(world, { spec: { deletionDeadlineSeconds: 5 } })
  // Whether the pod is there is asked after the policies.
  const path = `${objectPath(typeOf('Pod'), { namespace: instance, name: 'web' })}/exec?command=ls&stdout=true`
  const exec: Call = { method: 'POST', path, as: person }
  expect((await hands.admin(exec)).status).toBe(404)
  const letGo = await removeInVain(world)
  await operator.until('nobody gets in', async () => {
    const { status, body } = await hands.admin(exec)
    return status === 403 && JSON.stringify(body).includes('is Errored')
  })
  await letGo()
}, 90_000)
