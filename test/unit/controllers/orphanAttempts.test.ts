import { describe, expect, it } from '@jest/globals'
import type { AppTask } from '../../../operator/api/appTask.ts'
import { stored } from '../../render/world.ts'
import { AskedWorld, secondsAgo, settle } from './askedWorld.ts'
import { objects } from './instance.ts'

/** Records of creations and removals whose instance is gone, without having said how they ended. */

const uid = objects.instance.metadata.uid ?? ''
const elsewhere = '44444444-4444-4444-8444-444444444444'

/** One that is under way: of an instance with this uid. */
function attempt(type: 'Create' | 'Delete', instanceUid: string, status?: object): AppTask {
  const spec = { instance: 'hello-dev', instanceUid, type, attempt: 1, cause: 'as a test has it' }
  const metadata = {
    name: 'try',
    namespace: 'team',
    uid: 'uid-of-try',
    generation: 1,
    creationTimestamp: secondsAgo(60),
  }
  return stored({
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppTask',
    metadata,
    spec,
    ...(status && { status }),
  }) as AppTask
}

const waiting = {
  observedGeneration: 1,
  instanceGeneration: 3,
  conditions: [
    {
      type: 'Succeeded',
      status: 'Unknown',
      reason: 'Terminating',
      message: 'held up',
      observedGeneration: 1,
      lastTransitionTime: secondsAgo(30),
    },
  ],
  steps: [
    { name: 'contents', state: 'Succeeded', startedAt: secondsAgo(60), finishedAt: secondsAgo(30), attempts: 1 },
    { name: 'namespace', state: 'Running', startedAt: secondsAgo(30), attempts: 1, message: 'held up' },
  ],
}

describe('the record of a try', () => {
  it.each(['Create', 'Delete'] as const)('to %s is left to its instance for as long as that is there', async (type) => {
    const world = await AskedWorld.with([attempt(type, uid)])
    await world.orphan('try')
    await settle(world)
    const instance = world.find('AppInstance', { namespace: 'team', name: 'hello-dev' })!
    world.put({ ...instance, metadata: { ...instance.metadata, deletionTimestamp: secondsAgo(1) } })
    await world.orphan('try')
    expect(world.writes).toEqual([])
  })

  it.each([
    ['Create', 'nothing says how its creation ended'],
    ['Delete', 'to see whether anything is left: kubectl get namespace hello-dev'],
  ] as const)('to %s is ended when its instance is gone', async (type, says) => {
    const world = await AskedWorld.with([attempt(type, uid)])
    world.remove('AppInstance', { namespace: 'team', name: 'hello-dev' })
    expect(await world.orphan('try')).toEqual({ kind: 'settled' })
    expect(world.told('try')).toContain("False InstanceDeleted: AppInstance 'hello-dev' is gone")
    expect(world.told('try')).toContain(says)
    await world.orphan('try')
    expect(world.writes).toEqual(['status AppTask try'])
  })

  it('is ended at the step where it stood, and says so when another instance has the name', async () => {
    const world = await AskedWorld.with([attempt('Delete', elsewhere, waiting)])
    await world.orphan('try')
    expect(world.told('try')).toContain('another AppInstance has its name now')
    expect(world.task('try')?.status).toMatchObject({
      instanceGeneration: 3,
      steps: [
        { name: 'contents', state: 'Succeeded' },
        { name: 'namespace', state: 'Failed', message: world.told('try').replace('False InstanceDeleted: ', '') },
      ],
    })
  })

  it('is left to its instance where a live look shows it', async () => {
    const world = await AskedWorld.with([attempt('Create', elsewhere)])
    const old = world.view()
    const instance = world.find('AppInstance', { namespace: 'team', name: 'hello-dev' })!
    world.put({ ...instance, metadata: { ...instance.metadata, uid: elsewhere } })
    expect(await world.orphan('try', 10_000, old)).toMatchObject({ kind: 'progressing' })
    expect(world.writes).toEqual([])
  })

  it('keeps the end that its instance recorded and that is not in view yet', async () => {
    const world = await AskedWorld.with([attempt('Delete', uid)])
    world.remove('AppInstance', { namespace: 'team', name: 'hello-dev' })
    const old = world.view()
    const [condition] = waiting.conditions
    const end = {
      observedGeneration: 1,
      conditions: [{ ...condition!, status: 'True', reason: 'Completed', message: 'gone' }],
    }
    world.put({ ...world.task('try')!, status: end } as AppTask)
    await expect(world.orphan('try', 10_000, old)).rejects.toMatchObject({ code: 'Conflict' })
    await world.orphan('try')
    expect(world.told('try')).toBe('True Completed: gone')
  })
})
