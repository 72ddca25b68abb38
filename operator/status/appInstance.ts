import type { Reason } from '../api/conditions.ts'
import type { Verdict, Verdicts } from './conditions.ts'
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
  /** The newest release; undefined before the first. */
  readonly release: ReleaseSituation | undefined
  /** Ready replicas of the main service. */
  readonly serving: number
  /** Who undoes what we write, as one sentence; '' when nobody does. */
  readonly contest: string
  /** Accepted changes that wait for the next deployment, as one sentence; '' when there are none. */
  readonly pending: string
  /** What else a person should know while all is well; '' when nothing. */
  readonly hint: string
  /** What the API server stores otherwise than declared, as one sentence; '' when nothing. */
  readonly altered: string
}

/** How the newest release is doing. */
export interface ReleaseSituation {
  readonly name: string
  /** Every service complete now. */
  readonly isComplete: boolean
  /** It was complete once. */
  readonly wasComplete: boolean
  readonly isDeadlineExceeded: boolean
  /** The first service that is not complete, and why as far as its pods tell. */
  readonly laggard: { readonly service: string; readonly reason?: Reason; readonly cause: string } | undefined
  /** Which services wait for which others, in sentences; '' when none does. */
  readonly waiting: string
}

/**
 * The conditions of an instance, from which phaseOf tells its phase. Pure.
 * In: what was found. Out: one verdict for each condition that is to stand.
 */
export function instanceVerdicts(situation: Situation): Verdicts {
  const { objection, release, serving, pending } = situation
  const main = objection ? objectionVerdicts(objection) : contestVerdicts(situation)
  return {
    Accepted: accepted,
    Available:
      serving > 0
        ? { status: 'True', reason: 'Serving', message: 'The main service has ready replicas.' }
        : { status: 'False', reason: 'NotServing', message: 'The main service has no ready replica.' },
    Deployed: deployedVerdict(release),
    ...main,
    ...(pending !== '' && { ChangesPending: { status: 'True', reason: 'WaitsForDeployment', message: pending } }),
  }
}

function objectionVerdicts({ kind, reason, message }: NonNullable<Situation['objection']>): Verdicts {
  const verdict = (status: Verdict['status']): Verdict => ({ status, reason, message })
  switch (kind) {
    case 'blocked':
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
  const { contest: message } = situation
  if (message === '') return releaseVerdicts(situation)
  const verdict = { reason: 'Contested', message } as const
  return { Ready: { status: 'False', ...verdict }, Reconciling: { status: 'True', ...verdict } }
}

function releaseVerdicts({ release, hint, altered }: Situation): Verdicts {
  if (!release) {
    const creating: Verdict = { status: 'True', reason: 'Creating', message: 'The first release is being made.' }
    return { Ready: { ...creating, status: 'Unknown' }, Reconciling: creating }
  }
  if (release.isComplete) {
    const message = sentences('All services are ready.', altered, hint)
    return { Ready: { status: 'True', reason: 'AllReady', message } }
  }
  const { reason, message: whatLags } = lagging(release)
  const message = sentences(whatLags, release.waiting, altered)
  if (release.isDeadlineExceeded) {
    return { Ready: { status: 'False', reason, message }, Stalled: { status: 'True', reason, message } }
  }
  const status = release.wasComplete ? 'False' : 'Unknown'
  return { Ready: { status, reason, message }, Reconciling: { status: 'True', reason, message } }
}

function sentences(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ')
}

function lagging(release: ReleaseSituation): { reason: Reason; message: string } {
  const { service = '', cause = '', reason: known } = release.laggard ?? {}
  const why = cause === '' ? '' : `: ${cause}`
  if (release.isDeadlineExceeded) {
    const message = `Release ${release.name}: service '${service}' did not become ready in time${why}.`
    return { reason: known ?? 'RolloutDeadlineExceeded', message }
  }
  if (release.wasComplete) {
    return { reason: known ?? 'ReplicasNotReady', message: `Service '${service}' has too few ready replicas${why}.` }
  }
  return {
    reason: known ?? 'RollingOut',
    message: `Release ${release.name} rolls out; service '${service}' is not ready yet${why}.`,
  }
}

function deployedVerdict(release: ReleaseSituation | undefined): Verdict {
  if (!release) return { status: 'Unknown', reason: 'Creating', message: 'There is no release yet.' }
  if (release.isComplete || release.wasComplete) {
    return { status: 'True', reason: 'RolledOut', message: `Release ${release.name} is rolled out.` }
  }
  if (release.isDeadlineExceeded) {
    const message = `Release ${release.name} was not rolled out in time.`
    return { status: 'False', reason: 'RolloutDeadlineExceeded', message }
  }
  return { status: 'False', reason: 'RollingOut', message: `Release ${release.name} is not rolled out yet.` }
}
