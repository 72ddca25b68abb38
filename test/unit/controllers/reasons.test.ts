import { describe, expect, it } from '@jest/globals'
import type { AppInstance } from '../../../operator/api/appInstance.ts'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import type { Reason } from '../../../operator/api/conditions.ts'
import { reasons } from '../../../operator/api/conditions.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { annotations, labels } from '../../../operator/api/meta.ts'
import { cleanup } from '../../../operator/controllers/appInstance/cleanup.ts'
import type { ObservedPod } from '../../../operator/status/observed.ts'
import type { Cause } from '../../../operator/status/pods.ts'
import { healthCause } from '../../../operator/status/health.ts'
import type { ResolvedService } from '../../../operator/api/service/resolvedService.ts'
import { actionJobName } from '../../../operator/render/names.ts'
import { locked } from '../../../operator/controllers/appInstance/creation.ts'
import { observe } from '../../../operator/controllers/appInstance/observe.ts'
import { report, type Findings } from '../../../operator/controllers/appInstance/report.ts'
import { makeTask } from '../../../operator/render/task.ts'
import { taskStatus } from '../../../operator/status/appTask.ts'
import { failureOf, type Failure } from '../../../operator/status/errored.ts'
import { releaseVerdict } from '../../../operator/status/appRelease.ts'
import { inUseVerdicts } from '../../../operator/status/inUse.ts'
import { publishedVerdicts, revisionTakenVerdicts } from '../../../operator/status/published.ts'
import { ctxOf, now, readerOf, stored } from '../../render/world.ts'
import { secrets } from './allowedSecrets.ts'
import { askFor, AskedWorld } from './askedWorld.ts'
import { claimOf, objects, reportOf, worldWith, type Happening } from './instance.ts'

/** Each reason with what makes it; a reason that is not here does not compile, one that is not made fails. */

const web = { name: 'web', ports: [{ port: 8080 }] }
const refersTo = (name: string, key: string): object => ({
  ...web,
  variables: [{ name: 'A', valueFrom: { secretKeyRef: { name, key } } }],
})
const waiting = (reason: string, message = 'why'): Happening => ({
  container: { state: { waiting: { reason, message } } },
})

const revision = (name: string, stack: string): KubeObject =>
  ({
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppStackRevision',
    metadata: { name, namespace: 'team' },
    spec: { stack, number: 1, services: [web] },
  }) as KubeObject

const namespace = (metadata: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: 'hello-dev',
    labels: { [labels.instance]: 'hello-dev', [labels.project]: 'team' },
    annotations: { [annotations.projectUid]: 'project', [annotations.hubUid]: 'hub' },
    ...metadata,
  },
})

/** Somebody else undoes what is written to the namespace. */
const contested: Happening['applied'] = (plan) => {
  const desired = plan.stages[0]!.objects[0]!
  return {
    contested: [{ desired, contest: { paths: ['metadata.labels'], manager: 'kubectl' }, retryAfterSeconds: 30 }],
  }
}

const data = { name: 'data', path: '/data', size: '1Gi' }
const onePod = { ...data, accessMode: 'ReadWriteOncePod' }
const safe = { ...web, healthCheck: { path: '/' } }

const askingWeb = { name: 'A', valueFrom: { link: { service: 'web', key: 'colour' } } }
const small = { type: 'dev', defaults: { quota: { requests: { cpu: '10m' } } } }

/** Too large for a release, though no field of it is. */
const files = Array.from({ length: 4 }, (_, index) => ({ path: `/f${index}`, content: '"'.repeat(65_000) }))

async function reasonsIn(happening: Happening): Promise<readonly string[]> {
  const { status } = await reportOf(happening)
  return (status?.conditions ?? []).map(({ reason }) => reason)
}

async function current(): Promise<AppRelease> {
  return (await reportOf({})).release!
}

async function ofNewerOperator(): Promise<AppRelease> {
  const release = await current()
  return { ...release, spec: { ...release.spec, renderVersion: 1000 } }
}

/** A pod that nobody says is ready. */
const running = { service: 'web', isReady: false, phase: 'Running' } as ObservedPod

const late = { isDeadlineExceeded: true }

async function checked(): Promise<ResolvedService> {
  const healthCheck = { path: '/healthz', port: 'http', timeoutSeconds: 5, startupSeconds: 60 }
  return { ...(await current()).spec.services[0]!, healthCheck }
}

