import { expect, it } from '@jest/globals'
import type { AppInstanceStatus } from '../../../operator/api/appInstance.ts'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import type { Happening } from './instance.ts'
import { reportOf, worldWith } from './instance.ts'

/** What people read in `kubectl get` and `kubectl describe` as time goes by; each reconcile happens twice. */

const web = { name: 'web', ports: [{ port: 8080 }] }
const ready = { isComplete: true, ready: 1 }

/** Runs the happenings in a row; out: the phase and the Events of each, told once. */
async function tell(happenings: readonly Happening[]): Promise<string[]> {
  const lines: string[] = []
  let before: AppInstanceStatus | undefined
  const releases = new Map<string, AppRelease>()
  for (const happening of happenings) {
    const carried: Happening = { ...(before && { before }), releases: [...releases.values()], ...happening }
    for (const each of carried.releases ?? []) releases.set(each.metadata.name, each)
    const first = await reportOf(carried)
    lines.push(
      [first.status?.phase, ...(first.events ?? []).map((event) => `${event.type[0]}:${event.reason}`)].join(' '),
    )
    before = first.status
    if (first.release) releases.set(first.release.metadata.name, first.release)
    const again = await reportOf({ ...carried, before: before!, releases: [...releases.values()] })
    expect(again.events).toEqual([])
    expect(again.status).toEqual(before)
  }
  return lines
}

/** A release that was rolled out, and the next one, which failed. */
async function goodAndFailed(): Promise<[AppRelease, AppRelease]> {
  const { release: good } = await reportOf({})
  const services = good!.spec.services.map((service) => ({ ...service, image: 'registry.example/hello:2' }))
  const conditions = [{ type: 'Succeeded', status: 'False', reason: 'CrashLoop', message: 'It crashed.' }]
  const metadata = { ...good!.metadata, name: 'hello-dev-33333-r2' }
  const failed = { ...good, metadata, spec: { ...good!.spec, number: 2, services }, status: { conditions } }
  return [good!, failed as unknown as AppRelease]
}

function messagesOf(status: AppInstanceStatus | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((status?.conditions ?? []).map(({ type, message }) => [type, message]))
}

it('a first deployment, a failure, a recovery, a scaling that waits, a second deployment', async () => {
  const scaled = worldWith([web], { replicas: 3 })
  const updated = worldWith([web], { replicas: 3, image: 'registry.example/hello:2' })
  const crash = { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 137 } } }
  expect(
    await tell([
      { world: { app: undefined } },
      {},
      { rollout: ready },
      { isRolledOut: true, container: crash },
      { isRolledOut: true, rollout: ready },
      { isRolledOut: true, rollout: ready, world: scaled },
      { world: updated },
      { rollout: ready, world: updated },
    ]),
  ).toEqual([
    'Pending W:AppNotFound',
    'Deploying N:ReleaseCreated N:NamespaceCreated',
    'Running N:RolledOut',
    'Down W:CrashLoop',
    'Running N:AllReady',
    'Running N:WaitsForDeployment',
    'Deploying N:ReleaseCreated',
    'Running N:RolledOut',
  ])
})

it('an instance is suspended: its pods go, changes wait, and it comes back without an alarm', async () => {
  const running = { isRolledOut: true, rollout: ready }
  const down = { isRolledOut: true, rollout: { desired: 0, isComplete: true } }
  const world = worldWith([web], { suspend: true })
  expect(
    await tell([
      { rollout: ready },
      running,
      { isRolledOut: true, rollout: { desired: 0, ready: 1 }, world },
      { ...down, world },
      { ...down, world: worldWith([web], { suspend: true, image: 'registry.example/hello:2' }) },
      { ...down, world },
      { isRolledOut: true, rollout: { desired: 1 } },
      { isRolledOut: true, rollout: { desired: 1 } },
      running,
    ]),
  ).toEqual([
    'Running N:ReleaseCreated N:NamespaceCreated N:RolledOut',
    'Running',
    'Deploying',
    'Suspended N:Suspended',
    'Suspended N:WaitsForResume',
    'Suspended',
    'Deploying N:Resumed',
    'Deploying',
    'Running',
  ])
})

it('a service that scales itself is well with its least number, and names what keeps the others from starting', async () => {
  const world = worldWith([{ ...web, autoscaling: { min: 1, max: 3, cpu: 70 } }], { replicas: 2 })
  const grown = { isRolledOut: true, world, rollout: { desired: 2, ready: 1, isGrowing: true } }
  const happenings = [
    { world, rollout: ready },
    { ...grown, rollout: ready },
    grown,
    { ...grown, unschedulable: '0/1 nodes are available' },
  ]
  expect(await tell(happenings)).toEqual([
    'Running N:ReleaseCreated N:NamespaceCreated N:RolledOut',
    'Running',
    'Running',
    'Degraded W:Unschedulable',
  ])
  const { status } = await reportOf({ world, rollout: ready })
  expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toBe(
    "All services are ready. Service 'web' scales itself, 1 to 3 at 70% CPU: spec.replicas is ignored.",
  )
})

it('an instance that is suspended from its beginning is so, and makes nothing', async () => {
  expect(await tell([{ world: worldWith([web], { suspend: true }) }])).toEqual(['Suspended N:Suspended'])
})

it('an image that cannot be pulled is told while it is rolled out, not only when the deadline has passed', async () => {
  const container = { state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }
  expect(await tell([{}, { container }, { rollout: ready }])).toEqual([
    'Deploying N:ReleaseCreated N:NamespaceCreated',
    'Deploying W:ImagePullFailed',
    'Running N:RolledOut',
  ])
})

