import type { AppEnv } from '../../api/appEnv.ts'
import type { AppInstance } from '../../api/appInstance.ts'
import type { DeletionPolicy } from '../../api/deletion.ts'

/**
 * What the deletion of an instance leaves: as it says, else its AppEnv, else nothing, but in an environment of type prod.
 * Where the AppEnv is gone nobody knows what it said: what cannot be made again is kept. Pure.
 */
export function deletionPolicyOf({ spec }: AppInstance, env: AppEnv | undefined): DeletionPolicy {
  const usual = env === undefined || env.spec.type === 'prod' ? 'Retain' : 'Delete'
  return spec.deletionPolicy ?? env?.spec.defaults?.deletionPolicy ?? usual
}

/** Where that is said, in words. Pure. */
export function deletionPolicySource({ spec }: AppInstance, env: AppEnv | undefined): string {
  if (spec.deletionPolicy !== undefined) return 'spec.deletionPolicy'
  if (env === undefined) return `by default, as AppEnv '${spec.env}' is gone`
  return env.spec.defaults?.deletionPolicy === undefined
    ? `by default, as AppEnv '${spec.env}' is of type ${env.spec.type}`
    : `spec.defaults.deletionPolicy of AppEnv '${spec.env}'`
}

/** Whether the API server refuses the deletion of an instance, as the policy `protected` says it too. Pure. */
export function isProtected({ spec }: AppInstance, env: AppEnv | undefined): boolean {
  return spec.deletionProtection ?? env?.spec.defaults?.deletionProtection ?? env?.spec.type === 'prod'
}
