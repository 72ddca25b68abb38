import type { Json } from './json.ts'
import type { Served } from './served.ts'

/** What the server answers. */
export interface Answer {
  readonly status: number
  readonly body: object
  /** Seconds of a Retry-After header. */
  readonly retryAfter?: number
}

/** An answer that is no success; thrown inside the double and answered by it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly answer: Answer

  constructor(answer: Answer) {
    super(JSON.stringify(answer.body))
    this.answer = answer
  }
}

interface Details {
  readonly [name: string]: Json
}

/** The refusal with a metav1.Status of this code, reason and message. */
export function refusal(code: number, reason: string, message: string, details?: Details): Refusal {
  return new Refusal(statusAnswer(code, reason, message, details))
}

export function statusAnswer(code: number, reason: string, message: string, details?: Details): Answer {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  }
  return { status: code, body }
}

function detailsOf({ type: { group, plural } }: Served, name: string): Details {
  return { name, ...(group === '' ? {} : { group }), kind: plural }
}

export function notFound(served: Served, name: string): Refusal {
  return refusal(404, 'NotFound', `${served.qualified} "${name}" not found`, detailsOf(served, name))
}

export function alreadyExists(served: Served, name: string, isLeaving: boolean): Refusal {
  const message = `${isLeaving ? 'object is being deleted: ' : ''}${served.qualified} "${name}" already exists`
  return refusal(409, 'AlreadyExists', message, detailsOf(served, name))
}

export function conflict(served: Served, name: string, why: string): Refusal {
  const message = `Operation cannot be fulfilled on ${served.qualified} "${name}": ${why}`
  return refusal(409, 'Conflict', message, detailsOf(served, name))
}

/** Others own a field that is applied without force. */
export function applyConflict(): Refusal {
  return refusal(409, 'Conflict', 'Apply failed with conflicts: another manager owns fields', { causes: [] })
}

/** A deletion was meant for an object of another uid. */
export function uidConflict(served: Served, name: string, given: string, found: string): Refusal {
  const why = `the UID in the precondition (${given}) does not match the UID in record (${found})`
  return preconditionConflict(served, name, `${why}. The object might have been deleted and then recreated`)
}

/** A deletion was meant for an object as it was at another resourceVersion. */
export function versionConflict(served: Served, name: string, given: string, found: string): Refusal {
  const why = `the ResourceVersion in the precondition (${given}) does not match the ResourceVersion in record (${found})`
  return preconditionConflict(served, name, `${why}. The object might have been modified`)
}

function preconditionConflict(served: Served, name: string, why: string): Refusal {
  const { group, kind } = served.type
  const what = `${kind}${group === '' ? '' : `.${group}`} "${name}"`
  return refusal(409, 'Conflict', `Operation cannot be fulfilled on ${what}: ${why}`, detailsOf(served, name))
}

/** An operation of a JSON patch does not fit: the server says no more than this. */
export function patchRefused(): Refusal {
  return refusal(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
}

export function invalid(served: Served, name: string, field: string, why: string): Refusal {
  const { group, kind } = served.type
  const message = `${kind}${group === '' ? '' : `.${group}`} "${name}" is invalid: ${field}: Forbidden: ${why}`
  const details = { ...detailsOf(served, name), kind, causes: [{ reason: 'FieldValueForbidden', message: why, field }] }
  return refusal(422, 'Invalid', message, details)
}

/** A uid is never changed; this is also what an object with another uid than the given one is answered. */
export function uidIsImmutable({ type: { group, kind } }: Served, name: string, uid: string): Refusal {
  const why = `Invalid value: ${JSON.stringify(uid)}: field is immutable`
  const message = `${kind}${group === '' ? '' : `.${group}`} "${name}" is invalid: metadata.uid: ${why}`
  const causes = [{ reason: 'FieldValueInvalid', message: why, field: 'metadata.uid' }]
  return refusal(422, 'Invalid', message, { name, ...(group === '' ? {} : { group }), kind, causes })
}

export function namespaceTerminating(served: Served, name: string, namespace: string): Refusal {
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  const causes = [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ]
  return refusal(403, 'Forbidden', `${served.qualified} "${name}" is forbidden: ${why}`, {
    ...detailsOf(served, name),
    causes,
  })
}

export function gone(): Answer {
  return statusAnswer(410, 'Expired', 'too old resource version')
}