/** A release of these services that failed, and the good one before it that serves. */
async function failedAfterGood(): Promise<Happening> {
  const good = await current()
  const services = good.spec.services.map((service) => ({ ...service, image: 'registry.example/hello:2' }))
  const conditions = [{ type: 'Succeeded', status: 'False', reason: 'CrashLoop', message: 'It crashed.' }]
  const metadata = { ...good.metadata, name: 'hello-dev-33333-r2' }
  const failed = { ...good, metadata, spec: { ...good.spec, number: 2, services }, status: { conditions } }
  const world = worldWith([web], { image: 'registry.example/hello:2' })
  return { world, releases: [good, failed as unknown as AppRelease], rollout: { isComplete: true, ready: 1 } }
}

async function ofRelease(number: number, rollout: object, cause?: Cause): Promise<readonly string[]> {
  const release = await current()
  const newer = { ...release, spec: { ...release.spec, number } }
  const row = { service: release.spec.services[0]!, desired: 1, ready: 0, isComplete: false, isDeadlineExceeded: false }
  return [releaseVerdict(release, [release, newer], [{ ...row, ...rollout }], () => cause).reason]
}

const migrating = [{ ...web, actions: [{ name: 'migrate', command: ['a'], run: 'BeforeDeploy' }] }]

/** The newest release runs an action, which stands so. */
async function ofAction(state: 'Running' | 'Failed'): Promise<readonly string[]> {
  const world = worldWith(migrating)
  const release = (await reportOf({ world })).release!
  const record = { service: 'web', name: 'migrate', job: actionJobName(release, 'web', 'migrate'), state }
  return reasonsIn({ world, releases: [{ ...release, status: { observedGeneration: 1, actions: [record] } }] })
}

