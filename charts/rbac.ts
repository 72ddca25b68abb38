import { accessRoleName, accessRoles } from '../operator/api/access.ts'
import { clusterRoleType } from '../operator/api/builtin.ts'
import { leaseName } from '../operator/api/meta.ts'
import { verbs, type Grant } from '../operator/rights.ts'
import { leaseType, leaseVerbs } from '../operator/runtime/lease.ts'

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

/** What people are let do with what they may see, and with what they may change. */
export const reading: readonly string[] = ['get', 'list', 'watch']
export const writing: readonly string[] = ['create', 'update', 'patch', 'delete']

/** A rule of a role for people. */
export function ruleOf(group: string, resource: string, given: readonly string[], why: string): Rule {
  return { apiGroups: [group], resources: [resource], verbs: given, why: [why] }
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
