import type { AppInstanceStatus } from '../../operator/api/appInstance.ts'
import { conditionOf } from '../../operator/status/conditions.ts'
import type { KstatusResult, Readable } from './genericTools.ts'
import { fluxObjectionsTo, kstatusOf } from './genericTools.ts'

/** The table of design/api.md, Phase: which conditions a phase stands for, and what generic tools make of them. */

type Verdict = 'True' | 'False' | 'Unknown' | 'any'

export interface Row {
  readonly Accepted: Verdict
  readonly Ready: Verdict
  readonly Available: Verdict
  /** Conditions besides those that may always be there, in their order. */
  readonly besides: readonly string[]
  readonly kstatus: KstatusResult
}

type Phase = NonNullable<AppInstanceStatus['phase']>

/** By phase. */
export const phaseTable: Readonly<Record<Phase, readonly Row[]>> = {
  Pending: [
    { Accepted: 'True', Ready: 'Unknown', Available: 'False', besides: ['Reconciling'], kstatus: 'InProgress' },
  ],
  Creating: [
    { Accepted: 'True', Ready: 'Unknown', Available: 'False', besides: ['Reconciling'], kstatus: 'InProgress' },
  ],
  Deploying: [
    { Accepted: 'True', Ready: 'Unknown', Available: 'any', besides: ['Reconciling'], kstatus: 'InProgress' },
  ],
  Running: [{ Accepted: 'True', Ready: 'True', Available: 'True', besides: [], kstatus: 'Current' }],
  Degraded: [
    { Accepted: 'True', Ready: 'False', Available: 'True', besides: ['Reconciling'], kstatus: 'InProgress' },
    { Accepted: 'True', Ready: 'False', Available: 'True', besides: ['Stalled'], kstatus: 'Failed' },
  ],
  Down: [
    { Accepted: 'True', Ready: 'False', Available: 'False', besides: ['Reconciling'], kstatus: 'InProgress' },
    { Accepted: 'True', Ready: 'False', Available: 'False', besides: ['Stalled'], kstatus: 'Failed' },
  ],
  Invalid: [{ Accepted: 'False', Ready: 'False', Available: 'any', besides: ['Stalled'], kstatus: 'Failed' }],
  Suspended: [{ Accepted: 'True', Ready: 'True', Available: 'False', besides: ['Suspended'], kstatus: 'Current' }],
  Errored: [
    {
      Accepted: 'True',
      Ready: 'False',
      Available: 'any',
      besides: ['Stalled', 'OperationsBlocked'],
      kstatus: 'Failed',
    },
  ],
  Deleting: [
    { Accepted: 'True', Ready: 'Unknown', Available: 'any', besides: ['Reconciling'], kstatus: 'Terminating' },
  ],
}

/** An AppInstance, as far as the table speaks of it. */
export interface Phased extends Readable {
  readonly status?: Pick<AppInstanceStatus, 'phase' | 'conditions' | 'observedGeneration'>
}

/** The row an instance is in; undefined when its conditions are none of its phase. */
export function rowOf({ status }: Phased): Row | undefined {
  return status?.phase && phaseTable[status.phase].find((row) => isRow(row, status))
}

/** What the table, or the conventions of conditions, have against an instance; empty when all is well. */
export function objectionsTo(instance: Phased): string[] {
  const { status, metadata } = instance
  const conditions = (status?.conditions ?? []).map(({ type, status: is }) => `${type}=${is}`).join(' ')
  const row = rowOf(instance)
  if (!row) return [`${status?.phase ?? 'no phase'} is not one of the table's rows: ${conditions}`]
  const isSeen = status?.observedGeneration === metadata.generation
  const expected = metadata.deletionTimestamp ? 'Terminating' : isSeen ? row.kstatus : 'InProgress'
  const told = kstatusOf(instance)
  return [
    ...(metadata.deletionTimestamp && isSeen ? objectionsToGoing(status?.phase) : []),
    ...(told === expected ? [] : [`kstatus says ${told}, not ${expected}: ${conditions}`]),
    ...fluxObjectionsTo(instance),
  ]
}

function objectionsToGoing(phase: Phase | undefined): string[] {
  return phase === 'Deleting' || phase === 'Errored' ? [] : [`${phase}, but it is being deleted`]
}

function isRow(row: Row, status: NonNullable<Phased['status']>): boolean {
  const is = (type: 'Accepted' | 'Ready' | 'Available'): boolean =>
    row[type] === 'any' || conditionOf(status.conditions, type)?.status === row[type]
  const always = new Set(['Accepted', 'Ready', 'Available', 'Deployed', 'ZeroDowntime', 'ChangesPending'])
  // An instance that is suspended may be refused, or wait for something, all the same.
  if (status.phase !== 'Suspended') always.add('Suspended')
  const besides = (status.conditions ?? []).map(({ type }) => type).filter((type) => !always.has(type))
  return is('Accepted') && is('Ready') && is('Available') && besides.join() === row.besides.join()
}
