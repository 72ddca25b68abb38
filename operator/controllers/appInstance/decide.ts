import { accessRoleName, accessRoles } from '../../api/access.ts'
import { shortHash } from '../../api/canonical.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import {
  deploymentType,
  horizontalPodAutoscalerType,
  jobType,
  resourceQuotaType,
  roleBindingType,
} from '../../api/builtin.ts'
import type { Reason } from '../../api/conditions.ts'
import { desiredDigest } from '../../apply/digest.ts'
import type { Standing } from '../../apply/execute.ts'
import { identityOf, type Fights } from '../../apply/fights.ts'
import type { Desired, Plan } from '../../render/plan.ts'
import type { Change, Declared } from '../../render/changes.ts'
import { asksForRelease, changesBetween } from '../../render/changes.ts'
import { makeRelease, rescaled, withRestarts } from '../../render/release.ts'
import type { Requests } from '../../render/requests.ts'
import { requestsOf, unhandled } from '../../render/requests.ts'
import { ownerOf, renderInstance } from '../../render/appInstance.ts'
import { resourceQuotaName } from '../../render/names.ts'
import { deployRulesOf } from '../../render/resolve/deploy.ts'
import { recordedReferences } from '../../render/resolve/references.ts'
import { resolve } from '../../render/resolve/resolve.ts'
import type { RunningService } from '../../api/service/resolvedService.ts'
import { isSuspended, runningServices, scaleText } from '../../render/scaling.ts'
import { hasFailed, hasSucceeded, releaseToRun } from '../../status/appRelease.ts'
import type { ObservedDeployment } from '../../status/observed.ts'
import type { ServiceRollout } from '../../status/rollout.ts'
import { isUnderWay, otherJobs } from '../actions.ts'
import { jobsToKeep } from '../actionTasks.ts'
import { hashOnce } from '../rollout.ts'
import { hasLostCopies } from './copies.ts'
import type { Objection } from './gates.ts'
import { firstObjection } from './gates.ts'
import { claimOf, type Observed } from './observe.ts'

/** What is to be done about an instance, before anything is written. */
export interface Decision {
  readonly objection: Objection | undefined
  /** The release that is to run as long as no other one is made; undefined before the first. */
  readonly running: AppRelease | undefined
  /** Accepted changes that are not released now. */
  readonly changes: readonly Change[]
  /** The release of what is declared, when it failed: not tried again by itself. */
  readonly failed: AppRelease | undefined
  /** The release to make; undefined when none is due. */
  readonly next: AppRelease | undefined
}

/** Decides by what was observed alone. Pure: the reconciler, the golden tests and previews are this one function. */
export function decide(seen: Observed): Decision {
  const objection = firstObjection(seen)
  const { instance, wanted, revision, releases } = seen
  const running = releaseToRun(releases)
  const idle = { objection, running, changes: [], failed: undefined, next: undefined }
  if (objection || !wanted || !revision) return idle
  const stackRevision = revision.metadata.name
  const { services, sources } = wanted
  if (!running) {
    if (isSuspended(instance)) return idle
    return { ...idle, next: makeRelease(instance, { services, stackRevision, sources }, { changes: [] }) }
  }
  const declared = { services: withRestarts(services, running), stackRevision, sources }
  const changes = changesBetween(runs(seen, running), declared)
  const isDue = isReleaseDue(seen, running, changes)
  const failed = isDue ? failureOf(declared, releases) : [running].find(hasFailed)
  const waits = { ...idle, changes, failed }
  return isSuspended(instance) ? waits : { ...waits, ...dueNow(seen, running, declared, { isDue, failed }) }
}

/** The release that is to be made now of what is declared or asked for; nothing when none is. */
function dueNow(
  seen: Observed,
  running: AppRelease,
  declared: Declared,
  { isDue, failed }: { readonly isDue: boolean; readonly failed: AppRelease | undefined },
): Partial<Decision> {
  const { instance, env, releases } = seen
  const asked = unhandled(requestsOf(instance), releases[0])
  const mayDeploy = isDue && !failed && deployRulesOf(instance, env).trigger !== 'Manual'
  // Whatever the trigger: what runs cannot be put right any more.
  const isDeployed = asked.deploy !== undefined || mayDeploy || hasLostCopies(seen, running)
  if (!isDeployed && asked.restart === undefined) return {}
  const content = isDeployed ? declared : rescaled(running, declared)
  return { changes: [], failed: undefined, next: releaseOf(seen, running, content, asked) }
}

