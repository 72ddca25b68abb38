import type { AppEnv } from '../../api/appEnv.ts'
import type { AppInstance, AppInstanceSpec } from '../../api/appInstance.ts'

type Given = NonNullable<AppInstanceSpec['deploy']>

/** When what an instance declares is deployed. */
export type DeployRules = { readonly [Rule in keyof Given]-?: NonNullable<Given[Rule]> }

/** When what is declared is deployed, rule by rule: as the instance says, else its AppEnv, else as usual. Pure. */
export function deployRulesOf({ spec }: AppInstance, env: AppEnv | undefined): DeployRules {
  const {
    trigger = 'Automatic',
    replicaChanges = 'NextDeployment',
    onSecretChange = 'NextDeployment',
  } = { ...env?.spec.defaults?.deploy, ...spec.deploy }
  return { trigger, replicaChanges, onSecretChange }
}
