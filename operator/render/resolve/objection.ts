import type { Reason } from '../../api/conditions.ts'

/** What only the user can mend: the field to change; the value that stands there and what would be right are in the message. */
export interface Objection {
  readonly reason: Reason
  readonly field: string
  readonly message: string
}
