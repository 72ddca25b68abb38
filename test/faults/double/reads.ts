import { parseSelector } from '../../../operator/runtime/selector.ts'
import type { Members } from './json.ts'
import { keyIn, type Route } from './routes.ts'
import type { Served } from './served.ts'
import { gone, notFound, Refusal, type Answer } from './statuses.ts'
import type { Store } from './store.ts'

/** Which objects a list or watch is about, and how they are shown. */
export interface View {
  readonly served: Served
  readonly namespace: string
  readonly selects: (object: Members) => boolean
  readonly isMetadataOnly: boolean
}

/** The View that a request asks for. */
export function viewOf({ served, namespace, query }: Route, accept: string): View {
  const selector = query.get('labelSelector') ?? ''
  const isLabelled = selector === '' ? () => true : (parseSelector(selector) as unknown as View['selects'])
  const fields = (query.get('fieldSelector') ?? '').split(',').filter((part) => part !== '')
  const selects = (object: Members): boolean => isLabelled(object) && fields.every((part) => hasField(object, part))
  return { served, namespace, selects, isMetadataOnly: accept.includes('as=PartialObjectMetadata') }
}

/** Whether an object meets `path.to.field=value`. */
function hasField(object: Members, part: string): boolean {
  const [path = '', value] = part.split('=')
  const found = path.split('.').reduce<unknown>((at, name) => (at as Members | undefined)?.[name], object)
  return found === value
}

/** Whether the View shows an object. */
export function shows(view: View, key: string, object: Members | undefined): object is Members {
  if (object === undefined || !view.selects(object)) return false
  return isIn(view, key)
}

function isIn({ namespace }: View, key: string): boolean {
  return namespace === '' || key.startsWith(`${namespace}/`)
}

const metadataOnly = new WeakMap<Members, Members>()

/** The object as the View shows it. */
export function shown(view: View, object: Members): Members {
  if (!view.isMetadataOnly) return object
  const known = metadataOnly.get(object)
  if (known !== undefined) return known
  const made = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object['metadata'] }
  metadataOnly.set(object, made)
  return made
}

export function get(store: Store, route: Route, accept: string): Answer {
  const object = store.get(route.served, keyIn(route, route.name))
  if (object === undefined) throw notFound(route.served, route.name)
  return { status: 200, body: shown(viewOf(route, accept), object) }
}

interface Continue {
  readonly resourceVersion: number
  /** The last key of the page before. */
  readonly after: string
}

/** A page of a list: as things are, or as they were at `resourceVersion`. */
export function list(store: Store, route: Route, accept: string, resourceVersion = store.resourceVersion): Answer {
  const view = viewOf(route, accept)
  const token = continueOf(route)
  const at = token?.resourceVersion ?? resourceVersion
  const left = store.list(route.served, at).filter(([key]) => isIn(view, key) && key > (token?.after ?? ''))
  const limit = Number(route.query.get('limit') ?? '0')
  const matching = left.filter(([, object]) => view.selects(object))
  const page = limit > 0 ? matching.slice(0, limit) : matching
  const last = page.at(-1)?.[0] ?? ''
  // A page that is full is the last one only if nothing at all follows, whether it is selected or not.
  const isLast = page.length < limit || limit === 0 || left.at(-1)?.[0] === last
  const next: Continue = { resourceVersion: at, after: last }
  const metadata = { resourceVersion: String(at), ...(isLast ? {} : { continue: btoa(JSON.stringify(next)) }) }
  const { kind, group, version } = route.served.type
  const what = view.isMetadataOnly
    ? { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' }
    : { kind: `${kind}List`, apiVersion: group === '' ? version : `${group}/${version}` }
  const items = page.map(([, object]) => shown(view, object))
  // Of metadata alone, no items are null.
  return { status: 200, body: { ...what, metadata, items: view.isMetadataOnly && items.length === 0 ? null : items } }
}

function continueOf({ query }: Route): Continue | undefined {
  const token = query.get('continue')
  if (token === null || token === '') return undefined
  try {
    return JSON.parse(atob(token)) as Continue
  } catch {
    throw new Refusal(gone())
  }
}
