import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { breakPods, rollOut } from '../../support/kubelet.ts'
import { conditionsOf, getInstance, makeApp, makeInstance, useWorld } from './world.ts'

const world = useWorld()

/** Reasons of the Events as `kubectl describe` lists them. */
async function describedEvents(): Promise<string[]> {
  const { cluster, namespace, instance } = world
  const args = ['--kubeconfig', cluster.kubeconfig, '-n', namespace, 'describe', 'appinstance', instance]
  const { stdout } = await promisify(execFile)(cluster.kubectl, args)
  const lines = stdout.slice(stdout.indexOf('\nEvents:')).split('\n')
  return lines.flatMap((line) => /^ {2}(?:Normal|Warning) +(?<reason>\w+) /.exec(line)?.groups?.['reason'] ?? [])
}

describe('events', () => {
  it('are listed by kubectl describe in the order in which things happened', async () => {
    const { hands, operator, instance } = world
    // Their times are in seconds, as kubectl reads them.
    await hands.apply(makeInstance(world))
    await operator.settle()
    await pause(1100)
    await hands.apply(makeApp(world))
    await operator.settle()
    await pause(1100)
    await rollOut(hands, operator, instance)
    await pause(1100)
    await hands.apply(makeInstance(world, { replicas: 2 }))
    await operator.settle()
    const reasons = await describedEvents()
    expect(reasons[0]).toBe('AppNotFound')
    expect(reasons.slice(1, -2).toSorted()).toEqual(['NamespaceCreated', 'ReleaseCreated'])
    expect(reasons.slice(-2)).toEqual(['RolledOut', 'WaitsForDeployment'])
  }, 30_000)

  it.each([
    ['ImagePullFailed', { state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }],
    [
      'CrashLoop',
      { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 3, message: 'no' } } },
    ],
  ])(
    'tell of %s already while it is rolled out',
    async (reason, container) => {
      const { hands, operator, instance } = world
      await hands.apply(makeApp(world))
      await hands.apply(makeInstance(world))
      await operator.until('its pod is made', async () => (await hands.list('Pod', instance)).length === 1)
      await breakPods(hands, instance, container)
      const isTold = async (): Promise<boolean> => (await describedEvents()).includes(reason)
      await operator.until('it is told', isTold)
      // It is told before the status is written.
      await operator.settle()
      expect(conditionsOf(await getInstance(world))['Ready']).toBe(`Unknown ${reason}`)
    },
    30_000,
  )
})
