import type { AppInstance, AppInstancePhase, AppInstanceStatus } from '../api/appInstance.ts'
import { kinds } from '../api/kinds.ts'
import { refusedIn, type State } from '../api/operations.ts'
import type { Verdicts } from './conditions.ts'
import { phaseOf } from './phase.ts'

type Block = Omit<NonNullable<AppInstanceStatus['blocked']>[number], 'since'>

const protection: Block = { operation: 'Delete', reason: 'Protected' }

const states: Partial<Record<AppInstancePhase, State>> = {
  Errored: 'Errored',
  Deleting: 'Deleting',
  Suspended: 'Suspended',
  Creating: 'Creating',
  Pending: 'Creating',
}

/**
 * What may not be done with an instance now.
 * In: the instance with the status it had, its verdicts, the time, whether it is protected from deletion. Out: for its status; what goes on being blocked for
 * the same reason keeps its time.
 */
export function blockedBy(
  { metadata, status }: AppInstance,
  verdicts: Verdicts,
  { now, isProtected }: { readonly now: Date; readonly isProtected: boolean },
): Pick<AppInstanceStatus, 'blocked'> {
  const state = states[phaseOf(verdicts)]
  const reason = (verdicts.OperationsBlocked ?? verdicts.Reconciling ?? verdicts.Suspended)?.reason ?? ''
  const refused: Block[] = state ? refusedIn(state, kinds).map((operation) => ({ operation, reason })) : []
  const isKept = isProtected && metadata.deletionTimestamp === undefined
  const blocked = [...refused, ...(isKept ? [protection] : [])].map((block) => {
    const known = status?.blocked?.find(({ operation }) => operation === block.operation)
    const isSame = known?.reason === block.reason
    return { ...block, since: isSame ? known.since : now.toISOString().replace(/\.\d+Z$/, 'Z') }
  })
  return blocked.length > 0 ? { blocked } : {}
}
