import type { Condition } from '../../operator/api/conditions.ts'
import { conditionOf } from '../../operator/status/conditions.ts'

/** How generic tools read an object of ours, by their published rules. */

export interface Readable {
  readonly metadata: { readonly generation?: number; readonly deletionTimestamp?: string }
  readonly status?: {
    readonly observedGeneration?: number | undefined
    readonly conditions?: readonly Condition[] | undefined
  }
}

export type KstatusResult = 'Terminating' | 'InProgress' | 'Failed' | 'Current'

/** kstatus (kubectl, Helm, Flux wait by it), for a kind it does not know. */
export function kstatusOf({ metadata, status }: Readable): KstatusResult {
  if (metadata.deletionTimestamp) return 'Terminating'
  if (status?.observedGeneration !== undefined && status.observedGeneration !== metadata.generation) return 'InProgress'
  if (conditionOf(status?.conditions, 'Reconciling')?.status === 'True') return 'InProgress'
  if (conditionOf(status?.conditions, 'Stalled')?.status === 'True') return 'Failed'
  const ready = conditionOf(status?.conditions, 'Ready')
  return !ready || ready.status === 'True' ? 'Current' : 'InProgress'
}

/**
 * What the checks by which Flux judges the status of an object after a reconcile object to, by their names; empty when all
 * is well. Two are left out: FAIL0003 (Ready is False while Reconciling) since a Ready that is Unknown tells work under way
 * from failure, which is what the table of phases promises, and FAIL0011 asks for Reconciling beside it; FAIL0010 (the root
 * has a lower generation than Reconciling) since the root here advances whenever the operator has looked. Where one holds
 * here in more cases than there, it is asked in all of them.
 */
export function fluxObjectionsTo(object: Readable): string[] {
  const judged = judgedOf(object)
  return Object.keys(fluxChecks).filter((check) => fluxChecks[check]?.(judged))
}

interface Judged {
  readonly conditions: readonly Condition[]
  readonly ready: Condition | undefined
  readonly isReady: boolean
  readonly isReconciling: boolean
  readonly isStalled: boolean
  /** Those that tell of something that is not as it should be. */
  readonly negative: readonly Condition[]
  readonly generation: number
  /** status.observedGeneration. */
  readonly root: number
}

function judgedOf({ metadata, status }: Readable): Judged {
  const conditions = status?.conditions ?? []
  const ready = conditionOf(conditions, 'Ready')
  return {
    conditions,
    ready,
    isReady: ready?.status === 'True',
    isReconciling: conditionOf(conditions, 'Reconciling') !== undefined,
    isStalled: conditionOf(conditions, 'Stalled') !== undefined,
    negative: conditions.filter(({ type }) => ['Reconciling', 'Stalled', 'OperationsBlocked'].includes(type)),
    generation: metadata.generation ?? 0,
    root: status?.observedGeneration ?? -1,
  }
}

const ofGeneration = ({ observedGeneration = 0 }: Condition): number => observedGeneration

/** By name and what is wrong when it holds. */
const fluxChecks: Readonly<Record<string, (judged: Judged) => boolean>> = {
  'FAIL0001: Ready True beside a negative condition that is True': ({ isReady, negative }) =>
    isReady && negative.some(({ status }) => status === 'True'),
  'FAIL0002: no Ready': ({ ready }) => ready === undefined,
  'FAIL0004: Ready is not False while Stalled': ({ isStalled, ready }) => isStalled && ready?.status !== 'False',
  'FAIL0005: both Reconciling and Stalled': ({ isReconciling, isStalled }) => isReconciling && isStalled,
  'FAIL0006: observedGeneration above generation': ({ root, generation }) => root > generation,
  'FAIL0007: Ready True of an older generation': ({ isReady, root, generation }) => isReady && root < generation,
  'FAIL0008: Ready True beside an older condition': ({ isReady, conditions, generation }) =>
    isReady && conditions.some((each) => ofGeneration(each) < generation),
  'FAIL0009: a condition of another generation than the root': ({ conditions, root }) =>
    conditions.some((each) => ofGeneration(each) !== root),
  'FAIL0011: Ready Unknown without Reconciling': ({ ready, isReconciling }) =>
    ready?.status === 'Unknown' && !isReconciling,
  'WARN0001: a negative condition beside Ready True': ({ isReady, negative }) => isReady && negative.length > 0,
  'WARN0002: Ready has the reason of no negative condition': ({ isReady, negative, ready }) =>
    !isReady && negative.length > 0 && negative.every(({ reason }) => reason !== ready?.reason),
  'WARN0003, WARN0004: a negative condition that is not True': ({ negative }) =>
    negative.some(({ status }) => status !== 'True'),
  'WARN0005: a condition without generation': ({ conditions }) => conditions.some((each) => ofGeneration(each) < 1),
  'Ready False with nothing under way and nothing stalled': ({ ready, negative }) =>
    ready?.status === 'False' && negative.length === 0,
}
