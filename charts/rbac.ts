import { accessRoleName, accessRoles } from '../operator/api/access.ts'
import { clusterRoleType } from '../operator/api/builtin.ts'
import type { ResourceType } from '../operator/api/meta.ts'
import { leaseName } from '../operator/api/meta.ts'
import { eventType } from '../operator/runtime/events.ts'
import { leaseType, leaseVerbs } from '../operator/runtime/lease.ts'

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

/** One rule of a role: all rights on one resource. */
export interface Rule {
  readonly apiGroups: readonly [string]
  readonly resources: readonly [string]
  /** The only objects it is about; all when missing. */
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
  /** What the rights are for, without repetitions. */
  readonly why: readonly string[]
}

/** In the order in which they are read. */
const verbs = ['get', 'list', 'watch', 'create', 'patch', 'delete']

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

/** The rights as rules: one for each resource, by group and name. */
export function rulesOf(grants: readonly Grant[]): readonly Rule[] {
  const byResource = Map.groupBy(grants, ({ group, resource }) => `${group} ${resource}`)
  return [...byResource.keys()].toSorted().map((key) => {
    const own = byResource.get(key) ?? []
    const given = new Set(own.map(({ verb }) => verb))
    const { group = '', resource = '' } = own[0] ?? {}
    return {
      apiGroups: [group],
      resources: [resource],
      verbs: verbs.filter((verb) => given.has(verb)),
      why: [...new Set(own.map(({ why }) => why))],
    }
  })
}

/** The rights in the operator's own namespace: on the Lease. Whoever may create one cannot be held to a name. */
export function leaseRules(): readonly Rule[] {
  const rule = { apiGroups: [leaseType.group], resources: [leaseType.plural] } as const
  return [
    {
      ...rule,
      resourceNames: [leaseName],
      verbs: leaseVerbs.filter((verb) => verb !== 'create'),
      why: ['the Lease of the operator that leads'],
    },
    { ...rule, verbs: ['create'], why: ['the same; a right to create knows no names'] },
  ]
}

/** The one right that is named and not watched or written: to let others have the roles that an App's access gives. */
export function bindRules(): readonly Rule[] {
  const { group, plural } = clusterRoleType
  return [
    {
      apiGroups: [group],
      resources: [plural],
      resourceNames: accessRoles.map(accessRoleName),
      verbs: ['bind'],
      why: ["roles that an App's access gives, in the namespaces of its instances"],
    },
  ]
}

/** The rules as YAML, each below a comment that says what it is for. */
export function printRules(rules: readonly Rule[]): string {
  return rules
    .map(({ apiGroups, resources, resourceNames, verbs: given, why }) =>
      [
        `  # ${why.join(', ')}`,
        `  - apiGroups: ['${apiGroups[0]}']`,
        `    resources: [${resources[0]}]`,
        ...(resourceNames === undefined ? [] : [`    resourceNames: [${resourceNames.join(', ')}]`]),
        `    verbs: [${given.join(', ')}]`,
      ].join('\n'),
    )
    .join('\n')
}
