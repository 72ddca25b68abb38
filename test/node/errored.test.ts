import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { waitUntil } from '../cluster/kubeApi.ts'
import { intoErrored, outByDeletion, outByRetry, removeTaken, takenInstance, type Walk } from '../demo/errored.ts'
import { conditionOf, getInstance, isReady, podsOf, project, startNodeWorld, type NodeWorld } from './world.ts'

/** The walk of examples/errored, which `make demo` shows too. */

let world: NodeWorld
let walk: Walk
const told: string[] = []

beforeAll(async () => {
  world = await startNodeWorld()
  const { kubectl, images } = world
  walk = { kubectl, project, image: images.hello('1'), report: (line) => told.push(line) }
  await removeTaken(walk)
}, 900_000)

afterAll(() => removeTaken(walk), 120_000)

interface Task {
  readonly spec: { readonly instance: string; readonly attempt: number; readonly cause: string }
  readonly status: { readonly conditions: readonly { readonly status: string; readonly reason: string }[] }
}

/** How each try ended, the oldest first. */
async function tries(): Promise<readonly string[]> {
  const args = ['-n', project, 'get', 'apptasks', '--sort-by=.metadata.creationTimestamp']
  const { items } = await world.kubectl.json<{ readonly items: readonly Task[] }>(...args)
  return items
    .filter(({ spec }) => spec.instance === takenInstance)
    .map(({ spec, status }) => `${spec.cause}: ${status.conditions[0]?.status} ${status.conditions[0]?.reason}`)
}

const strangers = (): Promise<unknown> => world.kubectl.json('get', 'namespace', takenInstance)

describe('an instance whose namespace is another team’s', () => {
  it('is Errored, says the ways out, and the API server refuses its changes', async () => {
    await intoErrored(walk)
    const before = await strangers()
    const instance = await getInstance(world, takenInstance)
    expect(conditionOf(instance, 'Stalled').state).toBe('True NamespaceConflict')
    const patch = ['patch', 'appinstance', takenInstance, '--type=merge', '-p', '{"spec":{"replicas":2}}']
    let refusal = ''
    await waitUntil('the lock is in force', 60, async () => {
      const { status, stderr } = await world.kubectl.ask('-n', project, ...patch, '--dry-run=server')
      refusal = stderr
      return status !== 0
    })
    expect(refusal).toContain(`AppInstance '${takenInstance}' is Errored (Creation, NamespaceConflict since`)
    expect(await strangers()).toEqual(before)
    expect(await tries()).toEqual(['instance created: False NamespaceConflict'])
  }, 180_000)

  it('goes at once when it is given up, and leaves the namespace as it is', async () => {
    const before = await strangers()
    await outByDeletion(walk)
    const { status } = await world.kubectl.ask('-n', project, 'get', 'appinstance', takenInstance)
    expect(status).not.toBe(0)
    expect(await strangers()).toEqual(before)
  }, 180_000)

  it('runs when the name is free and a retry is asked for', async () => {
    await intoErrored(walk)
    await outByRetry(walk)
    const pods = await podsOf(world, takenInstance, 'appstead.dev/service=web')
    expect(pods.filter(isReady)).toHaveLength(1)
    expect((await tries()).slice(-2)).toEqual([
      'instance created: False NamespaceConflict',
      'attempt-2: True Completed',
    ])
    expect(told.join('\n')).toContain('appstead.dev/retry=attempt-2')
  }, 300_000)
})
