import type { Condition, Reason } from '../api/conditions.ts'
import type { EventReason } from '../api/eventReasons.ts'
import { reasons } from '../api/conditions.ts'
import type { KubeObject } from '../api/meta.ts'
import type { Verdict, Verdicts } from './conditions.ts'
import { conditionOf } from './conditions.ts'

/** An Event that a change of conditions is worth. */
export interface Transition {
  readonly type: 'Normal' | 'Warning'
  readonly reason: EventReason
  readonly action: string
  readonly message: string
  /** When Ready became what it was before: a second outage is another one, although it reads the same. */
  readonly since?: string
  /** Whose matter it is, too. */
  readonly child?: KubeObject
  /** It tells that nothing is wrong any more with the objects that were blamed. */
  readonly endsBlame?: true
}

type Conditions = readonly Condition[]
type Rule = (before: Conditions, after: Conditions, verdicts: Verdicts) => Transition | undefined

/**
 * The Events for a change of an object's conditions, in the order they are to be read; each transition once.
 * In: the conditions that stood, those that will, the verdicts those are made of where they blame somebody. Out: Events.
 */
export function transitionsOf(
  before: Conditions | undefined,
  after: Conditions,
  verdicts: Verdicts = {},
): Transition[] {
  const of = (rule: Rule): Transition[] => [rule(before ?? [], after, verdicts) ?? []].flat()
  const rules: readonly Rule[] = [refused, missing, deployed, unready, recovered, suspended, resumed, pending]
  const since = conditionOf(before, 'Ready')?.lastTransitionTime
  const told = rules.flatMap(of)
  // What holds up a roll-out names its release: told of it once, whatever Ready says meanwhile.
  return [...of(waits), ...(since === undefined ? told : told.map((transition) => ({ ...transition, since })))]
}

/**
 * The objects that are to blame now, none of a slow start: they are told when it is over. Of two that fail for one reason
 * the Warning is of the first alone.
 */
export function blamedBy(after: Conditions, verdicts: Verdicts): KubeObject[] {
  const isOf = (type: 'Ready' | 'Accepted'): boolean => conditionOf(after, type)?.status === 'False'
  const main = isOf('Ready') ? verdicts.Ready : heldUpBy(after, verdicts)
  return [main, isOf('Accepted') ? verdicts.Accepted : undefined].flatMap((verdict) => verdict?.blame?.child ?? [])
}

function waits(before: Conditions, after: Conditions, verdicts: Verdicts): Transition | undefined {
  const now = heldUpBy(after, verdicts)
  const isKnown = now?.reason === conditionOf(before, 'Reconciling')?.reason
  // A check that fails for good reads like one that fails since the start; an Event is recorded once.
  if (!now || (isKnown && now.reason !== 'HealthCheckFailed')) return undefined
  return { type: 'Warning', reason: now.reason, action: 'Waiting', message: now.message, ...childIn(now) }
}

/** What holds a roll-out up that nobody was told of by Ready. */
function heldUpBy(after: Conditions, { Reconciling }: Verdicts): Verdict | undefined {
  const now = conditionOf(after, 'Reconciling')
  // Said by the rule for Ready.
  if (!now || !isHeldUp(now) || conditionOf(after, 'Ready')?.status === 'False') return undefined
  const blame = Reconciling?.blame
  return blame?.mayPass ? undefined : { ...now, reason: reasonOf(now), blame }
}

function childIn(verdict: Pick<Verdict, 'blame'> | undefined): Pick<Transition, 'child'> {
  const child = verdict?.blame?.child
  return child ? { child } : {}
}

/** Of a spec that is refused during an outage. */
function refused(before: Conditions, after: Conditions, { Accepted }: Verdicts): Transition | undefined {
  const now = conditionOf(after, 'Accepted')
  const was = conditionOf(before, 'Accepted')
  if (now?.status !== 'False' || (was?.status === 'False' && was.reason === now.reason)) return undefined
  const ready = conditionOf(after, 'Ready')
  // Said by the rule for Ready, else.
  if (ready?.status !== 'False' || ready.reason === now.reason) return undefined
  return { type: 'Warning', reason: reasonOf(now), action: 'Checking', message: now.message, ...childIn(Accepted) }
}

