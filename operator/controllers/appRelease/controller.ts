import type { AppEnv } from '../../api/appEnv.ts'
import { appEnvKind } from '../../api/appEnv.ts'
import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { AppRelease, AppReleaseStatus } from '../../api/appRelease.ts'
import { appReleaseKind } from '../../api/appRelease.ts'
import type { ActionRecord } from '../../api/service/actionRecord.ts'
import { deploymentType, jobType, podType } from '../../api/builtin.ts'
import type { KubeObject, Ref } from '../../api/meta.ts'
import { labels, refOf } from '../../api/meta.ts'
import { fightsOf } from '../../apply/fights.ts'
import { ownerOf } from '../../render/appInstance.ts'
import { isSuspended, runningServices } from '../../render/scaling.ts'
import type { Controller, Ctx, Reader, Report } from '../../runtime/controller.ts'
import { podSightSeconds, recordOf } from '../../status/actions.ts'
import type { ObservedPod } from '../../status/observed.ts'
import { conditionsOf } from '../../status/conditions.ts'
import { newestPods, serviceCause } from '../../status/causes.ts'
import { healthCause } from '../../status/health.ts'
import { isDecided, releaseVerdict } from '../../status/appRelease.ts'
import type { ActionJobs } from '../actions.ts'
import { actionJobsOf, mayAct, pendingAction, releaseOfJob, sightsOf } from '../actions.ts'
import { releasesOf } from '../releases.ts'
import { servicesReleased } from '../revisions.ts'
import { boundsOf, deploymentsOf, followRollout, probesOf } from '../rollout.ts'
import { storageOf } from '../storage.ts'

/** What the API server makes of a Deployment is learnt from an answer (fights): no event need follow. */
const secondLookSeconds = 30

/**
 * An AppRelease: how the deployment it records went, and each of its actions. Once it has succeeded, failed or was
 * superseded, that stays.
 */
export const appRelease: Controller<AppRelease, AppReleaseStatus> = {
  kind: appReleaseKind,
  placedBy: (release, hub) => hub.get<AppInstance>(appInstanceKind, instanceRef(release)),
  watches: [
    {
      type: appReleaseKind,
      keys: (object, cache) => undecided(cache, { ...refOf(object), name: (object as AppRelease).spec.instance }),
    },
    // One that was not in view yet says on which cluster its release is to be looked at.
    { type: appInstanceKind, ignoresStatus: true, keys: (object, cache) => undecided(cache, refOf(object)) },
    { type: deploymentType, place: 'target', keys: (object, cache) => undecided(cache, instanceOf(object)) },
    // That of a release that is decided may still be under way, or begin only then.
    { type: jobType, place: 'target', keys: (object) => ofJob(object) },
  ],

  async reconcile(ctx, release): Promise<Report<AppReleaseStatus>> {
    const { cache, target, now } = ctx
    const instance = cache.get<AppInstance>(appInstanceKind, instanceRef(release))
    if (instance?.metadata.uid !== release.spec.instanceUid) return { outcome: { kind: 'settled' } }
    const releases = releasesOf(cache, instanceRef(release), release.spec.instanceUid)
    const seen = actionJobsOf(target.cache, instance.metadata.name)
    const isOver = isDecided(release, releases)
    if (isOver && !hasActionsUnderWay(release, seen)) return { outcome: { kind: 'settled' } }
    const actions = await recordsOf(ctx, release, seen)
    const recorded = withActions(release, actions)
    const deployments = deploymentsOf(target.cache, instance.metadata.name)
    const env = cache.get<AppEnv>(appEnvKind, { namespace: '', name: instance.spec.env })
    const bounds = boundsOf(target.cache, instance.metadata.name)
    const stack = servicesReleased(cache, release)
    const services = runningServices({ instance, env, release, stack, deployments, bounds })
    const fights = fightsOf(target.cache)
    const rollout = followRollout(ownerOf(instance), { release, services }, releases, deployments, fights)
    const { name: namespace } = instance.metadata
    const pods = target.cache.byIndex<ObservedPod>(podType, 'namespace', namespace)
    const probes = probesOf(target.cache, namespace)
    const storage = storageOf(target.cache, namespace, now)
    const verdict = releaseVerdict(
      recorded,
      releases,
      rollout(),
      ({ service }) =>
        serviceCause(service, namespace, { pods, deployments, probes, ...storage }) ??
        healthCause(service, newestPods(service, pods, deployments)),
      pendingAction(recorded, seen),
    )
    // That all its services went to no replica says nothing about it: it goes on when they come back.
    const isHeld = isSuspended(instance) && verdict.reason !== 'Superseded'
    const generation = release.metadata.generation ?? 0
    const before = release.status?.conditions ?? []
    const conditions = isOver || isHeld ? before : conditionsOf(before, { Succeeded: verdict }, generation, now)
    const isRunning = actions.some(({ state }) => state === 'Running')
    return {
      status: {
        observedGeneration: generation,
        conditions,
        ...(actions.length > 0 && { actions }),
      },
      outcome:
        isRunning || (verdict.status === 'Unknown' && !isHeld)
          ? { ...verdict, kind: 'progressing', retryAfterSeconds: isRunning ? podSightSeconds : secondLookSeconds }
          : { kind: 'settled' },
    }
  },
}

function withActions(release: AppRelease, actions: readonly ActionRecord[]): AppRelease {
  return { ...release, status: { observedGeneration: -1, ...release.status, actions } }
}

/** Whether there is more to be recorded of its actions: one is, or was when last looked at, under way. */
function hasActionsUnderWay(release: AppRelease, seen: ActionJobs): boolean {
  return sightsOf(release, seen).some(({ record, observed }) =>
    record ? record.state === 'Running' : observed !== undefined,
  )
}

/** What is to be recorded of a release's actions; that a Job is gone only after a live look. */
async function recordsOf({ target, now }: Ctx, release: AppRelease, seen: ActionJobs): Promise<ActionRecord[]> {
  const records: ActionRecord[] = []
  for (const sight of sightsOf(release, seen)) {
    const { record, observed, namespace, job } = sight
    const isMissing = record?.state === 'Running' && !observed
    const isThere = isMissing && (await target.kube.getLive(jobType, { namespace, name: job })) !== undefined
    const next = isThere ? record : recordOf(sight, now)
    if (next) records.push(next)
  }
  return records
}

/** What an event of a release or a Deployment may decide: the releases of its instance that are under way. */
function undecided(cache: Reader, instance: Ref): Ref[] {
  const uid = cache.get(appInstanceKind, instance)?.metadata.uid
  const releases = releasesOf(cache, instance, uid)
  return releases.filter((release) => !isDecided(release, releases) || mayAct(release)).map(refOf)
}

function instanceRef(release: AppRelease): Ref {
  return { ...refOf(release), name: release.spec.instance }
}

function instanceOf({ metadata }: KubeObject): Ref {
  return { namespace: metadata.labels?.[labels.project] ?? '', name: metadata.labels?.[labels.instance] ?? '' }
}

function ofJob(job: KubeObject): Ref[] {
  const name = releaseOfJob(job)
  return name === '' ? [] : [{ namespace: job.metadata.labels?.[labels.project] ?? '', name }]
}
