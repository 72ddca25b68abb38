import process from 'node:process'
import { isDeepStrictEqual } from 'node:util'
import { afterEach, describe, expect, it } from '@jest/globals'
import { conditionOf } from '../../../operator/status/conditions.ts'
import { tryRun } from '../../cluster/process.ts'
import type { Anything } from '../../support/hands.ts'
import { breakPods } from '../../support/kubelet.ts'
import { rowOf, type Phased } from '../../support/phaseTable.ts'
import { readRecorded, recordedNames, writeRecorded, type Recorded } from '../../phases/recorded.ts'
import { create, createRunning, getInstance, makeApp, makeInstance, useWorld, web } from './world.ts'

/** Each row of the phase table, made for real: what is recorded in test/phases is what the API server shows today. */

const world = useWorld()

/** `APPSTEAD_RECORD=yes` records anew instead. */
const isRecording = process.env['APPSTEAD_RECORD'] === 'yes'

const ref = (): { readonly namespace: string; readonly name: string } => ({
  namespace: world.namespace,
  name: world.instance,
})
const phaseIs = (phase: string) => async (): Promise<boolean> => (await getInstance(world))['status']?.phase === phase
const crash = {
  state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
  lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'no database' } },
}
const runsBad = (pod: Anything): boolean => pod['spec'].containers[0].image === 'hello:bad'

/** Asks for an image that crashes, until its release is given up. */
async function deployBad(phase: string, spec: object = {}): Promise<void> {
  const { hands, operator, instance } = world
  await hands.apply(makeInstance(world, { ...spec, image: 'hello:bad' }))
  await operator.until(
    `it is ${phase}, given up`,
    async () => {
      await breakPods(hands, instance, crash, runsBad)
      const row = rowOf((await getInstance(world)) as Phased)
      return (await phaseIs(phase)()) && row?.besides.includes('Stalled') === true
    },
    60,
  )
  await operator.settle()
}

const hasty = { ...web, rollout: { progressDeadlineSeconds: 10 } }

/** How an instance comes to be in each row. */
const ways: Readonly<Record<string, () => Promise<unknown>>> = {
  'not-seen-yet': () =>
    world.whileDown(async () => {
      await world.hands.apply(makeInstance(world))
      unseen = { instance: await getInstance(world), isWaitOver: await isWaitOver() }
    }),
  pending: async () => {
    await world.hands.apply(makeInstance(world))
    await world.operator.settle()
  },
  creating: () =>
    create(world, {
      stack: [{ ...web, volumes: [{ name: 'data', path: '/data', size: '1Gi', storageClassName: 'none' }] }],
    }),
  deploying: () => create(world),
  running: () => createRunning(world, { spec: { replicas: 2 } }),
  'running-changes-pending': async () => {
    await createRunning(world, { spec: { replicas: 2 } })
    await world.hands.patch('AppInstance', ref(), { spec: { replicas: 3 } }, 'scale')
    await world.operator.settle()
  },
  'degraded-reconciling': async () => {
    await createRunning(world, { spec: { replicas: 2 } })
    const [one] = await world.hands.list('Pod', world.instance)
    await breakPods(world.hands, world.instance, crash, ({ metadata }) => metadata.name === one?.metadata.name)
    await world.operator.until('it is Degraded', phaseIs('Degraded'))
    await world.operator.settle()
  },
  'degraded-stalled': async () => {
    await createRunning(world, { stack: [hasty], spec: { replicas: 2 } })
    await deployBad('Degraded', { replicas: 2 })
  },
  'down-reconciling': async () => {
    await createRunning(world)
    await breakPods(world.hands, world.instance, crash)
    await world.operator.until('it is Down', phaseIs('Down'))
    await world.operator.settle()
  },
  'down-stalled': async () => {
    await world.hands.apply(makeApp(world, [hasty]))
    await deployBad('Down')
  },
  invalid: async () => {
    await createRunning(world, { spec: { replicas: 2 } })
    await world.hands.apply(makeInstance(world, { replicas: 2, services: [{ name: 'wbe', replicas: 2 }] }))
    await world.operator.settle()
  },
  suspended: async () => {
    await createRunning(world, { spec: { suspend: false } })
    await world.hands.apply(makeInstance(world, { suspend: true }))
    await world.operator.until('it is Suspended', phaseIs('Suspended'))
    await world.operator.settle()
  },
  'errored-creation': async () => {
    await world.hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: world.instance } })
    await create(world)
  },
  deleting: async () => {
    await createRunning(world)
    await removeHeld()
    await world.operator.until('it is Deleting', phaseIs('Deleting'))
    await world.operator.settle()
  },
  'errored-cleanup': async () => {
    await createRunning(world, { spec: { deletionDeadlineSeconds: 5 } })
    await removeHeld()
    await world.operator.until('it is Errored', phaseIs('Errored'), 40)
    await world.operator.settle()
  },
}

