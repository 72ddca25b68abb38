import type { AppInstanceStatus } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import { labels } from '../../api/meta.ts'
import type { Applied, Refused } from '../../apply/execute.ts'
import { selectorText, serviceSelector } from '../../render/labels.ts'
import { ownerOf } from '../../render/appInstance.ts'
import { isSuspended } from '../../render/scaling.ts'
import { isProtected } from '../../render/resolve/deletion.ts'
import { effectiveOf } from '../../render/resolve/effective.ts'
import { serviceUrl } from '../../render/names.ts'
import type { EventRecord, Report } from '../../runtime/controller.ts'
import type { Outcome } from '../../runtime/outcome.ts'
import type { ReleaseSituation, Situation } from '../../status/appInstance.ts'
import { hasFailed, hasSucceeded } from '../../status/appRelease.ts'
import { instanceVerdicts } from '../../status/appInstance.ts'
import type { Verdicts } from '../../status/conditions.ts'
import { blockedBy } from '../../status/blocked.ts'
import { conditionsOf } from '../../status/conditions.ts'
import { costOf } from '../../status/cost.ts'
import type { Failure } from '../../status/errored.ts'
import { erroredStatus, failureEvents } from '../../status/errored.ts'
import { blamedBy, transitionsOf } from '../../status/events.ts'
import { phaseOf } from '../../status/phase.ts'
import { serviceCause } from '../../status/causes.ts'
import type { Cause } from '../../status/pods.ts'
import { compareCauses, countPods } from '../../status/pods.ts'
import { zeroDowntimeVerdict } from '../../status/zeroDowntime.ts'
import type { ServiceRollout } from '../../status/rollout.ts'
import { pendingAction } from '../actions.ts'
import { actionEvents, actionsOf, failuresAfter } from './actions.ts'
import { failedBlame, hinderedIn } from './blame.ts'
import { alteredEvents, alteredSentence, contestSentence, driftEvents, waitingSentences } from './applied.ts'
import { externalRows } from './external.ts'
import { isForeign, moveCommand, type Objection } from './gates.ts'
import { madeSince } from './made.ts'
import type { Observed } from './observe.ts'
import { ignoredReplicas, isScaling, mayBeJudged, suspensionOf, withGrowth } from './scaling.ts'
import type { Outstanding } from './pending.ts'
import {
  changesOf,
  failedOf,
  failedSituation,
  handledRequests,
  imageSummary,
  pendingOf,
  releaseSummary,
} from './pending.ts'

/** What a reconcile found and did. */
export interface Findings extends Outstanding {
  readonly objection: Objection | undefined
  readonly rollout: readonly ServiceRollout[]
  readonly applied: Applied | undefined
  /** What the API server refused, if anything. */
  readonly refused?: Refused
  /** Why nothing is done any more; `objection` says it in words. */
  readonly failure?: Failure
  /** When it is to be looked at again, besides what is told. */
  readonly checkAgainSeconds?: number
  /** What else is worth an Event. */
  readonly events?: readonly EventRecord[]
  /** What ended it early, after all this. */
  readonly thrown?: Error
}

/** Status, Events and outcome of a reconcile. Pure; nothing in the status changes by itself. */
export function report(seen: Observed, findings: Findings, now: Date): Report<AppInstanceStatus> {
  const { instance } = seen
  const found = { ...findings, rollout: findings.rollout.map((row) => withGrowth(seen, row)) }
  const verdicts = { ...instanceVerdicts(situationOf(seen, found)), ...zeroDowntimeOf(seen, found) }
  const generation = instance.metadata.generation ?? 0
  const isKept = isProtected(instance, seen.env)
  const conditions = conditionsOf(instance.status?.conditions, verdicts, generation, now)
  return {
    status: {
      observedGeneration: generation,
      phase: phaseOf(verdicts),
      conditions,
      ...deployedGenerationOf(seen, found),
      ...placeOf(seen, found),
      ...effectiveFor(seen),
      ...stackOf(seen, found),
      ...releaseOf(seen, found),
      ...servicesOf(seen, found),
      ...failedOf(seen, found),
      ...handledRequests(seen, found),
      ...actionsOf(found.failed ?? found.release),
      ...changesOf(seen, found),
      ...blockedBy(instance, verdicts, { now, isProtected: isKept }),
      ...(found.failure && { error: erroredStatus(instance, found.failure, isKept) }),
    },
    outcome: outcomeOf(seen, found, verdicts),
    events: [
      ...madeSince(seen, found),
      ...(found.events ?? []),
      ...(found.failure ? failureEvents(instance.status, found.failure, found.objection?.message ?? '') : []),
      ...alteredEvents(found),
      ...driftEvents(found),
      ...actionEvents(seen, found.release),
      ...transitionsOf(instance.status?.conditions, conditions, verdicts),
    ],
    blamed: blamedBy(conditions, verdicts),
    ...(found.thrown && { thrown: found.thrown }),
  }
}

