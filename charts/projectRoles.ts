import { kinds } from '../operator/api/kinds.ts'
import { reading, ruleOf, writing, type Rule } from './rbac.ts'

/**
 * Roles for people, on our own kinds: given by a RoleBinding in a project, or by a ClusterRoleBinding. They are not aggregated
 * into Kubernetes' own `edit` and `admin`: who may run pods in a namespace is not therefore given instances beside it.
 */

/** From little to all; each allows what the one before it does, and more. */
export const projectRoles = ['viewer', 'editor', 'admin'] as const

export type ProjectRole = (typeof projectRoles)[number]

/** The ClusterRole's name. */
export function projectRoleName(role: ProjectRole): string {
  return `appstead-project-${role}`
}

const written = kinds.filter(({ isRecord }) => isRecord !== true)

const viewer = kinds.map(({ group, plural, kind }) => ruleOf(group, plural, reading, `${kind}: seen`))

const editor = [
  ...viewer,
  ...written
    .filter(({ namespaced }) => namespaced)
    .map(({ group, plural, kind }) => ruleOf(group, plural, writing, `${kind}: made, changed and removed`)),
  ...written
    .filter(({ scale }) => scale !== undefined)
    .map(({ group, plural }) => ruleOf(group, `${plural}/scale`, ['get', 'update', 'patch'], 'kubectl scale')),
]

/** What all projects share counts only where the role is given by a ClusterRoleBinding. */
const admin = [
  ...editor,
  ...written
    .filter(({ namespaced }) => !namespaced)
    .map(({ group, plural, kind }) => ruleOf(group, plural, writing, `${kind}: what all projects share`)),
]

const rules: Readonly<Record<ProjectRole, readonly Rule[]>> = { viewer, editor, admin }

/** The rules of a role. No one but the operator writes a status, a release or a lock. */
export function projectRulesOf(role: ProjectRole): readonly Rule[] {
  return rules[role]
}
