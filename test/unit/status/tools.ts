import type { Condition } from '../../../operator/api/conditions.ts'
import { conditionOf } from '../../../operator/status/conditions.ts'

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

/** What a checker of the conventions that Flux set up would object to; empty when all is well. */
export function fluxObjectionsTo({ metadata, status }: Readable): string[] {
  const conditions = status?.conditions ?? []
  const ready = conditionOf(conditions, 'Ready')
  const reconciling = conditionOf(conditions, 'Reconciling')
  const stalled = conditionOf(conditions, 'Stalled')
  const root = status?.observedGeneration ?? -1
  const negative = conditions.filter(({ type }) => ['Reconciling', 'Stalled', 'OperationsBlocked'].includes(type))
  const objections: readonly (readonly [string, boolean])[] = [
    ['no Ready', ready === undefined],
    ['Ready True beside a negative condition', ready?.status === 'True' && negative.length > 0],
    ['Ready is not False while Stalled', stalled !== undefined && ready?.status !== 'False'],
    ['Ready Unknown without Reconciling', ready?.status === 'Unknown' && reconciling === undefined],
    ['both Reconciling and Stalled', reconciling !== undefined && stalled !== undefined],
    ['a negative condition that is not True', negative.some((each) => each.status !== 'True')],
    ['observedGeneration above generation', root > (metadata.generation ?? 0)],
    ['a condition of another generation', conditions.some((each) => each.observedGeneration !== root)],
    ['a condition without generation', conditions.some((each) => (each.observedGeneration ?? 0) < 1)],
    ['Ready False with nothing under way and nothing stalled', ready?.status === 'False' && negative.length === 0],
  ]
  return objections.filter(([, holds]) => holds).map(([text]) => text)
}
