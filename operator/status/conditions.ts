import type { Condition, ConditionType, Reason } from '../api/conditions.ts'
import type { KubeObject } from '../api/meta.ts'
import { shortened } from '../api/text.ts'

/** What a verdict rests on, for Events; it is in no condition. */
export interface Blame {
  /** The object in the instance's namespace that is not as it ought to be. */
  readonly child?: KubeObject | undefined
  /** It may be no more than a slow start. */
  readonly mayPass?: boolean | undefined
  /** What else is in the way, which the message tells after the first. */
  readonly besides?: Pick<Verdict, 'reason' | 'message' | 'blame'> | undefined
}

/** A condition as a report says it, before times and generation are put in. */
export interface Verdict {
  readonly status: Condition['status']
  readonly reason: Reason
  readonly message: string
  readonly blame?: Blame | undefined
}

/** Of a spec that nothing is to be objected to. */
export const accepted: Verdict = { status: 'True', reason: 'Accepted', message: 'The spec can be acted on.' }

/** What a report says of an object; a type that is missing is a condition that does not stand. */
export type Verdicts = Readonly<Partial<Record<ConditionType, Verdict>>>

/** The order in which conditions are listed, which is the order people should read them in. */
const order: readonly ConditionType[] = [
  'Ready',
  'Available',
  'Accepted',
  'Deployed',
  'ZeroDowntime',
  'Succeeded',
  'Reconciling',
  'Stalled',
  'OperationsBlocked',
  'Suspended',
  'ChangesPending',
]

/** Of a condition's message. */
export const messageLimit = 1024

/**
 * The conditions to write.
 * In: those that stand now, the verdicts, the generation they were derived from, the time. Out: conditions in a stable
 * order; lastTransitionTime moves only where the status changed, so that nothing is written when nothing happened.
 */
export function conditionsOf(
  previous: readonly Condition[] | undefined,
  verdicts: Verdicts,
  generation: number,
  now: Date,
): Condition[] {
  return order.flatMap((type) => {
    const verdict = verdicts[type]
    if (!verdict) return []
    const before = previous?.find((condition) => condition.type === type)
    const lastTransitionTime =
      before?.status === verdict.status ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z')
    return [
      {
        type,
        status: verdict.status,
        observedGeneration: generation,
        lastTransitionTime,
        reason: verdict.reason,
        message: shortened(verdict.message, messageLimit),
      },
    ]
  })
}

/** The condition of that type. */
export function conditionOf(conditions: readonly Condition[] | undefined, type: ConditionType): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}
