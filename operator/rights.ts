import type { ResourceType } from './api/meta.ts'
import { eventType } from './runtime/events.ts'

/** The rights that the operator needs on all of a cluster: the chart gives them, and the process asks for them when it starts. */

/** What the operator declares of its work; the only source of the rights it gets. */
export interface Declared {
  readonly informers: readonly Watched[]
  readonly controllers: readonly { readonly kind: Kind; readonly finalizer?: string }[]
  readonly writes: readonly { readonly type: ResourceType; readonly verbs: readonly string[] }[]
}

interface Watched {
  readonly type: ResourceType
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly metadataOnly?: boolean
}

type Kind = ResourceType & { readonly status: unknown }

/** One right, and what it is for. */
export interface Grant {
  readonly group: string
  /** Plural, with the subresource if it is one: `appinstances/status`. */
  readonly resource: string
  readonly verb: string
  readonly why: string
}

/** In the order in which they are read. */
export const verbs: readonly string[] = ['get', 'list', 'watch', 'create', 'patch', 'delete']

/**
 * Every right the operator needs, from what it declares.
 * Throws a TypeError for a type or a verb that is no plain name: no wildcard ever gets into a role.
 */
export function grantsOf({ informers, controllers, writes }: Declared): readonly Grant[] {
  const grants = [
    ...informers.flatMap((watched) => ['list', 'watch'].map((verb) => grant(watched.type, verb, sayWatched(watched)))),
    ...writes.flatMap(({ type, verbs: written }) =>
      written.map((verb) => grant(type, verb, verb === 'get' ? 'looked at live' : 'written')),
    ),
    ...controllers
      .filter(({ kind }) => kind.status !== null)
      .map(({ kind }) => grant({ ...kind, plural: `${kind.plural}/status` }, 'patch', 'status')),
    ...controllers
      .filter(({ finalizer }) => finalizer !== undefined)
      .map(({ kind, finalizer }) => grant(kind, 'patch', `finalizer ${finalizer}`)),
    grant(eventType, 'create', 'events of what it does'),
  ]
  const odd = grants.find(({ group, resource, verb }) => !/^[a-z0-9./-]+$/.test(`${group}/${resource}/${verb}`))
  if (odd !== undefined) throw new TypeError(`no right to be given: ${JSON.stringify(odd)}`)
  return grants
}

function sayWatched({ labelSelector, fieldSelector, metadataOnly = false }: Watched): string {
  const what = metadataOnly ? 'metadata watched' : 'watched'
  if (fieldSelector !== undefined) return `${what} where ${fieldSelector}`
  return labelSelector === undefined ? what : `${what} where labelled ${labelSelector}`
}

function grant({ group, plural }: Pick<ResourceType, 'group' | 'plural'>, verb: string, why: string): Grant {
  if (!verbs.includes(verb)) throw new TypeError(`unknown verb '${verb}' on ${plural}`)
  return { group, resource: plural, verb, why }
}
