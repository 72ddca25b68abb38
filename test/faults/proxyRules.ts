/** A request on its way to the API server. `url` carries the query. */
export interface ProxyRequest {
  readonly method: string
  readonly url: string
  readonly isWatch: boolean
  /** When it came, in milliseconds of a clock that never jumps. */
  readonly at: number
}

export type Matches = (request: ProxyRequest) => boolean

/** What becomes of a request. */
export type Action =
  | { readonly kind: 'pass' }
  /** Not forwarded before. */
  | { readonly kind: 'wait'; readonly until: Promise<void> }
  /** Never forwarded; the connection is reset. */
  | { readonly kind: 'dropBefore' }
  /** Forwarded; the connection is reset instead of the answer. */
  | { readonly kind: 'dropAfter' }
  /** Forwarded twice, one after the other. */
  | { readonly kind: 'duplicate'; readonly answer: 'first' | 'second' }
  /** Never forwarded; answered with a metav1.Status. */
  | StatusAction
  /** Forwarded; only the first bytes of the answer come, and then the end: of the connection, or as if that were all. */
  | { readonly kind: 'truncate'; readonly bytes: number; readonly ending: 'reset' | 'clean' }
  /** Forwarded; another body than the server's. */
  | { readonly kind: 'rewrite'; body(answered: string): string }

interface StatusAction {
  readonly kind: 'status'
  readonly code: number
  readonly reason?: string
  readonly message?: string
  readonly retryAfterSeconds?: number
}

/** Decides about one request; undefined: not this rule's. `nth` counts the requests the rule was asked about, from 1. */
export type Decide = (request: ProxyRequest, nth: number) => Action | undefined

/** What becomes of a line of a watch; a promise holds it back, and all lines after it in the same stream. */
export type EventAction = 'pass' | 'swallow' | 'duplicate' | 'garble' | 'split' | Promise<void>

export interface Line {
  readonly type: string
  readonly object: {
    readonly kind?: string
    readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly resourceVersion?: string }
  }
}

/** A rule in force; the first that decides about a request wins. */
export interface Rule {
  /** How many requests it decided about. */
  readonly hits: number
  remove(): void
}

/** Rules in the order in which they were made. */
export class Rules<Subject extends unknown[], Decision> {
  readonly #rules = new Set<(...subject: Subject) => Decision | undefined>()

  add(decide: (...subject: [...Subject, number]) => Decision | undefined): Rule {
    let [asked, hits] = [0, 0]
    const ask = (...subject: Subject): Decision | undefined => {
      asked += 1
      const decision = decide(...subject, asked)
      if (decision !== undefined) hits += 1
      return decision
    }
    this.#rules.add(ask)
    return {
      get hits() {
        return hits
      },
      remove: () => void this.#rules.delete(ask),
    }
  }

  decide(...subject: Subject): Decision | undefined {
    for (const ask of this.#rules) {
      const decision = ask(...subject)
      if (decision !== undefined) return decision
    }
    return undefined
  }

  clear(): void {
    this.#rules.clear()
  }
}

/** Matches by method (any of them, separated by `|`; '' for all) and by a part of the URL. */
export function request(methods: string, part: string | RegExp): Matches {
  return ({ method, url }) =>
    (methods === '' || methods.split('|').includes(method)) &&
    (typeof part === 'string' ? url.includes(part) : part.test(url))
}

/** The lists of a type, not its watches. */
export function listsOf(plural: string): Matches {
  return ({ method, url, isWatch }) => method === 'GET' && !isWatch && new RegExp(`/${plural}(\\?|$)`).test(url)
}

export function watchesOf(plural: string): Matches {
  return ({ url, isWatch }) => isWatch && new RegExp(`/${plural}\\?`).test(url)
}

/** Decides with `action` about the first `times` requests that match. */
export function on(matches: Matches, action: Action, times = Number.POSITIVE_INFINITY): Decide {
  let left = times
  return (subject) => {
    if (left <= 0 || !matches(subject)) return undefined
    left -= 1
    return action
  }
}

/** The body of an answer to a `status`. */
export function statusBody({ code, reason = '', message = '', retryAfterSeconds }: StatusAction): object {
  const known: Record<number, string> = {
    403: 'Forbidden',
    409: 'Conflict',
    410: 'Expired',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  }
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    reason: reason === '' ? (known[code] ?? 'Unknown') : reason,
    message: message === '' ? `made up by the fault proxy: ${code}` : message,
    ...(retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } }),
  }
}

/** A number from 0 to 1 that depends on the text alone. */
export function chanceOf(text: string): number {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/**
 * A share of the requests that match meets one of `actions`. What happens to the nth request to a path depends on the
 * seed alone, so that requests in another order meet the same; random parts of names (hex) do not count.
 */
export function chaos(seed: number, share: number, matches: Matches, actions: readonly Action[]): Decide {
  const counts = new Map<string, number>()
  return (subject) => {
    if (!matches(subject)) return undefined
    const path = subject.url.split('?', 1)[0]?.replaceAll(/[0-9a-f]{5,}/g, 'x') ?? ''
    const id = `${subject.method} ${path}`
    const nth = (counts.get(id) ?? 0) + 1
    counts.set(id, nth)
    const chance = chanceOf(`${seed} ${id} ${nth}`)
    return chance < share ? actions[Math.floor((chance / share) * actions.length)] : undefined
  }
}

/** Runs a test with a seed; what it throws says the seed that replays it. */
export async function withSeed(seed: number, run: (seed: number) => Promise<void>): Promise<void> {
  try {
    await run(seed)
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
