import type { Reason } from '../api/conditions.ts'
import { annotations } from '../api/meta.ts'
import type { PendingAction } from './actions.ts'
import type { Blame, Verdict, Verdicts } from './conditions.ts'
import { accepted } from './conditions.ts'

/** What the verdicts on an instance are derived from. */
export interface Situation {
  /** Why the declared spec is not acted on; undefined when it is. */
  readonly objection:
    | {
        readonly kind: 'progressing' | 'blocked' | 'invalid' | 'failed'
        readonly reason: Reason
        readonly message: string
      }
    | undefined
  /** The object that is refused, or changed by others again and again, where it is there. */
  readonly hindered?: Blame | undefined
  /** The release that runs, or is to; undefined before the first. */
  readonly release: ReleaseSituation | undefined
  /** The release of what is declared, when it failed. */
  readonly failed: FailedRelease | undefined
  /** Ready replicas of the main service. */
  readonly serving: number
  /** What has become of spec.suspend; undefined while it is not asked for. */
  readonly suspension: Suspension | undefined
  /** Who undoes what we write, as one sentence; '' when nobody does. */
  readonly contest: string
  /** Accepted changes that are not released now, and for what they wait; undefined when there are none. */
  readonly pending: Omit<Verdict, 'status'> | undefined
  /** What else a person should know while all is well; '' when nothing. */
  readonly hint: string
  /** What the API server stores otherwise than declared, as one sentence; '' when nothing. */
  readonly altered: string
}

/** A release that failed, and what is done about it. */
export interface FailedRelease {
  readonly name: string
  readonly number: number
  /** As its condition Succeeded says. */
  readonly reason: Reason
  readonly message: string
  /** The command that has it tried again. */
  readonly retry: string
  readonly blame?: Blame | undefined
}

/** How far a suspension is. */
export interface Suspension {
  /** No pod is left, and none will be made. */
  readonly isDone: boolean
  /** What to do to see the last pods end, or to have them back. */
  readonly command: string
}

/** How the release that runs, or is to, is doing. */
export interface ReleaseSituation {
  readonly name: string
  readonly number: number
  /** None was rolled out before. */
  readonly isFirst: boolean
  /** Every service complete now. */
  readonly isComplete: boolean
  /** It was complete once. */
  readonly wasComplete: boolean
  readonly isDeadlineExceeded: boolean
  /** Replicas that were asked for since all was ready are starting. */
  readonly isScaling: boolean
  /** The first service that is not complete, and why as far as its pods tell. */
  readonly laggard:
    | {
        readonly service: string
        readonly reason?: Reason
        readonly cause: string
        /** Where to look where no cause is known: a command. */
        readonly look: string
        readonly blame?: Blame | undefined
      }
    | undefined
  /** Which services wait for which others, in sentences; '' when none does. */
  readonly waiting: string
  /** What the roll-out waits for, or what has failed before it; undefined when there is nothing of the kind. */
  readonly action: PendingAction | undefined
  /** Which action has failed after the roll-out, in a sentence; '' when none has. */
  readonly afterwards: string
}

/**
 * The conditions of an instance, from which phaseOf tells its phase. Pure.
 * In: what was found. Out: one verdict for each condition that is to stand.
 */
export function instanceVerdicts(situation: Situation): Verdicts {
  const { objection, serving, pending, suspension } = situation
  const wasThere = serving > 0 || (situation.release?.wasComplete === true && !suspension)
  const main = objection ? objectionVerdicts(situation, objection, wasThere) : contestVerdicts(situation)
  return {
    Accepted: accepted,
    Available:
      serving > 0
        ? { status: 'True', reason: 'Serving', message: 'The main service has ready replicas.' }
        : { status: 'False', reason: 'NotServing', message: 'The main service has no ready replica.' },
    Deployed: deployedVerdict(situation),
    ...(suspension?.isDone && suspendedVerdicts(situation, suspension)),
    ...main,
    ...outageVerdicts(situation, main),
    ...(pending && { ChangesPending: { status: 'True', ...pending } }),
  }
}

function suspendedVerdicts({ release }: Situation, { command }: Suspension): Verdicts {
  const state = release ? 'nothing runs; volumes, Secrets and Services stay' : 'nothing was deployed yet'
  const message = `Suspended (spec.suspend): ${state}. To resume: ${command}`
  const verdict = { reason: 'Suspended', message } as const
  return { Available: { status: 'False', ...verdict }, Suspended: { status: 'True', ...verdict } }
}

/**
 * That nobody is served any more, and why as far as the pods of what runs tell, before all else there is to say of it.
 * In: the situation, what is told without. Out: Ready, and the condition that by convention has its reason; the phase stays.
 */
