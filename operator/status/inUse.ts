import type { Verdicts } from './conditions.ts'

/** The conditions of an object that is being deleted and that others still use. */
export function inUseVerdicts(message: string): Verdicts {
  return {
    Accepted: { status: 'True', reason: 'Accepted', message: 'The deletion can be acted on.' },
    Ready: { status: 'Unknown', reason: 'InUse', message },
    Reconciling: { status: 'True', reason: 'InUse', message },
  }
}
