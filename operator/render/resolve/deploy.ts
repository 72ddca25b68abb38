import type { AppEnv } from '../../api/appEnv.ts'
import type { AppInstance, AppInstanceSpec } from '../../api/appInstance.ts'

/** When what an instance declares is deployed. */
export type DeployRules = Required<NonNullable<AppInstanceSpec['deploy']>>

const usual: DeployRules = { trigger: 'Automatic', replicaChanges: 'NextDeployment', onSecretChange: 'NextDeployment' }

/** When what is declared is deployed, rule by rule: as the instance says, else its AppEnv, else as usual. Pure. */
export function deployRulesOf({ spec }: AppInstance, env: AppEnv | undefined): DeployRules {
  return { ...usual, ...env?.spec.defaults?.deploy, ...spec.deploy }
}