/** The release of this content in the place of the one that runs. */
function releaseOf(
  { instance, releases }: Observed,
  running: AppRelease,
  content: Declared,
  asked: Requests,
): AppRelease {
  const newest = releases[0] ?? running
  const number = newest.spec.number + 1
  // What failed where it stands, or is to be started anew, differs in nothing else: only new pods begin a new try.
  const isRestarted = asked.restart !== undefined || hasFailed(running)
  const services = isRestarted ? content.services.map((service) => ({ ...service, restart: number })) : content.services
  const changes = changesBetween(running.spec, content)
  // What runs was declared then; what is declared now still waits.
  const generation = asked.deploy === undefined && !asksForRelease(changes) ? running.spec.generation : undefined
  const good = releases.find(hasSucceeded)
  const occasion = { newest, good, changes, asked, ...(generation !== undefined && { generation }) }
  return makeRelease(instance, { ...content, services }, occasion)
}

/** The last release of just this, whatever the numbers of replicas, if it failed. */
function failureOf(declared: Declared, releases: readonly AppRelease[]): AppRelease | undefined {
  const tried = releases
    .filter((release) => hasSucceeded(release) || hasFailed(release))
    .find((release) => !asksForRelease(changesBetween(release.spec, declared)))
  return tried && hasFailed(tried) ? tried : undefined
}

/** Whether what changed asks for a release; what a Secret or ConfigMap alone changed does only if the instance says so. */
function isReleaseDue(seen: Observed, running: AppRelease, changes: readonly Change[]): boolean {
  if (!asksForRelease(changes)) return false
  const { input, instance, env, revision } = seen
  if (deployRulesOf(instance, env).onSecretChange === 'Immediate' || !input || !revision) return true
  // With the Secrets as they were: what differs then, was changed by people.
  const { unread, obstacles, ...then } = resolve({ ...input, references: recordedReferences(running.spec.sources) })
  const isNew = unread.length > 0 || obstacles.length > 0
  const services = withRestarts(then.services, running)
  return isNew || asksForRelease(changesBetween(running.spec, { services, stackRevision: revision.metadata.name }))
}

/** The services of a release as they are to run now. Pure. */
export function runningOf(seen: Observed, release: AppRelease): RunningService[] {
  const { instance, env, stacks, deployments, bounds } = seen
  return runningServices({ instance, env, release, stack: stacks.get(release.spec.stackRevision), deployments, bounds })
}

/** What a release has become by the numbers that took effect beside it, whether or not they run now. */
function runs(seen: Observed, release: AppRelease): Declared {
  const services = runningOf(seen, release).map(({ asked: _asked, ...service }) => service)
  return { services, stackRevision: release.spec.stackRevision }
}

/** Of an App that is gone nobody knows who had access: it stays. */
const bindings = accessRoles.map((role) => ({ type: roleBindingType, name: accessRoleName(role) }))

/** Nor of an AppEnv how much it let its instances have. */
const resourceQuota = { type: resourceQuotaType, name: resourceQuotaName }

/** What should exist when `release` runs. Pure. */
export function planOf(seen: Observed, release: AppRelease): Plan {
  const { instance, app, env, releases: kept, claims, jobs, asked } = seen
  const claim = claimOf(seen)
  const services = runningOf(seen, release)
  const access = app?.spec.access ?? []
  const quota = env?.spec.defaults?.quota
  const replaced = sinceGood(kept)
  const owner = ownerOf(instance)
  const { stages, keep } = renderInstance({ owner, claim, release, services, kept, access, quota, replaced, claims })
  for (const { objects } of stages) for (const desired of objects) hashOnce(release, desired)
  const names = [...jobs.filter(isUnderWay).map(({ metadata }) => metadata.name), ...jobsToKeep(asked)]
  const keptJobs = names.map((name) => ({ type: jobType, name }))
  return { stages, keep: [...keep, ...keptJobs, ...(app ? [] : bindings), ...(env ? [] : [resourceQuota])] }
}