function situationOf(seen: Observed, found: Findings): Situation {
  const pending = pendingOf(seen, found)
  return {
    objection: found.objection,
    hindered: hinderedIn(seen, found),
    release: found.release && releaseSituation(seen, found.release, found),
    failed: found.failed && { ...failedSituation(seen, found.failed), blame: failedBlame(seen, found.failed) },
    serving: found.rollout.find(({ service }) => service.main)?.ready ?? 0,
    suspension: isSuspended(seen.instance) ? suspensionOf(seen, found) : undefined,
    contest: contestSentence(found.applied),
    altered: alteredSentence(found.applied),
    pending,
    hint: hintOf(seen, found, pending),
  }
}

/** By what the next release would have; by the newest one while what is declared cannot be acted on. */
function zeroDowntimeOf({ wanted }: Observed, { objection, release }: Findings): Verdicts {
  const services = wanted && objection?.kind !== 'invalid' ? wanted.services : release?.spec.services
  const ZeroDowntime = zeroDowntimeVerdict(services ?? [])
  return ZeroDowntime ? { ZeroDowntime } : {}
}

function hintOf(seen: Observed, found: Findings, pending: Situation['pending']): string {
  return [ignoredReplicas(found), pending?.message ?? otherRevision(seen, found)]
    .filter((hint) => hint !== '')
    .join(' ')
}

/** How to have the revision that its stack has now; '' when it has, or is to have, that. */
function otherRevision({ instance, latest, revision }: Observed, { release }: Findings): string {
  if (!latest || !release) return ''
  const current = latest.metadata.name
  if ([release.spec.stackRevision, revision?.metadata.name].includes(current)) return ''
  return `The stack is at revision ${current}; to move to it: ${moveCommand(instance, current)}`
}

function releaseSituation(seen: Observed, release: AppRelease, { rollout, applied }: Findings): ReleaseSituation {
  const { laggard, cause, isLate } = worstLaggard(seen, rollout)
  const name = laggard?.service.name ?? ''
  const namespace = seen.instance.metadata.name
  return {
    name: release.metadata.name,
    number: release.spec.number,
    isFirst: !seen.releases.some(hasSucceeded),
    isComplete: rollout.every(({ isComplete }) => isComplete),
    action: pendingAction(release, seen),
    afterwards: failuresAfter(seen, release)
      .map(({ message = '' }) => `After the roll-out: ${message}.`)
      .join(' '),
    wasComplete: hasSucceeded(release),
    isDeadlineExceeded: isLate || hasFailed(release),
    isScaling: isScaling(seen.instance.status, rollout),
    laggard: laggard && {
      service: name,
      ...(cause && { reason: cause.reason }),
      cause: cause ? `${cause.message}; see ${commandFor(cause, namespace, name)}` : '',
      look: `kubectl describe pods ${podsOf(namespace, name)}`,
      blame: { child: cause?.child ?? seen.deployments.get(name), mayPass: cause?.mayPass },
    },
    waiting: waitingSentences(applied, rollout),
  }
}

/** The service to be told of: of those whose time is up, else of all that are not complete, the one with the worst cause. */
function worstLaggard(
  seen: Observed,
  rollout: readonly ServiceRollout[],
): { readonly laggard?: ServiceRollout; readonly cause?: Cause | undefined; readonly isLate: boolean } {
  const lagging = rollout.filter(({ isComplete }) => !isComplete)
  const late = lagging.filter(({ isDeadlineExceeded }) => isDeadlineExceeded)
  const isLate = late.length > 0
  const told = (isLate ? late : lagging).map((laggard) => {
    const cause = causeOf(seen, laggard)
    return { laggard, cause, isLate }
  })
  return told.toSorted((a, b) => compareCauses(a.cause, b.cause))[0] ?? { isLate }
}

function causeOf(seen: Observed, { service, isAhead }: ServiceRollout): Cause | undefined {
  return isAhead ? undefined : serviceCause(service, seen.instance.metadata.name, seen)
}

/** The pods of the service are asked, not its Deployment: that one knows no pull error and prefers the log of an old pod. */
function commandFor({ reason, command }: Cause, namespace: string, service: string): string {
  if (command !== undefined) return command
  const pods = podsOf(namespace, service)
  if (reason === 'CrashLoop') return `kubectl logs ${pods} --previous`
  return reason === 'Forbidden' ? `kubectl describe replicasets ${pods}` : `kubectl describe pods ${pods}`
}

/** Of kubectl: which pods. */
function podsOf(namespace: string, service: string): string {
  return `-n ${namespace} -l ${labels.service}=${service}`
}

