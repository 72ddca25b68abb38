/** The parts of a metav1.Status of which the server's words are told. */
interface Told {
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly field?: string }[] }
}

/** Statuses with which a server objects to what it was sent, or fails on it: it may quote any of it. */
function mayQuote(status: number): boolean {
  return status === 400 || status === 422 || status >= 500
}

/**
 * What may be told of an error status: its message, without the values the server quotes. Server-side apply quotes, for
 * every kind, the value that has the wrong type; of a Secret, labels, keys and what could not be converted are quoted
 * too, so there only the fields and the reasons are told. `what` is the call, such as `create secrets a/b`.
 */
export function tellable(what: string, status: number, body: Told): string {
  const message = typeof body.message === 'string' ? body.message.trim() : ''
  if (/^\w+ secrets( |$)/.test(what) && mayQuote(status)) {
    const causes = body.details?.causes?.map(({ field = '', reason = '' }) => `${field}: ${reason}`) ?? []
    return ['the message is withheld', body.reason, ...causes].filter((text) => text !== undefined).join(', ')
  }
  if (!message.includes('failed to create typed patch object')) return message
  const got = message.indexOf(', got ')
  return got === -1 ? message : message.slice(0, got)
}
