import type { AppInstanceStatus } from '../../operator/api/appInstance.ts'
import { conditionOf } from '../../operator/status/conditions.ts'
import type { KstatusResult, Readable } from './genericTools.ts'
import { fluxObjectionsTo, kstatusOf } from './genericTools.ts'

/** The table of design/api.md, Phase: which conditions a phase stands for, and what generic tools make of them. */

type Verdict = 'True' | 'False' | 'Unknown' | 'any'
type ArgoHealth = 'Progressing' | 'Healthy' | 'Suspended' | 'Degraded'
type Phase = NonNullable<AppInstanceStatus['phase']>

export interface Row {
  readonly Accepted: Verdict
  readonly Ready: Verdict
  readonly Available: Verdict
  /** Conditions besides those that may always be there, in their order. */
  readonly besides: readonly string[]
  readonly kstatus: KstatusResult
  /** Argo CD, with integrations/argocd. */
  readonly argocd: ArgoHealth
}

/** By phase. */
export const phaseTable: Readonly<Record<Phase, readonly Row[]>> = {
  Pending: [row(['True', 'Unknown', 'False'], ['Reconciling'], 'InProgress', 'Progressing')],
  Creating: [row(['True', 'Unknown', 'False'], ['Reconciling'], 'InProgress', 'Progressing')],
  Deploying: [row(['True', 'Unknown', 'any'], ['Reconciling'], 'InProgress', 'Progressing')],
  Running: [row(['True', 'True', 'True'], [], 'Current', 'Healthy')],
  Degraded: [
    row(['True', 'False', 'True'], ['Reconciling'], 'InProgress', 'Progressing'),
    row(['True', 'False', 'True'], ['Stalled'], 'Failed', 'Degraded'),
  ],
  Down: [
    row(['True', 'False', 'False'], ['Reconciling'], 'InProgress', 'Progressing'),
    row(['True', 'False', 'False'], ['Stalled'], 'Failed', 'Degraded'),
  ],
  Invalid: [row(['False', 'False', 'any'], ['Stalled'], 'Failed', 'Degraded')],
  Suspended: [row(['True', 'True', 'False'], ['Suspended'], 'Current', 'Suspended')],
  Errored: [row(['True', 'False', 'any'], ['Stalled', 'OperationsBlocked'], 'Failed', 'Degraded')],
  Deleting: [row(['True', 'Unknown', 'any'], ['Reconciling'], 'Terminating', 'Progressing')],
}

function row(
  [Accepted, Ready, Available]: readonly [Verdict, Verdict, Verdict],
  besides: readonly string[],
  kstatus: KstatusResult,
  argocd: ArgoHealth,
): Row {
  return { Accepted, Ready, Available, besides, kstatus, argocd }
}

/** An AppInstance, as far as the table speaks of it. */
export interface Phased extends Readable {
  readonly status?: Pick<AppInstanceStatus, 'phase' | 'conditions' | 'observedGeneration'>
}

/** The row an instance is in; undefined when its conditions are none of its phase. */
export function rowOf({ status }: Phased): Row | undefined {
  return status?.phase && phaseTable[status.phase].find((one) => isRow(one, status))
}

/** What the table, or the conventions of conditions, have against an instance; empty when all is well. */
export function objectionsTo(instance: Phased): string[] {
  const { status, metadata } = instance
  const conditions = (status?.conditions ?? []).map(({ type, status: is }) => `${type}=${is}`).join(' ')
  const found = rowOf(instance)
  if (!found) return [`${status?.phase ?? 'no phase'} is not one of the table's rows: ${conditions}`]
  const isSeen = status?.observedGeneration === metadata.generation
  const expected = metadata.deletionTimestamp ? 'Terminating' : isSeen ? found.kstatus : 'InProgress'
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

function isRow(one: Row, status: NonNullable<Phased['status']>): boolean {
  const is = (type: 'Accepted' | 'Ready' | 'Available'): boolean =>
    one[type] === 'any' || conditionOf(status.conditions, type)?.status === one[type]
  const always = new Set(['Accepted', 'Ready', 'Available', 'Deployed', 'ZeroDowntime', 'ChangesPending'])
  // An instance that is suspended may be refused, or wait for something, all the same.
  if (status.phase !== 'Suspended') always.add('Suspended')
  const besides = (status.conditions ?? []).map(({ type }) => type).filter((type) => !always.has(type))
  return is('Accepted') && is('Ready') && is('Available') && besides.join() === one.besides.join()
}