/** The last good release and those after it; all where none was good. */
function sinceGood(releases: readonly AppRelease[]): readonly AppRelease[] {
  const good = releases.findIndex(hasSucceeded)
  return good === -1 ? releases : releases.slice(0, good + 1)
}

/** What the plan of `release` is applied by, besides what was observed: who waits for whom, and what was tried before. */
export function standingOf(
  seen: Observed,
  release: AppRelease,
  rollout: () => readonly ServiceRollout[],
  fights: Fights,
  now: Date,
): Standing {
  return {
    fights,
    now,
    of: renderedFrom(seen, release),
    wasInPlace: inPlaceBefore(seen, release),
    isIdle: (name) => isIdle(seen.deployments.get(name)),
    isToScale: (desired) => isToScale(seen, desired),
    // Asked anew each time: a write of this very reconcile may have shown what the API server makes of a Deployment.
    isRolledOut: (name) => rollout().some(({ service, isComplete }) => service.name === name && isComplete),
    recordOf: (job) => release.status?.actions?.find((each) => each.job === job)?.state,
    mayRun: otherJobs(release, seen).length === 0 && !isSuspended(seen.instance),
  }
}

/** What planOf renders from, as one text: where it is another one, what differs is asked for, and no drift. */
function renderedFrom(seen: Observed, release: AppRelease): string {
  const { app, env, releases } = seen
  const numbers = scaleText(runningOf(seen, release))
  const replaced = sinceGood(releases).map(({ metadata }) => metadata.uid ?? '')
  return shortHash([release.metadata.uid ?? '', numbers, app?.spec.access, env?.spec.defaults?.quota, replaced], 16)
}

/** That it asks for no replica is our doing: that of another is put right. */
function isIdle(deployment: ObservedDeployment | undefined): boolean {
  return deployment?.replicas === 0 && deployment.isScaledByUs
}

/**
 * Whether the live Deployment holds the values that would be rendered for the very number it asks for, all of them ours;
 * or, where an autoscaler of ours scales it, all but that number.
 */
function isToScale({ deployments, owned }: Observed, { type, object }: Desired): boolean {
  const { name } = object.metadata
  const live = type === deploymentType ? deployments.get(name) : undefined
  if (!live) return false
  const { replicas: _replicas, ...spec } = (object as { spec?: { replicas?: number } }).spec ?? {}
  const isAutoscaled = owned.some(
    (each) => each.type === horizontalPodAutoscalerType && each.object.metadata.name === name,
  )
  const isTheirs = isAutoscaled && !live.isScaledByUs
  const asItIs = { ...object, spec: isTheirs ? spec : { ...spec, replicas: live.replicas } }
  return desiredDigest(asItIs) === live.digest
}

/**
 * Tells of what `release` renders whether it was in place once: with that release if it is a good one, else with the
 * last good one before it; and whether each since, such as one that failed, has rendered it so.
 */
function inPlaceBefore(seen: Observed, release: AppRelease): (desired: Desired) => boolean {
  const { releases } = seen
  const good = hasSucceeded(release) ? releases.indexOf(release) : releases.findIndex(hasSucceeded)
  // What is asked about is rendered by `release` itself.
  const since = releases.slice(0, good + 1).filter((each) => each !== release)
  if (since.length === 0) return () => hasSucceeded(release)
  let known: readonly ReadonlyMap<string, string>[] | undefined
  return (desired) => {
    known ??= since.map((each) => digestsOf(planOf(seen, each)))
    const digest = desiredDigest(desired.object)
    return known.every((digests) => digests.get(identityOf(desired)) === digest)
  }
}

function digestsOf({ stages }: Plan): ReadonlyMap<string, string> {
  const objects = stages.flatMap((stage) => stage.objects)
  return new Map(objects.map((desired) => [identityOf(desired), desiredDigest(desired.object)]))
}

/**
 * Whether the plan may be applied. What ran, runs and is repaired while something is missing or invalid; nothing is
 * touched in a namespace that is not ours or is going away, nor what a newer operator rendered in a way we do not know.
 */
export function mayApply({ namespace }: Observed, objection: Objection | undefined): boolean {
  return !(objection && untouchable.has(objection.reason)) && !namespace?.metadata.deletionTimestamp
}

const untouchable: ReadonlySet<Reason> = new Set(['NamespaceConflict', 'NamespaceTaken', 'ReleaseFromNewerOperator'])
