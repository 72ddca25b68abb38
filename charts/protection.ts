import { appEnvKind } from '../operator/api/appEnv.ts'
import { instances, says, type Policy } from './policy.ts'

/** The policies that keep an instance from being deleted that is protected, by itself or by its AppEnv. */

/** Also when its project is deleted, which then waits, and says so in its conditions. */
export function protectedInstances(): readonly Policy[] {
  const isGoing = 'has(oldObject.metadata.deletionTimestamp)'
  const said = 'oldObject.spec.?deletionProtection'
  const ofEnv = "params.spec.?defaults.?deletionProtection.orValue(params.spec.type == 'prod')"
  return [
    protection('protected', `!${said}.orValue(false) || ${isGoing}`, 'spec.deletionProtection'),
    {
      ...protection(
        'protected-by-env',
        `params.metadata.name != oldObject.spec.env || ${said}.hasValue() || !${ofEnv} || ${isGoing}`,
        'its AppEnv, as it says nothing itself',
      ),
      params: { kind: appEnvKind.kind },
    },
  ]
}

/** The policy on DELETE; `by`: what protects the instance. */
function protection(id: string, expression: string, by: string): Policy {
  const [of, at] = ['oldObject.metadata.name', 'oldObject.metadata.namespace']
  return {
    id,
    why: 'A protected instance is not deleted, also not with its project, which waits for it.',
    when: 'always',
    actions: 'Deny',
    spec: {
      matchConstraints: instances(['DELETE']),
      validations: [
        {
          expression,
          messageExpression: says(
            `AppInstance '%s' of project '%s' is protected from deletion (${by}). To lift that: ` +
              `kubectl patch appinstance %s -n %s --type=merge -p '{\\"spec\\":{\\"deletionProtection\\":false}}'`,
            of,
            at,
            of,
            at,
          ),
          message: `the AppInstance is protected from deletion (${by})`,
          reason: 'Forbidden',
        },
      ],
    },
  }
}