function outageVerdicts(situation: Situation, { Ready, Stalled }: Verdicts): Verdicts {
  const { release, serving, suspension } = situation
  const isOutage = serving === 0 && !suspension && release?.isFirst === false
  const { service, reason, cause, blame } = release?.laggard ?? {}
  if (!Ready || !isOutage || reason === undefined || !hidesPods(situation, Ready)) return {}
  const message = `Nobody is served; service '${service}' has too few ready replicas: ${cause}.`
  const besides = isBesides(situation) ? Ready : undefined
  const verdict = { reason, message: sentences(message, Ready.message), blame: besides ? { ...blame, besides } : blame }
  return {
    Ready: { status: Ready.status, ...verdict },
    [Stalled ? 'Stalled' : 'Reconciling']: { status: 'True', ...verdict },
  }
}

/** Whether what is told says nothing of the pods. Of what is blocked and was not there before, the phase is Pending by that reason. */
function hidesPods({ objection, contest, release }: Situation, { status }: Verdict): boolean {
  if (!objection) return contest !== '' || release?.action !== undefined
  return objection.kind === 'invalid' || (objection.kind === 'blocked' && status === 'False')
}

/** Whether what hides the outage is told by no condition of its own. */
function isBesides({ objection, contest }: Situation): boolean {
  return objection ? objection.kind === 'blocked' : contest !== ''
}

function objectionVerdicts(
  { hindered: blame }: Situation,
  { kind, reason, message }: NonNullable<Situation['objection']>,
  wasThere: boolean,
): Verdicts {
  const verdict = (status: Verdict['status']): Verdict => ({ status, reason, message, blame })
  switch (kind) {
    case 'blocked':
      // What was there is not as declared, be it served or down; else it is not there yet.
      return { Ready: verdict(wasThere ? 'False' : 'Unknown'), Reconciling: verdict('True') }
    case 'progressing':
      return { Ready: verdict('Unknown'), Reconciling: verdict('True') }
    case 'invalid':
      return { Accepted: verdict('False'), Ready: verdict('False'), Stalled: verdict('True') }
    case 'failed':
      return { Ready: verdict('False'), Stalled: verdict('True'), OperationsBlocked: verdict('True') }
  }
}

/** Whatever the replicas say: for a moment after each of our writes all is as declared. */
function contestVerdicts(situation: Situation): Verdicts {
  const { contest: message, hindered: blame } = situation
  if (message === '') return suspensionVerdicts(situation)
  const verdict = { reason: 'Contested', message, blame } as const
  return { Ready: { status: 'False', ...verdict }, Reconciling: { status: 'True', ...verdict } }
}

function suspensionVerdicts(situation: Situation): Verdicts {
  const { suspension } = situation
  if (!suspension) return releaseVerdicts(situation)
  if (suspension.isDone) {
    const { Suspended: verdict } = suspendedVerdicts(situation, suspension)
    return verdict ? { Ready: verdict } : {}
  }
  const message = `Suspending (spec.suspend): the last pods are ending; see ${suspension.command}`
  const verdict = { reason: 'Suspending', message } as const
  return { Ready: { status: 'Unknown', ...verdict }, Reconciling: { status: 'True', ...verdict } }
}

function releaseVerdicts(situation: Situation): Verdicts {
  const { release, failed, hint, altered } = situation
  if (!release) {
    const creating: Verdict = { status: 'True', reason: 'Creating', message: 'The first release is being made.' }
    return { Ready: { ...creating, status: 'Unknown' }, Reconciling: creating }
  }
  if (failed && failed.number !== release.number) return restoredVerdicts(release, failed, altered)
  if (release.action) return actionVerdicts(release.name, release.action)
  if (release.isComplete) {
    const message = sentences('All services are ready.', release.afterwards, altered, hint)
    return { Ready: { status: 'True', reason: 'AllReady', message } }
  }
  const { reason, message: whatLags } = lagging(release, failed)
  const { blame } = release.laggard ?? {}
  const message = sentences(whatLags, release.waiting, altered)
  if (release.isDeadlineExceeded) {
    return { Ready: { status: 'False', reason, message, blame }, Stalled: { status: 'True', reason, message } }
  }
  const status = release.wasComplete && reason !== 'Scaling' ? 'False' : 'Unknown'
  return { Ready: { status, reason, message, blame }, Reconciling: { status: 'True', reason, message, blame } }
}