const namespaceRef = (): { readonly namespace: string; readonly name: string } => ({
  namespace: '',
  name: world.instance,
})

/** Somebody's finalizer on the namespace keeps the deletion from coming to its end, until the test is over. */
async function removeHeld(): Promise<void> {
  await world.hands.patch('Namespace', namespaceRef(), { metadata: { finalizers: ['test/slow'] } })
  isHeld = true
  await world.hands.remove('AppInstance', ref())
  await world.operator.until('no pod is left', async () => (await world.hands.list('Pod', world.instance)).length === 0)
}

let isHeld = false

afterEach(async () => {
  if (isHeld) await world.hands.patch('Namespace', namespaceRef(), { metadata: { finalizers: null } })
  isHeld = false
  unseen = undefined
})

/** While nobody had looked at it; the operator has, since then. */
let unseen: { readonly instance: Anything; readonly isWaitOver: boolean } | undefined

/** The instance as tools see it, without what is of this run: names, uids, times. */
function recordable({ apiVersion, kind, metadata, spec, status }: Anything): Recorded {
  const { generation, deletionTimestamp } = metadata as Recorded['metadata']
  const { namespace, app, instance } = world
  const uid = metadata.uid ?? ''
  const names: readonly (readonly [string, string])[] = [
    [uid, '00000000-0000-4000-8000-000000000000'],
    [`${instance}-${uid.slice(0, 5)}`, 'hello-dev-00000'],
    [instance, 'hello-dev'],
    [app, 'hello'],
    [namespace, 'shop'],
  ]
  const identity = { name: instance, namespace, generation, ...(deletionTimestamp && { deletionTimestamp }) }
  const text = JSON.stringify({ apiVersion, kind, metadata: identity, spec, status })
  const named = names.reduce((known, [from, to]) => known.replaceAll(from, to), text)
  return JSON.parse(named.replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, '2026-01-02T03:04:05Z')) as Recorded
}

const hasReady = ({ status }: Recorded): boolean => conditionOf(status.conditions, 'Ready')?.status === 'True'

/** Whether `kubectl wait` for Ready finds nothing to wait for. */
async function isWaitOver(): Promise<boolean> {
  const { cluster, namespace, instance } = world
  const wait = ['wait', '--for=condition=Ready', '--timeout=0s', `appinstance/${instance}`]
  const { status, stderr } = await tryRun(cluster.kubectl, [
    '--kubeconfig',
    cluster.kubeconfig,
    '-n',
    namespace,
    ...wait,
  ])
  if (status !== 0 && !stderr.includes('condition not met')) throw new Error(stderr)
  return status === 0
}

describe('the status of an instance, as the API server shows it, is the recorded one:', () => {
  it.each(Object.entries(ways))(
    '%s',
    async (name, reach) => {
      await reach()
      const shown = async (): Promise<Recorded> => recordable(unseen?.instance ?? (await getInstance(world)))
      if (isRecording) writeRecorded(name, await shown())
      const recorded = readRecorded(name)
      await world.operator
        .until('it is as recorded', async () => isDeepStrictEqual(await shown(), recorded))
        .catch(() => undefined)
      expect(await shown()).toEqual(recorded)
      expect(unseen?.isWaitOver ?? (await isWaitOver())).toBe(hasReady(recorded))
    },
    90_000,
  )

  it('no other is recorded', () => {
    expect(recordedNames()).toEqual(Object.keys(ways).toSorted())
  })
})
