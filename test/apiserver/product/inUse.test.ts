import { expect, it } from '@jest/globals'
import { apiVersion } from '../../../operator/api/meta.ts'
import { conditionsOf, createRunning, getInstance, makeStack, messageOf, useWorld, web } from './world.ts'

const world = useWorld()

it('App, stack, env and revision wait for those who use them, who is named, and go when they are gone', async () => {
  const { hands, operator, namespace, app, instance } = world
  const env = `env-${namespace}`
  await hands.apply({ apiVersion, kind: 'AppEnv', metadata: { name: env }, spec: { type: 'test' } })
  await hands.apply(makeStack(world, 'shop', [web]))
  await createRunning(world, { stack: 'shop', spec: { env } })
  const revision = (await getInstance(world))['status'].stack.current
  const used = [
    ['App', { namespace, name: app }, `${namespace}/${instance}`, `--field-selector spec.app=${app}`],
    ['AppStack', { namespace, name: 'shop' }, `${namespace}/${app}`, '--field-selector spec.stack.name=shop'],
    ['AppStackRevision', { namespace, name: revision }, `${namespace}/${instance}`, `-n ${namespace}`],
    ['AppEnv', { namespace: '', name: env }, `${namespace}/${instance}`, `--field-selector spec.env=${env}`],
  ] as const
  for (const [kind, ref] of used) await hands.remove(kind, ref)
  await operator.settle()
  for (const [kind, ref, user, command] of used) {
    const object = await hands.get(kind, ref)
    expect(conditionsOf(object)).toMatchObject({ Ready: 'Unknown InUse', Reconciling: 'True InUse' })
    for (const part of [`${kind} '${ref.name}'`, user, command]) expect(messageOf(object, 'Ready')).toContain(part)
  }
  expect((await getInstance(world))['status'].phase).toBe('Running')
  expect(operator.writes.filter(({ verb }) => verb === 'delete')).toEqual([])

  await hands.remove('AppInstance', { namespace, name: instance })
  const isGone = async (): Promise<boolean> =>
    (await Promise.all(used.map(([kind, ref]) => hands.find(kind, ref)))).every((found) => found === undefined)
  await operator.until('all are gone', isGone, 40)
}, 60_000)

it('what nobody uses goes at once', async () => {
  const { hands, operator, namespace } = world
  await hands.apply(makeStack(world, 'shop', [web]))
  await operator.settle()
  await hands.remove('AppStack', { namespace, name: 'shop' })
  await operator.settle()
  expect(await hands.find('AppStack', { namespace, name: 'shop' })).toBeUndefined()
  const [revision] = await hands.list('AppStackRevision', namespace)
  await hands.remove('AppStackRevision', { namespace, name: revision!.metadata.name })
  await operator.settle()
  expect(await hands.list('AppStackRevision', namespace)).toEqual([])
})