/** What was asked for failed, and what ran before is back, or on its way. */
function restoredVerdicts(release: ReleaseSituation, failed: FailedRelease, altered: string): Verdicts {
  const whatFailed = `Release ${failed.number} failed: ${failed.message}`
  if (release.isComplete) {
    const whatServes = `Release ${release.number} serves; not tried again until the spec changes or ${annotations.deploy} asks: ${failed.retry}`
    const verdict = { reason: failed.reason, message: sentences(whatFailed, whatServes, altered), blame: failed.blame }
    return { Ready: { status: 'False', ...verdict }, Stalled: { status: 'True', ...verdict } }
  }
  const { service = '', cause = '', reason = failed.reason, blame = failed.blame } = release.laggard ?? {}
  const why = cause === '' ? '' : `: ${cause}`
  const whatLags = `Release ${release.number} is restored; its service '${service}' is not ready yet${why}.`
  const verdict = { reason, message: sentences(whatFailed, whatLags, release.waiting, altered), blame }
  const isGivenUp = release.isDeadlineExceeded
  return {
    Ready: { status: 'False', ...verdict },
    [isGivenUp ? 'Stalled' : 'Reconciling']: { status: 'True', ...verdict },
  }
}

/** Nothing of the release has been started; what ran, runs. */
function actionVerdicts(release: string, { isFailed, reason, message, blame }: PendingAction): Verdicts {
  if (!isFailed) {
    const verdict = { reason, message: `Release ${release} is not rolled out yet. ${message}`, blame }
    return { Ready: { status: 'Unknown', ...verdict }, Reconciling: { status: 'True', ...verdict } }
  }
  const verdict = {
    reason,
    message: `Release ${release} was not rolled out, and is not tried again until the spec changes: ${message}`,
    blame,
  }
  return { Ready: { status: 'False', ...verdict }, Stalled: { status: 'True', ...verdict } }
}

/** A command at the end has no dot after it: it is there to be copied. */
function sentences(...parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .join(' ')
    .replace(/(kubectl [^;]*[^.;])\.$/, '$1')
}

function lagging(release: ReleaseSituation, failed: FailedRelease | undefined): { reason: Reason; message: string } {
  const { service = '', cause = '', reason: known } = release.laggard ?? {}
  if (failed && cause === '')
    return { reason: failed.reason, message: `Release ${failed.name} failed: ${failed.message}` }
  const why = cause === '' ? '' : `: ${cause}`
  const whatToSee = why || lookAt(release)
  if (release.isDeadlineExceeded) {
    const message = `Release ${release.name}: service '${service}' did not become ready in time${whatToSee}.`
    return { reason: known ?? 'RolloutDeadlineExceeded', message }
  }
  if (release.isScaling && release.wasComplete && known === undefined) {
    return { reason: 'Scaling', message: `Service '${service}' scales: replicas are starting${why}.` }
  }
  if (release.wasComplete) {
    const message = `Release ${release.name}: service '${service}' has too few ready replicas${whatToSee}.`
    return { reason: known ?? 'ReplicasNotReady', message }
  }
  return {
    reason: known ?? 'RollingOut',
    message: `Release ${release.name} rolls out; service '${service}' is not ready yet${why}.`,
  }
}

/** Where no cause is known. */
function lookAt({ laggard }: ReleaseSituation): string {
  return laggard ? `; see ${laggard.look}` : ''
}

function deployedVerdict({ objection, release, failed, suspension, serving }: Situation): Verdict {
  const isSuspended = suspension !== undefined
  if (failed) {
    return { status: 'False', reason: failed.reason, message: `Release ${failed.name} failed: ${failed.message}` }
  }
  if (!release) return { status: 'Unknown', reason: 'Creating', message: 'There is no release yet.' }
  if (release.action) {
    const { isFailed, reason } = release.action
    const message = `Release ${release.name} ${isFailed ? 'was not rolled out: an action failed' : 'is not rolled out yet'}.`
    return { status: 'False', reason, message }
  }
  if (release.wasComplete || (release.isComplete && !isSuspended)) {
    return { status: 'True', reason: 'RolledOut', message: `Release ${release.name} is rolled out.` }
  }
  if (release.isDeadlineExceeded && !isSuspended) {
    const message = `Release ${release.name} was not rolled out in time.`
    return { status: 'False', reason: 'RolloutDeadlineExceeded', message }
  }
  // Of an instance that serves nobody yet it is the creation that is held up; its claims are part of that.
  const isHeldUp = objection !== undefined || release.laggard?.reason === 'ClaimUnbound'
  const isCreating = isHeldUp && release.isFirst && serving === 0
  const reason = isCreating ? 'Creating' : 'RollingOut'
  return { status: 'False', reason, message: `Release ${release.name} is not rolled out yet.` }
}
