import * as fc from 'fast-check'
import type { AppInstance, AppInstanceStatus } from '../../../operator/api/appInstance.ts'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import type { ResolvedService } from '../../../operator/api/service/resolvedService.ts'
import type { Reason } from '../../../operator/api/conditions.ts'
import { reasons } from '../../../operator/api/conditions.ts'
import { labels } from '../../../operator/api/meta.ts'
import type { Applied } from '../../../operator/apply/execute.ts'
import type { Contest } from '../../../operator/apply/fights.ts'
import { podDigest } from '../../../operator/controllers/digests.ts'
import type { Objection } from '../../../operator/controllers/appInstance/gates.ts'
import type { Observed } from '../../../operator/controllers/appInstance/observe.ts'
import type { Findings } from '../../../operator/controllers/appInstance/report.ts'
import { report } from '../../../operator/controllers/appInstance/report.ts'
import { makeDeployment } from '../../../operator/render/deployment.ts'
import { changesBetween } from '../../../operator/render/changes.ts'
import { makeRelease } from '../../../operator/render/release.ts'
import type { ObservedPod } from '../../../operator/status/observed.ts'
import type { ServiceRollout } from '../../../operator/status/rollout.ts'
import { now } from '../../render/world.ts'

/** Every situation an instance can be reported in, hostile texts included. */
export interface Case {
  readonly seen: Observed
  readonly found: Findings
}

const uid = '33333333-3333-4333-8333-333333333333'
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 2000 }),
  fc.string({ unit: 'grapheme', maxLength: 50 }),
  fc.constantFrom('', '💥'.repeat(1500), 'x'.repeat(5000), '__proto__', '\u0000\n\t'),
)
const name = fc.oneof(fc.stringMatching(/^[a-z][a-z0-9]{0,29}$/), fc.stringMatching(/^[a-z][a-z0-9]{29}$/))
const image = fc.oneof(
  fc.constant('registry.example/web:1'),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{500,511}$/),
)
const replicas = fc.integer({ min: 1, max: 10 })

const services = fc
  .uniqueArray(fc.record({ name, image, replicas }), { minLength: 1, maxLength: 50, selector: (each) => each.name })
  .map((list) =>
    list.map((each, index): ResolvedService => ({
      ...each,
      type: 'Web',
      main: index === 0,
      ports: [{ name: 'http', port: 8080, protocol: 'HTTP' }],
      variables: [],
      files: [],
      resources: {},
      rollout: { progressDeadlineSeconds: 300, drainSeconds: 10, terminationGracePeriodSeconds: 30 },
      generatedSecrets: [],
    })),
  )

const waitingReason = fc.constantFrom(
  'ErrImagePull',
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'ContainerCreating',
)

function podOf(service: string): fc.Arbitrary<ObservedPod> {
  return fc
    .record({
      phase: fc.constantFrom('Pending', 'Running', 'Failed'),
      ready: fc.boolean(),
      waiting: fc.option(fc.record({ reason: waitingReason, message: hostile }), { nil: undefined }),
      terminated: fc.option(fc.record({ exitCode: fc.nat(255), message: hostile }), { nil: undefined }),
      unschedulable: fc.option(hostile, { nil: undefined }),
      isLeaving: fc.boolean(),
    })
    .map(({ phase, ready, waiting, terminated, unschedulable, isLeaving }) => {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: `${service}-x`,
          labels: { [labels.service]: service },
          ...(isLeaving && { deletionTimestamp: now.toISOString() }),
        },
        status: {
          phase,
          conditions: [
            { type: 'Ready', status: ready ? 'True' : 'False' },
            ...(unschedulable === undefined
              ? []
              : [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: unschedulable }]),
          ],
          containerStatuses: [{ state: { waiting }, lastState: { terminated } }],
        },
      }
      return { ...pod, ...podDigest(pod) }
    })
}

/** What the gates can object: of the reasons for work under way, only the namespace and a refused write. */
const objectionReasons = (Object.keys(reasons) as Reason[]).filter(
  (reason) =>
    ['blocked', 'invalid', 'failed'].includes(reasons[reason].class) ||
    reason === 'NamespaceTerminating' ||
    reason === 'Forbidden',
)

const failureReason = fc.constantFrom<Reason>('RolloutDeadlineExceeded', 'ImagePullFailed', 'CrashLoop')

const objection: fc.Arbitrary<Objection | undefined> = fc.option(
  fc
    .tuple(fc.constantFrom(...objectionReasons), hostile)
    .map(
      ([reason, message]) =>
        ({ kind: reasons[reason].class, reason, message, by: 'App/x', field: 'spec' }) as Objection,
    ),
  { nil: undefined, freq: 2 },
)

const succeeded = { status: { conditions: [{ type: 'Succeeded', status: 'True', reason: 'RolledOut' }] } }

