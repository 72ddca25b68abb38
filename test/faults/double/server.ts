import type { Admin, Reply } from '../../support/apiserver.ts'
import type { Json, Members } from './json.ts'
import { get, list, shown, shows, viewOf, type View } from './reads.ts'
import { routeOf, type Route } from './routes.ts'
import { crds, servedKind, type Served } from './served.ts'
import { gone, Refusal, refusal, type Answer } from './statuses.ts'
import { Store, type Actor, type Change } from './store.ts'
import { create, patch, remove, type Writing } from './writes.ts'

/** One request as it comes over the wire; `path` carries the query. */
export interface Question {
  readonly method: string
  readonly path: string
  readonly body?: Json
  readonly contentType?: string
  readonly accept?: string
}

/** An event of a watch, as JSON. */
export interface StreamEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: object
}

/** An open watch. */
export interface Watching {
  /** Told of each event, in order. */
  onEvent: (event: StreamEvent) => void
  /** Told when the server ends it. */
  onEnd: () => void
  /** A bookmark of all that was told so far. */
  bookmark(): StreamEvent
  close(): void
}

export interface DoubleOptions {
  /** The time of day, in milliseconds since 1970. */
  readonly now: () => number
  /** What is there already; default: nothing. */
  readonly store?: Store
}

const crdType = servedKind('CustomResourceDefinition')

/**
 * A Kubernetes API server in memory, at the level of HTTP requests: what the operator, a user or the rest of a cluster
 * send it is answered as the real one would, as far as test/faults/parity.test.ts compares the two.
 */
export class Double {
  readonly store: Store
  /** Told of every request and its answer. */
  onAnswer: ((question: Question, answer: Answer, actor: Actor) => void) | undefined
  readonly #now: () => number
  readonly #watching = new Map<Watching, View>()
  /** Watches from before are refused. */
  #compacted = 0
  #suffixes = 0

  constructor({ now, store = new Store() }: DoubleOptions) {
    this.#now = now
    this.store = store
    this.store.onChange((change) => this.#tell(change))
  }

  /** Answers a request at once. */
  handle(question: Question, actor: Actor): Answer {
    const answer = this.#handle(question, actor)
    this.onAnswer?.(question, answer, actor)
    return answer
  }

  /** A list as things were at `resourceVersion`. */
  listAt(question: Question, resourceVersion: number): Answer {
    const route = this.#routeOf(question.path)
    return list(this.store, route, question.accept ?? '', resourceVersion)
  }

  /** Opens a watch; what happened since its resourceVersion is told before this returns to `onEvent`. */
  watch(question: Question, onEvent: Watching['onEvent'], onEnd: () => void): Watching | Answer {
    const route = routeOf(question.path)
    if (route === undefined || !this.isServed(route.served)) return notServed().answer
    const from = Number(route.query.get('resourceVersion') ?? '0')
    const view = viewOf(route, question.accept ?? '')
    const watching: Watching = {
      onEvent,
      onEnd,
      bookmark: () => bookmarkOf(view, this.store.resourceVersion),
      close: () => void this.#watching.delete(watching),
    }
    if (from < this.#compacted) {
      onEvent({ type: 'ERROR', object: gone().body })
      onEnd()
      return watching
    }
    for (const change of this.store.since(route.served, from)) this.#tellOne(watching, view, change)
    this.#watching.set(watching, view)
    return watching
  }

  /** Forgets what happened before: a watch from an older resourceVersion ends with 410. */
  compact(): void {
    this.#compacted = this.store.resourceVersion
  }

  /** Whether a type is served: of a custom kind, whether its CRD is there. */
  isServed(served: Served): boolean {
    return served.schema === undefined || this.store.get(crdType, `/${served.qualified}`) !== undefined
  }

  /** Ends the watches of a type. */
  endWatches(served: Served): void {
    for (const [watching, view] of this.#watching) {
      if (view.served !== served) continue
      this.#watching.delete(watching)
      watching.onEnd()
    }
  }

  #handle(question: Question, actor: Actor): Answer {
    try {
      return this.#answer(question, actor)
    } catch (error) {
      if (error instanceof Refusal) return error.answer
      throw error
    }
  }

