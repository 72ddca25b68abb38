import type { AppInstancePhase } from '../api/appInstance.ts'
import { reasons } from '../api/conditions.ts'
import type { Reason } from '../api/conditions.ts'
import type { Verdicts } from './conditions.ts'

type Row = readonly [AppInstancePhase, (verdicts: Verdicts) => boolean]

/** What the first release may still wait for. */
const creating: ReadonlySet<Reason | undefined> = new Set([
  'Creating',
  'NamespaceTerminating',
  'Forbidden',
  'ClaimUnbound',
])

/** What a removal may wait for. */
const deleting: ReadonlySet<Reason | undefined> = new Set(['Terminating', 'ForeignClaim'])

/** The first row that holds is the phase; without one it is Deploying. test/unit/status holds a case for each. */
const rows: readonly Row[] = [
  ['Errored', ({ OperationsBlocked }) => OperationsBlocked !== undefined],
  ['Deleting', ({ Reconciling }) => deleting.has(Reconciling?.reason)],
  ['Invalid', ({ Accepted }) => Accepted?.status === 'False'],
  ['Suspended', ({ Ready, Suspended }) => Ready?.status === 'True' && Suspended !== undefined],
  ['Running', ({ Ready }) => Ready?.status === 'True'],
  ['Degraded', ({ Ready, Available }) => Ready?.status === 'False' && Available?.status === 'True'],
  ['Down', ({ Ready }) => Ready?.status === 'False'],
  ['Creating', ({ Reconciling, Deployed }) => creating.has(Reconciling?.reason) && Deployed?.reason === 'Creating'],
  ['Pending', ({ Reconciling }) => Reconciling !== undefined && reasons[Reconciling.reason].class === 'blocked'],
]

/** The phase of an instance: one pure function of its conditions, for people; no program reads it. */
export function phaseOf(verdicts: Verdicts): AppInstancePhase {
  return rows.find(([, holds]) => holds(verdicts))?.[0] ?? 'Deploying'
}
