import type { Verdicts } from './conditions.ts'
import { accepted } from './conditions.ts'

/** The conditions of an App or AppStack whose newest content is published. */
export function publishedVerdicts(revision: string): Verdicts {
  return {
    Accepted: accepted,
    Ready: { status: 'True', reason: 'Published', message: `The newest revision is ${revision}.` },
  }
}

/** The conditions of an App or AppStack whose content would be a revision of a name that other content has. */
export function revisionTakenVerdicts(message: string): Verdicts {
  const verdict = { reason: 'RevisionNameTaken', message } as const
  return {
    Accepted: { status: 'False', ...verdict },
    Ready: { status: 'False', ...verdict },
    Stalled: { status: 'True', ...verdict },
  }
}

/** The conditions of an App that names a stack which is not there. */
export function stackMissingVerdicts(message: string): Verdicts {
  return {
    Accepted: accepted,
    Ready: { status: 'Unknown', reason: 'StackNotFound', message },
    Reconciling: { status: 'True', reason: 'StackNotFound', message },
  }
}
