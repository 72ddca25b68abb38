import { afterEach, describe, expect, it } from '@jest/globals'
import { annotations } from '../../../operator/api/meta.ts'
import type { Anything } from '../../support/hands.ts'
import { allowAccounts, refuseAccounts } from './accounts.ts'
import { jumpingClock } from './fastClock.ts'
import {
  childWrites,
  create,
  createRunning,
  getInstance,
  makeApp,
  makeSecret,
  releasesOf,
  removeInVain,
  untilErrored,
  useWorld,
  web,
} from './world.ts'

/** What an Errored instance depends on changes, and nobody retries: nothing is made of it. */

const world = useWorld({ clock: jumpingClock() })

const ref = () => ({ namespace: world.namespace, name: world.instance })

/** Of a project of its own each: no other test looks at its variables. */
const makeEnv = (region: string): object => ({
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'AppEnv',
  metadata: { name: world.app },
  spec: { type: 'dev', variables: [{ name: 'REGION', value: region }] },
})

const stackWith = (path: string): readonly object[] => [
  {
    ...web,
    healthCheck: { path },
    variables: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
  },
]

/** The App, its stack, the environment and a Secret are others than before. */
async function changeAll(): Promise<void> {
  const { hands, operator } = world
  await hands.apply(makeApp(world, stackWith('/livez')))
  await hands.apply(makeEnv('south'))
  await hands.apply(makeSecret(world, 'db', { password: 'second' }))
  await operator.settle()
}

/** What stands in the instance's namespace, by kind and name. */
async function standing(): Promise<readonly string[]> {
  const kinds = ['ConfigMap', 'Secret', 'NetworkPolicy', 'ResourceQuota', 'RoleBinding', 'Deployment', 'Service']
  const lists = await Promise.all(kinds.map((kind) => world.hands.list(kind, world.instance)))
  return lists.flatMap((list, index) => list.map(({ metadata }) => `${kinds[index]} ${metadata.name}`))
}

afterEach(() => allowAccounts(world))

describe('what an Errored instance depends on', () => {
  it('changes, and a child is deleted: nothing is written or torn down before a retry, which takes all of it', async () => {
    const { hands, operator, instance } = world
    await refuseAccounts(world)
    await hands.apply(makeEnv('north'))
    await hands.apply(makeSecret(world, 'db', { password: 'first' }))
    await create(world, {
      stack: stackWith('/healthz'),
      spec: { env: world.app, stack: { autoUpgrade: true }, creationDeadlineSeconds: 15 },
    })
    await untilErrored(world)
    await operator.settle()
    operator.writes.splice(0)
    const before = await standing()
    const [policy] = await hands.list('NetworkPolicy', instance)
    await hands.remove('NetworkPolicy', { namespace: instance, name: policy?.metadata.name ?? '' })
    await changeAll()
    const expected = before.filter((each) => each !== `NetworkPolicy ${policy?.metadata.name}`)
    expect([childWrites(world), await standing()]).toEqual([[], expected])
    await allowAccounts(world)
    await world.whileDown(() => Promise.resolve())
    await world.operator.settle()
    expect([childWrites(world), await standing()]).toEqual([[], expected])
    expect((await getInstance(world))['status'].phase).toBe('Errored')

    await hands.patch('AppInstance', ref(), { metadata: { annotations: { [annotations.retry]: 'allowed' } } })
    await world.operator.until('it is made', async () => (await hands.list('Deployment', instance)).length === 1)
    await world.operator.settle()
    expect(await standing()).toEqual(expect.arrayContaining([`NetworkPolicy ${policy?.metadata.name}`]))
    const { spec } = await hands.get('Deployment', { namespace: instance, name: 'web' })
    const [container] = spec.template.spec.containers
    expect(container.readinessProbe.httpGet.path).toBe('/livez')
    const variable = (name: string): Anything => container.env.find((each: Anything) => each['name'] === name)
    expect(variable('REGION')['value']).toBe('south')
    const copy = variable('PASSWORD')['valueFrom'].secretKeyRef.name
    const { data } = await hands.get('Secret', { namespace: instance, name: copy })
    expect(Buffer.from(data.password, 'base64').toString()).toBe('second')
  }, 120_000)

  it('changes while its removal is stuck: nothing is made anew', async () => {
    const { hands, operator } = world
    await hands.apply(makeEnv('north'))
    await hands.apply(makeSecret(world, 'db', { password: 'first' }))
    await createRunning(world, { stack: stackWith('/healthz'), spec: { env: world.app, deletionDeadlineSeconds: 20 } })
    const letGo = await removeInVain(world)
    operator.writes.splice(0)
    const before = await standing()
    await changeAll()
    expect([childWrites(world), await standing()]).toEqual([[], before])
    expect(await releasesOf(world)).toHaveLength(1)
    await letGo()
    await operator.until('it is gone', async () => (await hands.find('AppInstance', ref())) === undefined)
  }, 120_000)
})
