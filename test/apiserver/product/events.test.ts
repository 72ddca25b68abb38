import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import type { Anything } from '../../support/hands.ts'
import { breakPods, endPods, makePodsReady, rollOut } from '../../support/kubelet.ts'
import { conditionsOf, create, createRunning, getInstance, makeApp, makeInstance, useWorld, web } from './world.ts'

const world = useWorld()

/** Reasons of the Events as `kubectl describe` lists them. */
async function describedEvents(): Promise<string[]> {
  const { cluster, namespace, instance } = world
  const args = ['--kubeconfig', cluster.kubeconfig, '-n', namespace, 'describe', 'appinstance', instance]
  const { stdout } = await promisify(execFile)(cluster.kubectl, args)
  const lines = stdout.slice(stdout.indexOf('\nEvents:')).split('\n')
  return lines.flatMap((line) => /^ {2}(?:Normal|Warning) +(?<reason>\w+) /.exec(line)?.groups?.['reason'] ?? [])
}

/** What Events tell of the objects in the instance's own namespace, of our making, as `kind/name reason`. */
async function toldOfChildren(): Promise<string[]> {
  await world.operator.settle()
  const events = await world.hands.list('Event', world.instance)
  const ours = events.filter((event) => event['reportingComponent'] === 'appstead.dev/operator')
  return ours.map(({ involvedObject: { kind, name }, reason }) => `${kind}/${name} ${reason}`).toSorted()
}

const crashing = {
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { exitCode: 3, message: 'no database' } },
}
const areTold = async (): Promise<boolean> => (await toldOfChildren()).length > 0
const isNew = (pod: Anything): boolean => pod['spec'].containers[0].image === 'nowhere:1'

describe('events on a child', () => {
  it('are none where all goes well', async () => {
    await createRunning(world)
    await world.hands.apply(makeInstance(world, { image: 'hello:2' }))
    await rollOut(world.hands, world.operator, world.instance)
    expect(await toldOfChildren()).toEqual([])
  }, 30_000)

  it('tell of its failure once, also after a restart, and of its end', async () => {
    const { hands, instance } = world
    await createRunning(world)
    await breakPods(hands, instance, crashing)
    await world.operator.until('it is told', areTold)
    expect(await toldOfChildren()).toEqual(['Deployment/web CrashLoop'])
    const args = ['--kubeconfig', world.cluster.kubeconfig, '-n', instance, 'describe', 'deployment', 'web']
    const { stdout } = await promisify(execFile)(world.cluster.kubectl, args)
    expect(stdout).toMatch(/Warning +CrashLoop .* exit code 3, last line: no database/)
    await world.whileDown(async () => undefined)
    expect(await toldOfChildren()).toEqual(['Deployment/web CrashLoop'])
    await makePodsReady(hands, instance)
    const isOver = async (): Promise<boolean> => (await toldOfChildren()).includes('Deployment/web AllReady')
    await world.operator.until('its end is told', isOver)
    // In between its pod may be ready before the Deployment counts it.
    const told = (await toldOfChildren()).filter((each) => !each.endsWith('ReplicasNotReady'))
    expect(told).toEqual(['Deployment/web AllReady', 'Deployment/web CrashLoop'])
  }, 60_000)

  it('tell what holds a roll-out up, and of the release that does well', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    await hands.apply(makeInstance(world, { image: 'nowhere:1' }))
    await operator.until('its pod is made', async () => (await hands.list('Pod', instance)).length === 2)
    const waiting = { state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }
    await breakPods(hands, instance, waiting, isNew)
    await operator.until('it is told', areTold)
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    await rollOut(hands, operator, instance)
    expect(await toldOfChildren()).toEqual(['Deployment/web ImagePullFailed', 'Deployment/web RolledOut'])
  }, 30_000)

  it('tell of a claim that is not bound', async () => {
    const volumes = [{ name: 'data', path: '/data', size: '1Gi', storageClassName: 'none' }]
    await create(world, { stack: [{ ...web, volumes }] })
    await world.operator.until('it is told', areTold)
    expect(await toldOfChildren()).toEqual(['PersistentVolumeClaim/web-data ClaimUnbound'])
  }, 30_000)

  it('tell of an action that failed', async () => {
    const { hands, operator, instance } = world
    const actions = [{ name: 'migrate', run: 'BeforeDeploy', command: ['migrate'] }]
    await create(world, { stack: [{ ...web, actions }] })
    await operator.until('its pod is made', async () => (await hands.list('Pod', instance)).length === 1)
    await endPods(hands, instance, { exitCode: 1, message: 'no table' }, () => true)
    await operator.until('it is told', areTold)
    const [job] = await hands.list('Job', instance)
    expect(await toldOfChildren()).toEqual([`Job/${job?.metadata.name} ActionFailed`])
  }, 30_000)
})

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
