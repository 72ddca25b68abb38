import type { AppEnv } from '../../api/appEnv.ts'
import type { AppInstance } from '../../api/appInstance.ts'
import type { AppInstanceStatus } from '../../api/appInstanceStatus.ts'
import { deletionPolicyOf, isProtected } from './deletion.ts'
import { deployRulesOf } from './deploy.ts'
import { upgradesItself } from './upgrade.ts'

/** What counts of what an instance may leave to its AppEnv or to defaults; undefined while the AppEnv is missing. Pure. */
export function effectiveOf(instance: AppInstance, env: AppEnv | undefined): AppInstanceStatus['effective'] {
  if (!env) return undefined
  return {
    envType: env.spec.type,
    autoUpgrade: upgradesItself(instance, env),
    deploy: deployRulesOf(instance, env),
    deletionPolicy: deletionPolicyOf(instance, env),
    deletionProtection: isProtected(instance, env),
  }
}
