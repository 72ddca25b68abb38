import type { Verdicts } from './conditions.ts'

/** The conditions of an App or AppStack whose newest content is published. */
export function publishedVerdicts(revision: string): Verdicts {
  return {
    Accepted: { status: 'True', reason: 'Accepted', message: 'The spec can be acted on.' },
    Ready: { status: 'True', reason: 'Published', message: `The newest revision is ${revision}.` },
  }
}

/** The conditions of an App that names a stack which is not there. */
export function stackMissingVerdicts(message: string): Verdicts {
  return {
    Accepted: { status: 'True', reason: 'Accepted', message: 'The spec can be acted on.' },
    Ready: { status: 'Unknown', reason: 'StackNotFound', message },
    Reconciling: { status: 'True', reason: 'StackNotFound', message },
  }
}
