import type { Reason } from '../api/conditions.ts'

/** How a reconcile ended. What is thrown instead is transient (KubeError) or a bug. */
export type Outcome =
  /** Nothing to do until an event comes. */
  | { readonly kind: 'settled' }
  /** Work is under way and clears by itself; an event or `retryAfterSeconds` wakes us. */
  | {
      readonly kind: 'progressing'
      readonly reason: Reason
      readonly message: string
      readonly retryAfterSeconds?: number
    }
  /** Another object must appear or change; its watch wakes us. */
  | { readonly kind: 'blocked'; readonly reason: Reason; readonly message: string; readonly by: string }
  /** The user must change the spec. */
  | { readonly kind: 'invalid'; readonly reason: Reason; readonly message: string; readonly field: string }
  /** Tried and gave up: Errored. */
  | { readonly kind: 'failed'; readonly reason: Reason; readonly message: string }