/** Situations of one instance with these services. */
const situation = services.chain((list) =>
  fc
    .record({
      generation: fc.integer({ min: 1, max: 9 }),
      hasRelease: fc.boolean(),
      wasComplete: fc.boolean(),
      isAllComplete: fc.boolean(),
      rows: fc.array(fc.record({ ready: fc.nat(10), isComplete: fc.boolean(), isLate: fc.boolean() }), {
        minLength: list.length,
        maxLength: list.length,
      }),
      pods: fc.array(fc.constantFrom(...list.map((each) => each.name)).chain(podOf), { maxLength: 8 }),
      objection,
      scaled: fc.boolean(),
      suspend: fc.option(fc.constant(true as const), { nil: undefined, freq: 2 }),
      fight: fc.option(fc.record({ manager: hostile, paths: fc.array(hostile, { maxLength: 5 }) }), {
        nil: undefined,
        freq: 2,
      }),
      altered: fc.option(fc.array(hostile, { maxLength: 5 }), { nil: undefined, freq: 2 }),
      waits: fc.boolean(),
      failure: fc.option(fc.record({ reason: failureReason, message: hostile, isNewest: fc.boolean() }), {
        nil: undefined,
        freq: 2,
      }),
      latest: fc.constantFrom('app-a-r1-aaaaaa', `${'a'.repeat(60)}-r2-bbbbbb`),
    })
    .map((each): Case => caseOf(list, each)),
)

interface Parts {
  readonly generation: number
  readonly hasRelease: boolean
  readonly wasComplete: boolean
  readonly isAllComplete: boolean
  readonly rows: readonly { ready: number; isComplete: boolean; isLate: boolean }[]
  readonly pods: readonly ObservedPod[]
  readonly objection: Objection | undefined
  readonly scaled: boolean
  readonly suspend: true | undefined
  /** Who undoes what is written to the first service's Deployment, and where. */
  readonly fight: Contest | undefined
  /** Where the API server stores it otherwise. */
  readonly altered: readonly string[] | undefined
  /** Whether the last service waits for the first. */
  readonly waits: boolean
  /** How the release of what is declared failed; `isNewest`: a good one before it is there. */
  readonly failure: { reason: Reason; message: string; isNewest: boolean } | undefined
  readonly latest: string
}

/** One of them. */
export function caseOf(list: readonly ResolvedService[], parts: Parts): Case {
  const instance: AppInstance = {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { name: 'a-dev', namespace: 'team', uid, generation: parts.generation },
    spec: {
      app: 'a',
      env: 'dev',
      replicas: 1,
      creationDeadlineSeconds: 600,
      deletionDeadlineSeconds: 600,
      ...(parts.suspend && { suspend: true }),
    },
  }
  const wanted = { services: list, stackRevision: 'app-a-r1-aaaaaa' }
  const made = { ...makeRelease(instance, wanted, { changes: [] }), ...(parts.wasComplete && succeeded) } as AppRelease
  const release = parts.hasRelease || !parts.objection ? made : undefined
  const more = list.map((service) => ({ ...service, replicas: ((service.replicas ?? 1) % 10) + 1 }))
  const changes =
    parts.scaled && release && !parts.objection ? changesBetween(made.spec, { ...wanted, services: more }) : []
  const latest = { metadata: { name: parts.latest } }
  return {
    seen: {
      instance,
      latest,
      releases: release ? [release] : [],
      deployments: new Map(),
      pods: parts.pods,
      jobPods: [],
      claims: new Map(),
      early: new Map(),
      storageClasses: [],
      owned: [],
      projectUid: 'p',
      hubUid: 'h',
    } as unknown as Observed,
    found: {
      objection: parts.objection,
      release,
      changes,
      failed: release && !parts.objection ? failedOf(made, parts) : undefined,
      applied: release && appliedOf(list, parts),
      rollout: release ? list.map((service, index) => rolloutOf(service, parts.rows[index]!, parts)) : [],
    },
  }
}

/** As status/rollout.ts tells of it: complete is a service whose replicas, all that are asked for, are ready. */
function rolloutOf(
  service: ResolvedService,
  row: Parts['rows'][number],
  { suspend, isAllComplete }: Parts,
): ServiceRollout {
  const desired = suspend ? 0 : (service.replicas ?? 1)
  const isComplete = isAllComplete || row.isComplete
  return {
    service,
    desired,
    ready: isComplete ? desired : row.ready,
    isComplete,
    isDeadlineExceeded: !isAllComplete && row.isLate,
  }
}

function failedOf(release: AppRelease, { failure }: Parts): AppRelease | undefined {
  if (!failure) return undefined
  const { reason, message, isNewest } = failure
  const conditions = [{ type: 'Succeeded', status: 'False', reason, message: message.slice(0, 1000) }]
  const spec = { ...release.spec, number: isNewest ? 42 : 1 }
  return { ...release, spec, status: { conditions } } as unknown as AppRelease
}

function appliedOf(list: readonly ResolvedService[], { fight, altered, waits }: Parts): Applied {
  const owner = { app: 'a', env: 'dev', instance: 'a-dev', project: 'team' }
  const desired = makeDeployment(owner, { ...list[0]!, asked: 1 })
  const last = makeDeployment(owner, { ...list.at(-1)!, asked: 1 })
  return {
    created: [],
    changed: [],
    pruned: [],
    drifted: [],
    waiting: waits && list.length > 1 ? [{ desired: last, for: [list[0]!.name] }] : [],
    altered: altered ? [{ desired, paths: altered, isNew: false }] : [],
    contested: fight ? [{ desired, contest: fight, retryAfterSeconds: 30 }] : [],
  }
}

export const situations: fc.Arbitrary<Case> = situation

/** The case with the status that was written before. */
export function after(each: Case, status: AppInstanceStatus | undefined): Case {
  const instance = { ...each.seen.instance, ...(status && { status }) }
  return { ...each, seen: { ...each.seen, instance } }
}

export function statusOf({ seen, found }: Case, time = now): AppInstanceStatus {
  return report(seen, found, time).status!
}