async function ofCleanup(
  workingSeconds = 0,
  held = namespace({ deletionTimestamp: '2026-01-01T00:00:00Z' }),
  ...more: readonly KubeObject[]
): Promise<readonly string[]> {
  const { uid } = objects.instance.metadata
  const claimed = { ...held.metadata, annotations: { ...held.metadata.annotations, [annotations.instanceUid]: uid } }
  const metadata = { ...objects.instance.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' }
  const instance = stored({ ...objects.instance, metadata }) as unknown as AppInstance
  const cache = readerOf([
    objects.system,
    objects.project,
    objects.env,
    instance,
    { ...held, metadata: claimed },
    ...more,
  ])
  const { status } = await cleanup({ ...ctxOf(cache, () => undefined), workingSeconds }, instance)
  return (status?.conditions ?? []).map(({ reason }) => reason)
}

/** The status of a Task that ended so; and, when it failed, that of its instance. */
function ofTask(reason: Reason, status: 'True' | 'False'): Promise<readonly string[]> {
  const instance = objects.instance as unknown as AppInstance
  const task = makeTask(instance, 'Create', undefined)
  const progress = { steps: ['release'], at: 'release', hindrance: 'why', attempts: 1, instanceGeneration: 1 }
  const ended = { ...task, status: taskStatus(task, progress, { status, reason, message: 'why' }, now) }
  const reader = readerOf([objects.system, objects.project, instance, ended])
  const seen = observe({ cache: reader, target: { cache: reader }, now }, instance)
  const failure = failureOf(instance, seen.tasks)
  const own = (ended.status.conditions ?? []).map((condition) => condition.reason)
  if (!failure) return Promise.resolve(own)
  const { status: told } = report(seen, locked({ target: { cache: reader } }, seen, failure), now)
  expect(told?.error?.reason).toBe(reason)
  return Promise.resolve((told?.conditions ?? []).map((condition) => condition.reason))
}

/** What a user who asks for an action is told. */
async function ofAsked(spec: object, more: Partial<Findings> = {}): Promise<readonly string[]> {
  const world = await AskedWorld.with([askFor('seed-1', { spec })])
  await ('instance' in spec ? world.orphan('seed-1') : world.turn(more))
  return [world.told('seed-1').split(/[ :]/)[1] ?? '']
}

const of = (happening: Happening) => (): Promise<readonly string[]> => reasonsIn(happening)
const down = { rollout: { desired: 0, isComplete: true } }
const done = { rollout: { isComplete: true, ready: 1 } }

const makers: Readonly<Record<Reason, () => Promise<readonly string[]>>> = {
  Accepted: of({}),
  AllReady: of(done),
  Serving: of(done),
  RolledOut: of(done),
  Published: () => Promise.resolve(Object.values(publishedVerdicts('r')).map(({ reason }) => reason)),
  WaitsForDeployment: async () =>
    reasonsIn({ ...done, releases: [await current()], world: worldWith([web], { replicas: 3 }) }),
  Completed: () => ofTask('Completed', 'True'),
  WaitsForResume: async () => {
    const image = 'registry.example/hello:2'
    return reasonsIn({ ...down, releases: [await current()], world: worldWith([web], { suspend: true, image }) })
  },
  Suspended: of({ world: worldWith([web], { suspend: true }) }),
  Suspending: async () =>
    reasonsIn({ releases: [await current()], isRolledOut: true, world: worldWith([web], { suspend: true }) }),
  Scaling: async () => {
    const releases = [await current()]
    const rolledOut = { releases, isRolledOut: true }
    const { status } = await reportOf({ ...rolledOut, ...down, world: worldWith([web], { suspend: true }) })
    return reasonsIn({ ...rolledOut, ...(status && { before: status }) })
  },
  Superseded: () => ofRelease(2, {}),
  Creating: of({ world: { app: undefined } }),
  RollingOut: of({}),
  NotServing: of({}),
  Queued: () => ofAsked({}, { applied: undefined }),
  NotAllowed: () => ofAsked({}, { failure: {} as Failure }),
  InstanceNotFound: () => ofAsked({ instance: 'hello-dex' }),
  ActionNotFound: () => ofAsked({ action: { service: 'web', name: 'sed' } }),
  ReplicasNotReady: async () => reasonsIn({ releases: [await current()], isRolledOut: true }),
  WaitsForTrigger: async () =>
    reasonsIn({
      ...done,
      releases: [await current()],
      world: worldWith([web], { image: 'registry.example/hello:2', deploy: { trigger: 'Manual' } }),
    }),
  ReleaseFailed: async () => reasonsIn(await failedAfterGood()),
  HealthCheckFailed: async () => ofRelease(1, late, healthCause(await checked(), [running])),
  RolloutDeadlineExceeded: () => ofRelease(1, late),
  RunningActions: () => ofAction('Running'),
  ActionFailed: () => ofAction('Failed'),
  Terminating: () => ofCleanup(),
  NamespaceTerminating: of({ more: [namespace({ deletionTimestamp: 'now' })] }),
  Forbidden: of({ refusal: 'Forbidden' }),
  Contested: of({ applied: contested }),
  ImagePullFailed: of(waiting('ImagePullBackOff')),
  CrashLoop: of({
    container: { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1 } } },
  }),
  ConfigurationError: of(waiting('CreateContainerConfigError')),
  Unschedulable: of({ unschedulable: '0/1 nodes are available' }),
  AppNotFound: of({ world: { app: undefined } }),
  EnvNotFound: of({ world: { env: undefined } }),
  StackNotFound: of({ world: worldWith([], {}, 'name') }),
  RevisionNotFound: of({ world: worldWith([web], { stack: { revision: 'absent' } }) }),
  ReferenceNotFound: of({ world: worldWith([refersTo('absent', 'key')]) }),
  ReferenceNotAllowed: of({ world: worldWith([refersTo('other', 'key')]), more: secrets }),
  ReferenceKeyMissing: of({ world: worldWith([refersTo('db', 'absent')]), more: secrets }),
  ReferenceNotUsable: of({ world: worldWith([refersTo('db', 'binary')]), more: secrets }),
  TooManyVariables: of({
    world: worldWith([{ ...web, variablesFrom: [{ secretRef: { name: 'many' } }] }]),
    more: secrets,
  }),
  LinkKeyNotFound: of({ world: worldWith([web, { ...web, name: 'api', image: 'api:1', variables: [askingWeb] }]) }),
  QuotaExceeded: of({ world: { env: { ...objects.env, spec: small } as KubeObject } }),
  RevisionOfOtherStack: of({
    world: worldWith([web], { stack: { revision: 'other-r1' } }),
    more: [revision('other-r1', 'other')],
  }),
  ReleaseFromNewerOperator: async () => reasonsIn({ releases: [await ofNewerOperator()] }),
  InUse: () => Promise.resolve(Object.values(inUseVerdicts('m')).map(({ reason }) => reason)),
  RevisionNameTaken: () => Promise.resolve(Object.values(revisionTakenVerdicts('m')).map(({ reason }) => reason)),
  AutoUpgradeInProd: of({
    world: {
      ...worldWith([web], { stack: { autoUpgrade: true } }),
      env: { ...objects.env, spec: { type: 'prod' } } as KubeObject,
    },
  }),
  ImageMissing: of({ world: worldWith([web], { image: undefined }) }),
  MainReplicasInStack: of({ world: worldWith([{ ...web, replicas: 2 }]) }),
  ServiceNotFound: of({ world: worldWith([web], { services: [{ name: 'wep' }] }) }),
  MainServiceOverridden: of({ world: worldWith([web], { services: [{ name: 'web', replicas: 2 }] }) }),
  ServiceDisabled: of({
    world: worldWith(
      [
        { ...web, main: true },
        { ...web, name: 'api', image: 'api:1' },
        { ...web, name: 'shop', image: 'shop:1', dependsOn: ['api'] },
      ],
      { services: [{ name: 'api', enabled: false }] },
    ),
  }),
  ExternalMissing: of({ world: worldWith([web, { name: 'db', type: 'PostgreSQL' }]) }),
  ExternalNotPossible: of({
    world: worldWith([web], { services: [{ name: 'web', external: { secretName: 'db' } }] }),
  }),
  RequestAboveLimit: of({
    world: worldWith([{ ...web, resources: { limits: { cpu: '1' } } }], {
      services: [{ name: 'web', resources: { requests: { cpu: '2' } } }],
    }),
  }),
  NoReplicaLeft: of({ world: worldWith([{ ...web, rollout: { maxUnavailable: 1 } }]) }),
  VolumeConflict: of({ world: worldWith([{ ...web, volumes: [onePod] }], { replicas: 2 }) }),
  VolumeNotFound: of({
    world: worldWith([web], { services: [{ name: 'web', volumes: [{ name: 'data', size: '2Gi' }] }] }),
  }),
  VolumeShrunk: of({ world: worldWith([{ ...web, volumes: [data] }]), more: [claimOf({ size: '2Gi' })] }),
  VolumeImmutable: of({ world: worldWith([{ ...web, volumes: [data] }]), more: [claimOf({ mode: 'ReadWriteMany' })] }),
  ClaimUnbound: of({ world: worldWith([{ ...web, volumes: [data] }]), more: [claimOf({ phase: 'Pending' })] }),
  ClaimNotFound: of({ world: worldWith([{ ...web, volumes: [{ name: 'old', path: '/old', existingClaim: 'old' }] }]) }),
  NoInterruption: of({ world: worldWith([safe], { replicas: 2 }) }),
  ReplicaStopsFirst: of({ world: worldWith([{ ...safe, volumes: [onePod] }]) }),
  ReplicasShareNode: of({ world: worldWith([{ ...safe, volumes: [data] }]) }),
  NoHealthCheck: of({ world: worldWith([web], { replicas: 2 }) }),
  SingleReplica: of({ world: worldWith([safe]) }),
  ReleaseTooLarge: of({ world: worldWith([{ ...web, files }]) }),
  RefusedByServer: of({ refusal: 'Invalid' }),
  CleanupDeadlineExceeded: () => ofCleanup(10_000),
  ForeignClaim: () => ofCleanup(0, namespace({}), claimOf({ owner: 'others' })),
  ForceDeleted: () => ofTask('ForceDeleted', 'False'),
  InstanceDeleted: () => ofTask('InstanceDeleted', 'False'),
  NamespaceTaken: async () =>
    reasonsIn({ more: [namespace({ annotations: {} })], releases: [await current()], isRolledOut: true }),
  CreationDeadlineExceeded: () => ofTask('CreationDeadlineExceeded', 'False'),
  NamespaceConflict: of({ more: [namespace({ annotations: {} })] }),
}

describe('every reason is made by something', () => {
  it.each(Object.entries(makers))('%s', async (reason, make) => {
    expect(await make()).toContain(reason)
  })

  it('and has a class and a sentence for the reference', () => {
    for (const doc of Object.values(reasons)) {
      expect(['settled', 'progressing', 'blocked', 'invalid', 'failed']).toContain(doc.class)
      expect(doc.description).toMatch(/^[A-Z].*\.$/)
    }
    expect(Object.keys(makers).toSorted()).toEqual(Object.keys(reasons).toSorted())
  })

  it('and an outcome other than settled is of the class of its reason', async () => {
    const world = { app: undefined }
    const happenings: readonly Happening[] = [
      { world },
      { more: [namespace({ deletionTimestamp: 'now' })] },
      { more: [namespace({ annotations: {} })] },
      { refusal: 'Forbidden' },
      { refusal: 'Invalid' },
      { applied: contested },
      { world: worldWith([{ ...web, replicas: 2 }]) },
    ]
    for (const happening of happenings) {
      const { outcome } = await reportOf(happening)
      expect(outcome.kind === 'settled' ? '' : reasons[outcome.reason].class).toBe(outcome.kind)
    }
  })
})
