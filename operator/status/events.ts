import type { Condition, Reason } from '../api/conditions.ts'
import type { EventReason } from '../api/eventReasons.ts'
import { reasons } from '../api/conditions.ts'
import { conditionOf } from './conditions.ts'

/** An Event that a change of conditions is worth. */
export interface Transition {
  readonly type: 'Normal' | 'Warning'
  readonly reason: EventReason
  readonly action: string
  readonly message: string
  /** Since when Ready had said what it said before: a second outage is another one, although it reads the same. */
  readonly since?: string
}

type Conditions = readonly Condition[]
type Rule = (before: Conditions, after: Conditions) => Transition | undefined

/**
 * The Events for a change of an object's conditions, in the order they are to be read; each transition once.
 * In: the conditions that stood, those that will. Out: Events.
 */
export function transitionsOf(before: Conditions | undefined, after: Conditions): Transition[] {
  const rules: readonly Rule[] = [waits, refused, deployed, unready, recovered, suspended, resumed, pending]
  const since = conditionOf(before, 'Ready')?.lastTransitionTime
  const told = rules.flatMap((rule) => rule(before ?? [], after) ?? [])
  return since === undefined ? told : told.map((transition) => ({ ...transition, since }))
}

function waits(before: Conditions, after: Conditions): Transition | undefined {
  const now = conditionOf(after, 'Reconciling')
  if (!now || now.reason === conditionOf(before, 'Reconciling')?.reason || !isHeldUp(now)) return undefined
  // Said by the rule for Ready.
  if (conditionOf(after, 'Ready')?.status === 'False') return undefined
  return { type: 'Warning', reason: reasonOf(now), action: 'Waiting', message: now.message }
}

/** Of a spec that is refused during an outage. */
function refused(before: Conditions, after: Conditions): Transition | undefined {
  const now = conditionOf(after, 'Accepted')
  const was = conditionOf(before, 'Accepted')
  if (now?.status !== 'False' || (was?.status === 'False' && was.reason === now.reason)) return undefined
  const ready = conditionOf(after, 'Ready')
  // Said by the rule for Ready, else.
  if (ready?.status !== 'False' || ready.reason === now.reason) return undefined
  return { type: 'Warning', reason: reasonOf(now), action: 'Checking', message: now.message }
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
  return { type: 'Normal', reason: reasonOf(now), action: 'Deploying', message: now.message }
}

function unready(before: Conditions, after: Conditions): Transition | undefined {
  const now = conditionOf(after, 'Ready')
  const was = conditionOf(before, 'Ready')
  if (now?.status !== 'False' || (was?.status === 'False' && was.reason === now.reason)) return undefined
  return { type: 'Warning', reason: reasonOf(now), action: 'Checking', message: now.message }
}

function recovered(before: Conditions, after: Conditions): Transition | undefined {
  const now = conditionOf(after, 'Ready')
  if (now?.status !== 'True' || conditionOf(before, 'Ready')?.status !== 'False') return undefined
  return { type: 'Normal', reason: reasonOf(now), action: 'Checking', message: now.message }
}

function suspended(before: Conditions, after: Conditions): Transition | undefined {
  const now = conditionOf(after, 'Suspended')
  if (!now || conditionOf(before, 'Suspended')) return undefined
  return { type: 'Normal', reason: reasonOf(now), action: 'Suspending', message: now.message }
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
