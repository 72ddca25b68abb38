import { isKubeError } from '../kube/errors.ts'
import type { Outcome } from './outcome.ts'

/** What the queue does with a key after its reconcile, and how loudly we say so. */
export interface Action {
  /** forget: an event wakes the key. after: so does time. backoff: time, longer with each failure. */
  readonly queue: 'forget' | 'after' | 'backoff'
  /** Of `after`: the delay; of `backoff`: the least delay. */
  readonly seconds: number
  readonly level: 'debug' | 'info' | 'warn' | 'error'
}

const outcomeActions: Readonly<Record<Outcome['kind'], Action>> = {
  settled: { queue: 'forget', seconds: 0, level: 'debug' },
  progressing: { queue: 'forget', seconds: 0, level: 'info' },
  blocked: { queue: 'forget', seconds: 0, level: 'info' },
  invalid: { queue: 'forget', seconds: 0, level: 'info' },
  failed: { queue: 'forget', seconds: 0, level: 'error' },
}

/** The Action for an outcome. */
export function actionOf(outcome: Outcome): Action {
  const action = outcomeActions[outcome.kind]
  if (!('retryAfterSeconds' in outcome) || outcome.retryAfterSeconds === undefined) return action
  return { ...action, queue: 'after', seconds: outcome.retryAfterSeconds }
}

/** What was thrown instead of an outcome. */
export type ThrownClass = 'transient' | 'forbidden' | 'refused' | 'bug'

/** The class of something thrown: of a KubeError by its code, everything else is a bug. */
export function classOfThrown(error: unknown): ThrownClass {
  if (!isKubeError(error)) return 'bug'
  if (error.isTransient) return 'transient'
  return error.code === 'Forbidden' ? 'forbidden' : 'refused'
}

const thrownLevels: Readonly<Record<ThrownClass, Action['level']>> = {
  // A conflict is the normal way in which two writers learn of each other.
  transient: 'debug',
  forbidden: 'error',
  refused: 'warn',
  bug: 'error',
}

/** The Action for something thrown: always another try, later with each failure, and not before the server allows it. */
export function actionOfThrown(error: unknown): Action {
  const seconds = isKubeError(error) ? (error.retryAfterSeconds ?? 0) : 0
  return { queue: 'backoff', seconds, level: thrownLevels[classOfThrown(error)] }
}
