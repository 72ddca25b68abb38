import type { Access } from '../api/access.ts'
import { accessRoleName, accessRoles } from '../api/access.ts'
import { apiVersionOf, clusterRoleType, roleBindingType } from '../api/builtin.ts'
import { canonical } from '../api/canonical.ts'
import type { Owner } from './labels.ts'
import { ownerLabels } from './labels.ts'
import type { Desired } from './plan.ts'

/**
 * Who may do what in the instance's namespace: for each role that somebody has there a RoleBinding of its name.
 * In: who the instance is, what its App says of access. Out: the objects; the order of the subjects is that of the App.
 */
export function makeRoleBindings(owner: Owner, access: readonly Access[]): Desired[] {
  const due = access.filter(({ envs }) => envs === undefined || envs.includes(owner.env))
  return accessRoles.flatMap((role) => {
    const given = due.filter((each) => each.role === role).map(({ subject }) => subjectOf(subject))
    const subjects = [...new Map(given.map((subject) => [canonical(subject), subject])).values()]
    if (subjects.length === 0) return []
    const name = accessRoleName(role)
    return [
      {
        type: roleBindingType,
        mode: 'apply',
        object: {
          apiVersion: apiVersionOf(roleBindingType),
          kind: roleBindingType.kind,
          metadata: { name, namespace: owner.instance, labels: ownerLabels(owner) },
          roleRef: { apiGroup: clusterRoleType.group, kind: clusterRoleType.kind, name },
          subjects,
        } as Desired['object'],
      },
    ]
  })
}

/** As the API server stores it. */
function subjectOf({ kind, name, namespace }: Access['subject']): object {
  return namespace === undefined ? { apiGroup: clusterRoleType.group, kind, name } : { kind, name, namespace }
}