it('a quota that refuses a change of what runs leaves it Deploying: nothing is created any more', async () => {
  const world = worldWith([web], { image: 'registry.example/hello:2' })
  const { release } = await reportOf({})
  const { status } = await reportOf({ world, releases: [release!], isRolledOut: true, refusal: 'Forbidden' })
  expect(status?.phase).toBe('Deploying')
})

it('a release that is deleted by hand, and with it the revision it was of, is told with the way back', async () => {
  const { status: before } = await reportOf({ rollout: ready })
  const revised = worldWith([{ ...web, replicas: undefined, healthCheck: { path: '/healthz' } }])
  const { events = [] } = await reportOf({ world: revised, before: before! })
  const lost = events.find(({ reason }) => reason === 'ReleaseLost')
  expect(lost?.message).toContain(`'{"spec":{"stack":{"revision":"${before?.stack?.current}"}}}'`)
  expect((await reportOf({ rollout: ready, before: before! })).events).toEqual([])
})

it('a quota that refuses the namespace is told by an Event, and no namespace is said to be there', async () => {
  expect(await tell([{ refusal: 'Forbidden' }])).toEqual(['Creating N:ReleaseCreated W:Forbidden'])
})

it('a roll-out past its deadline is Down or Degraded, stalled, and names the service that is late', async () => {
  const late = { isDeadlineExceeded: true }
  expect(await tell([{}, { rollout: late }])).toEqual([
    'Deploying N:ReleaseCreated N:NamespaceCreated',
    'Down W:RolloutDeadlineExceeded',
  ])
  const { status } = await reportOf({ rollout: { ...late, ready: 1 } })
  expect(status?.phase).toBe('Degraded')
  expect(status?.conditions?.find(({ type }) => type === 'Stalled')?.message).toContain("service 'web'")
})

it('a release that failed is told with its cause, what serves, and how it is tried again; back and forth brings nothing new', async () => {
  const [good, failed] = await goodAndFailed()
  const before = { rollout: ready, releases: [good, failed] }
  const broken = { ...before, world: worldWith([web], { image: 'registry.example/hello:2' }) }
  const scaled = { ...before, world: worldWith([web], { image: 'registry.example/hello:2', replicas: 3 }) }
  const { status, release } = await reportOf(broken)
  expect(release).toMatchObject({ spec: { number: 1 } })
  expect(status).toMatchObject({
    phase: 'Degraded',
    currentRelease: { number: 1, image: 'registry.example/hello:1' },
    failedRelease: { number: 2, reason: 'CrashLoop', message: 'It crashed.' },
    releaseSummary: '1 (2 failed)',
    imageSummary: 'registry.example/hello:1 (wanted: registry.example/hello:2)',
    pendingSummary: 'services[web].image',
  })
  expect(messagesOf(status)).toMatchObject({
    Ready:
      'Release 2 failed: It crashed. Release 1 serves; not tried again until the spec changes or appstead.dev/deploy asks: kubectl annotate appinstance hello-dev -n team appstead.dev/deploy=release-3 --overwrite',
    Deployed: 'Release hello-dev-33333-r2 failed: It crashed.',
  })
  expect(messagesOf(status)['Stalled']).toBe(messagesOf(status)['Ready'])
  expect(await tell([before, broken, scaled, before, broken, { ...broken, rollout: { ready: 0 } }])).toEqual([
    'Running N:ReleaseCreated N:NamespaceCreated N:RolledOut',
    'Degraded W:CrashLoop N:ReleaseFailed',
    'Degraded N:ReleaseFailed',
    'Running N:RolledOut N:AllReady',
    'Degraded W:CrashLoop N:ReleaseFailed',
    'Down',
  ])
  const other = await reportOf({ ...before, world: worldWith([web], { image: 'registry.example/hello:3' }) })
  expect(other.release).toMatchObject({ spec: { number: 3 } })
})

it('a spec that is invalid later leaves what runs, and says so', async () => {
  const world = worldWith([web], { stack: { revision: 'app-hello-r9-bad000' } })
  const spec = { stack: 'app-hello', number: 9, services: [{ ...web, replicas: 2 }] }
  const metadata = { name: 'app-hello-r9-bad000', namespace: 'team' }
  const bad = { apiVersion: 'appstead.dev/v1alpha1', kind: 'AppStackRevision', metadata, spec } as KubeObject
  const happenings = [{}, { rollout: ready }, { rollout: ready, isRolledOut: true, world, more: [bad] }]
  expect((await tell(happenings)).at(-1)).toBe('Invalid W:MainReplicasInStack')
})

it('an override says how a service scales, whatever kind its stack has; a number beside autoscaling of main is ignored', async () => {
  const autoscaling = { min: 2, max: 6, cpu: 70 }
  const jobs = { name: 'jobs', type: 'Worker', image: 'registry.example/jobs:1' }
  const scales = async (stack: object, override: object): Promise<unknown> => {
    const services = [
      { ...web, autoscaling },
      { ...jobs, ...stack },
    ]
    const { release } = await reportOf({
      world: worldWith(services, { replicas: 3, services: [{ name: 'jobs', ...override }] }),
    })
    return release?.spec.services.map(({ replicas, autoscaling: between }) => replicas ?? between)
  }
  expect(await scales({ replicas: 2 }, { autoscaling })).toEqual([autoscaling, autoscaling])
  expect(await scales({ autoscaling }, { replicas: 4 })).toEqual([autoscaling, 4])
  expect(await scales({ autoscaling }, {})).toEqual([autoscaling, autoscaling])
})