  #answer(question: Question, actor: Actor): Answer {
    const { method, body, contentType = '', accept = '' } = question
    const route = this.#routeOf(question.path)
    const now = new Date(this.#now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const writing: Writing = { store: this.store, route, actor, now, suffix: () => this.#suffix() }
    if (method === 'GET') return route.name === '' ? list(this.store, route, accept) : get(this.store, route, accept)
    if (method === 'POST') return create(writing, body as Members)
    if (method === 'PATCH') return patch(writing, contentType, body)
    if (method === 'DELETE') return remove(writing, body ?? {})
    throw refusal(405, 'MethodNotAllowed', `the double knows no ${method}`)
  }

  #routeOf(path: string): Route {
    const route = routeOf(path)
    if (route === undefined || !this.isServed(route.served)) throw notServed()
    return route
  }

  #suffix(): string {
    this.#suffixes += 1
    return this.#suffixes.toString(36).padStart(5, 'x')
  }

  #tell(change: Change): void {
    for (const [watching, view] of this.#watching) {
      if (view.served === change.served) this.#tellOne(watching, view, change)
    }
  }

  /** An object that a selector begins or ceases to take is, to the watch, one that comes or goes. */
  #tellOne(watching: Watching, view: View, { key, before, after, shown: object }: Change): void {
    const [was, is] = [shows(view, key, before), shows(view, key, after)]
    if (!was && !is) return
    const type = was && is ? 'MODIFIED' : is ? 'ADDED' : 'DELETED'
    // One that left the selection is shown as it was, with the resourceVersion of the change.
    const last = type === 'DELETED' && after !== undefined ? withVersionOf(before!, object) : object
    watching.onEvent({ type, object: shown(view, last) })
  }
}

function withVersionOf(object: Members, { metadata }: Members): Members {
  const { resourceVersion } = metadata as { resourceVersion: string }
  return { ...object, metadata: { ...(object['metadata'] as Members), resourceVersion } }
}

function bookmarkOf({ served: { type }, isMetadataOnly }: View, resourceVersion: number): StreamEvent {
  const what = isMetadataOnly
    ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }
    : { kind: type.kind, apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}` }
  const metadata = { resourceVersion: String(resourceVersion), creationTimestamp: null }
  return { type: 'BOOKMARK', object: { ...what, metadata } }
}

function notServed(): Refusal {
  return refusal(404, 'NotFound', 'the server could not find the requested resource', {})
}

/** The double as an administrator uses it: every call is answered at once. */
export function makeDoubleAdmin(double: Double, actor: Actor = 'user'): Admin {
  return ({ method = 'GET', path, body, contentType, accept = '' }) => {
    const preset = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const answer = double.handle({ method, path, body, contentType: contentType ?? preset, accept }, actor)
    const reply: Reply = { status: answer.status, body: structuredClone(answer.body), warnings: [] }
    return Promise.resolve(reply)
  }
}

/** Puts in what a new cluster has: its namespaces and our CRDs. */
export function furnish(double: Double): void {
  for (const name of ['default', 'kube-system']) {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    double.handle({ method: 'POST', path: '/api/v1/namespaces', body }, 'world')
  }
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  for (const crd of crds) {
    const { apiVersion, kind } = crd
    const metadata = { ...(crd['metadata'] as Members), finalizers: ['customresourcecleanup.apiextensions.k8s.io'] }
    const { group, names, scope } = crd['spec'] as Members
    // Without its schema, which nobody reads there.
    double.handle(
      { method: 'POST', path, body: { apiVersion, kind, metadata, spec: { group, names, scope } } },
      'world',
    )
  }
}
