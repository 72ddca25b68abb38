import { describe, expect, it } from '@jest/globals'
import { annotations } from '../../../operator/api/meta.ts'
import { waitUntil } from '../../cluster/kubeApi.ts'
import { createRunning, eventsTold, getInstance, makeApp, makeInstance, messageOf, useWorld } from './world.ts'

const world = useWorld()

const ref = () => ({ namespace: world.namespace, name: world.instance })
const namespaceRef = () => ({ namespace: '', name: world.instance })
const phase = async (): Promise<string> => (await getInstance(world))['status']?.phase

/** The instance goes, as by force, and leaves its namespace; after what happens meanwhile, one of its name is made. */
async function makeAgain(meanwhile: () => Promise<unknown>): Promise<void> {
  const { hands } = world
  await world.whileDown(async () => {
    await hands.patch('AppInstance', ref(), { metadata: { finalizers: null } })
    await hands.remove('AppInstance', ref())
    await meanwhile()
    await hands.apply(makeInstance(world))
  })
}

async function markForeign(): Promise<void> {
  const marks = { metadata: { annotations: { [annotations.hubUid]: '00000000-0000-4000-8000-000000000000' } } }
  await world.hands.as({ user: world.operatorUser }).patch('Namespace', namespaceRef(), marks)
}

/** The project goes, as by force, with all that is in it; resolves when one of its name, with the App, is there again. */
async function makeProjectAnew(): Promise<void> {
  const { hands, namespace } = world
  const project = { namespace: '', name: namespace }
  const { labels: marks } = (await hands.get('Namespace', project)).metadata
  await hands.remove('Namespace', project)
  for (const kind of ['App', 'AppStackRevision']) {
    for (const { metadata } of await hands.list(kind, namespace)) {
      await hands.patch(kind, { namespace, name: metadata.name }, { metadata: { finalizers: null } })
    }
  }
  await waitUntil('the project is gone', 60, async () => (await hands.find('Namespace', project)) === undefined)
  await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: marks } })
  await hands.apply(makeApp(world))
}

describe('a namespace that a former instance left behind', () => {
  it('is taken over by the next of the name, without a restart of its pods', async () => {
    const { hands, instance } = world
    await createRunning(world)
    const before = await hands.get('Deployment', { namespace: instance, name: 'web' })
    await makeAgain(() => Promise.resolve())
    await world.operator.until('it is taken over', async () => (await phase()) === 'Running')
    const { metadata } = await getInstance(world)
    const namespace = await hands.get('Namespace', namespaceRef())
    expect(namespace.metadata.annotations?.[annotations.instanceUid]).toBe(metadata.uid)
    const events = await eventsTold(world)
    expect(events.filter(({ reason }) => reason === 'NamespaceTakenOver')).toHaveLength(1)
    const after = await hands.get('Deployment', { namespace: instance, name: 'web' })
    expect([after.metadata.uid, after.metadata.generation]).toEqual([before.metadata.uid, before.metadata.generation])
  }, 120_000)

  it.each([
    ['of another cluster', markForeign],
    ['of a project that was made anew since', makeProjectAnew],
  ])(
    '%s is taken over only by who names its instance, without a restart of its pods',
    async (_, meanwhile) => {
      const { hands, instance } = world
      await createRunning(world)
      const former = (await getInstance(world)).metadata.uid ?? ''
      const before = await hands.get('Deployment', { namespace: instance, name: 'web' })
      await makeAgain(meanwhile)
      await world.operator.until('it is refused', async () => (await phase()) === 'Errored')
      const command = `kubectl annotate appinstance ${instance} -n ${world.namespace} --overwrite ${annotations.adopt}=${former}`
      expect(messageOf(await getInstance(world), 'Stalled')).toContain(
        `and is not touched; to take it over: ${command}, then`,
      )
      const asked = { [annotations.adopt]: former, [annotations.retry]: 'it is ours' }
      await hands.patch('AppInstance', ref(), { metadata: { annotations: asked } })
      await world.operator.until('it is taken over', async () => (await phase()) === 'Running')
      const after = await hands.get('Deployment', { namespace: instance, name: 'web' })
      expect([after.metadata.uid, after.metadata.generation]).toEqual([before.metadata.uid, before.metadata.generation])
    },
    120_000,
  )
})
