import { z } from 'zod'
import { dnsLabel, dnsSubdomain, listAtomic, text, withRules, type Immutable } from './schema.ts'

/** Who may do what in the namespaces of an app's instances. */

/** What may be done there, from little to all; each is a ClusterRole of the chart. */
export const accessRoles = ['Viewer', 'Editor', 'Admin'] as const

export type AccessRole = (typeof accessRoles)[number]

/** The ClusterRole, and the RoleBindings to it in instances' namespaces: permanent names, which others refer to. */
export function accessRoleName(role: AccessRole): string {
  return `appstead-${role.toLowerCase()}`
}

const subject = withRules(
  z
    .strictObject({
      kind: z.enum(['User', 'Group', 'ServiceAccount']).meta({ description: 'What the name is of.' }),
      name: text('Name of the user, the group or the ServiceAccount.', { max: 253, min: 1 }),
      namespace: text('Namespace of the ServiceAccount.', { max: 63, min: 1, pattern: dnsLabel }).optional(),
    })
    .meta({ description: 'Who.' }),
  [
    {
      id: 'account-has-namespace',
      rule: "has(self.__namespace__) == (self.kind == 'ServiceAccount')",
      message: 'namespace must be set for a ServiceAccount, and for nobody else',
      messageExpression:
        "(self.kind == 'ServiceAccount' ? 'namespace must be set for ' : 'namespace must not be set for ') + self.kind + \" '\" + self.name + \"'\"",
      reason: 'FieldValueInvalid',
      holds: ({ kind, namespace }) => (namespace !== undefined) === (kind === 'ServiceAccount'),
    },
    {
      id: 'account-name',
      rule: `self.kind != 'ServiceAccount' || self.name.matches('${dnsSubdomain.source.replaceAll('\\', '\\\\')}')`,
      message: 'the name of a ServiceAccount must be lower-case letters, digits, dashes and dots',
      messageExpression: `"name '" + self.name + "' of a ServiceAccount must be lower-case letters, digits, dashes and dots"`,
      reason: 'FieldValueInvalid',
      holds: ({ kind, name }) => kind !== 'ServiceAccount' || dnsSubdomain.test(name),
    },
  ],
)

/** access[] of an App. */
export const access = listAtomic(
  'Who may look at, work with or change what is in the namespaces of its instances, at most 50. Takes effect at once.',
  z.strictObject({
    subject,
    role: z.enum(accessRoles).meta({
      description:
        'What may be done, as a ClusterRole of the chart. Viewer sees all but Secrets, logs and shells; Editor has logs, shells and forwarded ports too, and may end pods; Admin may change everything.',
    }),
    envs: listAtomic(
      'Names of the AppEnvs of whose instances this is said, at most 20. Default: of all.',
      text('Name of an AppEnv.', { max: 63, min: 1, pattern: dnsLabel }),
      20,
      1,
    ).optional(),
  }),
  50,
)

export type Access = Immutable<z.output<typeof access>>[number]