/** Of what else is in the way since an outage began: something that is missing, or somebody who undoes what is written. */
function missing(before: Conditions, after: Conditions, { Ready }: Verdicts): Transition | undefined {
  const besides = Ready?.blame?.besides
  const [now, was] = [conditionOf(after, 'Ready'), conditionOf(before, 'Ready')]
  // Said by the rule for Ready, else.
  if (!besides || was?.status !== 'False' || was.reason === besides.reason || was.message === now?.message)
    return undefined
  if (was.message.includes(besides.message)) return undefined
  return { type: 'Warning', reason: besides.reason, action: 'Waiting', message: besides.message, ...childIn(besides) }
}

/** What holds up a roll-out, besides another object that is missing. */
const holdUps = new Set([
  'Forbidden',
  'NamespaceTerminating',
  'ImagePullFailed',
  'CrashLoop',
  'ConfigurationError',
  'Unschedulable',
  'ClaimUnbound',
  'HealthCheckFailed',
])

/** Something is in the way that does not pass by waiting for the replicas alone. */
function isHeldUp({ reason }: Condition): boolean {
  if (holdUps.has(reason)) return true
  return reasons[reason as keyof typeof reasons]?.class === 'blocked'
}

function deployed(before: Conditions, after: Conditions): Transition | undefined {
  const now = conditionOf(after, 'Deployed')
  const was = conditionOf(before, 'Deployed')
  if (now?.status !== 'True' || (was?.status === 'True' && was.message === now.message)) return undefined
  return { type: 'Normal', reason: reasonOf(now), action: 'Deploying', message: now.message, endsBlame: true }
}

function unready(before: Conditions, after: Conditions, { Ready }: Verdicts): Transition | undefined {
  const now = conditionOf(after, 'Ready')
  const was = conditionOf(before, 'Ready')
  if (now?.status !== 'False' || (was?.status === 'False' && was.reason === now.reason)) return undefined
  return { type: 'Warning', reason: reasonOf(now), action: 'Checking', message: now.message, ...childIn(Ready) }
}

function recovered(before: Conditions, after: Conditions): Transition | undefined {
  const now = conditionOf(after, 'Ready')
  if (now?.status !== 'True' || conditionOf(before, 'Ready')?.status !== 'False') return undefined
  return { type: 'Normal', reason: reasonOf(now), action: 'Checking', message: now.message, endsBlame: true }
}

function suspended(before: Conditions, after: Conditions): Transition | undefined {
  const now = conditionOf(after, 'Suspended')
  if (!now || conditionOf(before, 'Suspended')) return undefined
  return { type: 'Normal', reason: reasonOf(now), action: 'Suspending', message: now.message, endsBlame: true }
}

/** A pod that somebody starts in a suspended instance ends the condition, not the suspension. */
function resumed(before: Conditions, after: Conditions): Transition | undefined {
  if (!conditionOf(before, 'Suspended') || conditionOf(after, 'Suspended')) return undefined
  if (conditionOf(after, 'Reconciling')?.reason === 'Suspending') return undefined
  const message = 'No longer suspended: the replicas of all services are started.'
  return { type: 'Normal', reason: 'Resumed', action: 'Resuming', message }
}

function pending(before: Conditions, after: Conditions): Transition | undefined {
  const now = conditionOf(after, 'ChangesPending')
  if (!now || now.message === conditionOf(before, 'ChangesPending')?.message) return undefined
  return { type: 'Normal', reason: reasonOf(now), action: 'Waiting', message: now.message }
}

/** The conditions are our own: they have no other reasons. */
function reasonOf({ reason }: Condition): Reason {
  return reason as Reason
}
