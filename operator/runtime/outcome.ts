import type { Reason } from '../api/conditions.ts'

/** How a reconcile ended. What is thrown instead is transient (KubeError) or a bug. */
export type Outcome =
  /** Nothing to do until an event comes. */
  | { readonly kind: 'settled' }
  /** Work is under way and clears by itself; an event wakes us. */
  | (Told & { readonly kind: 'progressing' })
  /** Another object must appear or change; its watch wakes us. */
  | (Told & { readonly kind: 'blocked'; readonly by: string })
  /** The user must change the spec. */
  | (Told & { readonly kind: 'invalid'; readonly field: string })
  /** Tried and gave up: Errored. */
  | (Told & { readonly kind: 'failed' })

interface Told {
  readonly reason: Reason
  readonly message: string
  /** Time wakes us, too. */
  readonly retryAfterSeconds?: number
}