function deployedGenerationOf(seen: Observed, found: Findings): Pick<AppInstanceStatus, 'deployedGeneration'> {
  const { release, rollout } = found
  const isComplete =
    release !== undefined &&
    rollout.every((row) => row.isComplete) &&
    pendingAction(release, seen) === undefined &&
    mayBeJudged(seen, release)
  if (isComplete && !found.objection && found.changes.length === 0) {
    return { deployedGeneration: seen.instance.metadata.generation ?? 0 }
  }
  const good = isComplete ? found.release : seen.releases.find(hasSucceeded)
  return good ? { deployedGeneration: good.spec.generation } : {}
}

function placeOf({ instance }: Observed, { release, objection }: Findings): Pick<AppInstanceStatus, 'namespace'> {
  return release && !isForeign(objection) ? { namespace: instance.metadata.name } : {}
}

function effectiveFor({ instance, env }: Observed): Pick<AppInstanceStatus, 'effective'> {
  const effective = effectiveOf(instance, env)
  return effective ? { effective } : {}
}

/** Of the status of an instance that goes: what of it still runs. */
export function remainsOf(seen: Observed, { release, rollout }: Pick<Findings, 'release' | 'rollout'>) {
  const found = { release, rollout, failed: undefined }
  return { ...stackOf(seen, found), ...releaseOf(seen, found) }
}

function stackOf({ latest }: Observed, { release }: Pick<Findings, 'release'>): Pick<AppInstanceStatus, 'stack'> {
  const current = release?.spec.stackRevision
  if (current === undefined && !latest) return {}
  return {
    stack: {
      ...(current !== undefined && { current }),
      ...(latest && { latest: latest.metadata.name }),
      outdated: current !== undefined && latest !== undefined && current !== latest.metadata.name,
    },
  }
}

function releaseOf(
  seen: Observed,
  { release, failed, rollout }: Pick<Findings, 'release' | 'failed' | 'rollout'>,
): Pick<
  AppInstanceStatus,
  'url' | 'replicas' | 'selector' | 'counts' | 'cost' | 'currentRelease' | 'releaseSummary' | 'imageSummary'
> {
  if (!release) return {}
  const owner = ownerOf(seen.instance)
  const main = release.spec.services.find((service) => service.main)
  const port = main?.ports.find(({ protocol }) => protocol === 'HTTP')
  const cost = costOf(rollout)
  return {
    ...(main && port && { url: serviceUrl(main.name, owner.instance, port.port) }),
    ...(main && {
      replicas: seen.deployments.get(main.name)?.currentReplicas ?? 0,
      selector: selectorText(serviceSelector(owner, main.name)),
    }),
    counts: { ...countPods(seen.pods), summary: summaryOf(rollout) },
    ...(cost && { cost }),
    currentRelease: {
      name: release.metadata.name,
      number: release.spec.number,
      stackRevision: release.spec.stackRevision,
      image: main?.image ?? '',
    },
    releaseSummary: releaseSummary(release, failed),
    imageSummary: imageSummary(main?.image ?? '', seen.wanted?.services.find((service) => service.main)?.image),
  }
}

function servicesOf(seen: Observed, { release, rollout }: Findings): Pick<AppInstanceStatus, 'services'> {
  const running = rollout.map((row) => {
    const { service, ready, desired } = row
    const { reason, message } = causeOf(seen, row) ?? {}
    const { name, type, image } = service
    return { name, type, ready, desired, image, ...(reason && { reason, message }) }
  })
  const services = [...(release ? running : []), ...externalRows(seen)]
  return release || services.length > 0 ? { services } : {}
}

/** `serving/wanted` over all services; a surplus of one never hides a lack of another. */
function summaryOf(rollout: readonly ServiceRollout[]): string {
  const serving = rollout.map(({ ready, desired }) => Math.min(ready, desired))
  return `${sum(serving)}/${sum(rollout.map(({ desired }) => desired))}`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function outcomeOf(
  { early }: Observed,
  { objection, applied, checkAgainSeconds }: Findings,
  { Reconciling }: Verdicts,
): Outcome {
  const own = [
    objection && 'retryAfterSeconds' in objection ? objection.retryAfterSeconds : [],
    checkAgainSeconds ?? [],
  ]
  const retries = [
    ...own.flatMap((seconds) => seconds ?? []),
    ...(applied?.contested ?? []).map(({ retryAfterSeconds }) => retryAfterSeconds),
    // A claim is told of only when it is not early any more.
    ...[...early.values()].map(Math.ceil),
  ]
  const retry = retries.length > 0 ? { retryAfterSeconds: Math.min(...retries) } : {}
  if (objection) return objection.kind === 'failed' ? objection : { ...objection, ...retry }
  if (Reconciling) return { kind: 'progressing', reason: Reconciling.reason, message: Reconciling.message, ...retry }
  if (checkAgainSeconds === undefined) return { kind: 'settled' }
  return { kind: 'progressing', reason: 'RunningActions', message: 'An AppTask is to be looked at again', ...retry }
}
