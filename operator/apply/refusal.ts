import type { KubeObject, ResourceType } from '../api/meta.ts'
import type { KubeError } from '../kube/errors.ts'
import { isKubeError } from '../kube/errors.ts'
import type { Desired } from '../render/plan.ts'
import type { Fights } from './fights.ts'

/** What the API server refuses: the write of an object, or its removal. */
export interface Refused {
  readonly desired: Pick<Desired, 'type' | 'object'>
  readonly error: KubeError
  /** When it may be sent again. */
  readonly retryAfterSeconds?: number
}

/** For so long the same is not sent again: rights, quotas and policies change sooner than what a schema allows. */
const refusedSeconds = { byRule: 30, bySchema: 120 }

/** A call that fails again as long as the object is what it is: refused by schema, size, quota, admission or rights. */
export function isRefusal(error: unknown): error is KubeError {
  return isKubeError(error, 'Invalid', 'Forbidden', 'BadRequest', 'TooLarge')
}

/** Whether rights, a quota or a policy of the cluster refuse: policies and webhooks answer 422 too, but the spec is not at fault. */
export function isOfRule({ code, message }: KubeError): boolean {
  return code === 'Forbidden' || /ValidatingAdmissionPolicy|admission webhook/.test(message)
}

/** Seconds for which what was refused is not sent again as it is. */
function secondsOf(error: KubeError): number {
  return isOfRule(error) ? refusedSeconds.byRule : refusedSeconds.bySchema
}

/** The removal of just this object, as something to be remembered when it is refused. */
export function removalOf(type: ResourceType, { apiVersion, kind, metadata }: KubeObject): Desired {
  const { name, namespace, uid = '' } = metadata
  return { type, mode: 'apply', object: { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), uid } } }
}

/** The refusal that keeps something from being sent again at `now`, in milliseconds; undefined when it may be sent. */
export function refusalAgainst(fights: Fights, desired: Desired, now: number): Refused | undefined {
  const { refusal, retryAfterSeconds = 0 } = fights.holdOf(desired, now) ?? {}
  return refusal && { desired, error: refusal, retryAfterSeconds }
}

/**
 * Remembers that it was refused at `now`, in milliseconds, where an object with this uid stood. Throws the error when it
 * is no refusal.
 */
export function refusedBy(fights: Fights, desired: Desired, error: unknown, now: number, uid = ''): Refused {
  if (!isRefusal(error)) throw error
  const retryAfterSeconds = secondsOf(error)
  fights.refused(desired, error, now, retryAfterSeconds, uid)
  return { desired, error, retryAfterSeconds }
}
