import type { Logger } from 'pino'
import type { AppEnv, AppEnvType } from '../../api/appEnv.ts'
import { appEnvKind } from '../../api/appEnv.ts'
import { apiVersion, finalizers } from '../../api/meta.ts'
import type { KubeClient } from '../../kube/client.ts'
import { isKubeError } from '../../kube/errors.ts'
import type { Reader } from '../../runtime/controller.ts'

const defaultTypes: readonly AppEnvType[] = ['prod', 'staging', 'dev']

/** The AppEnvs of a cluster that has none: each is called as its type. */
export const defaultEnvs: readonly AppEnv[] = defaultTypes.map((type) => ({
  apiVersion,
  kind: appEnvKind.kind,
  metadata: { name: type, finalizers: [finalizers.inUse] },
  spec: { type },
}))

export interface DefaultEnvsOptions {
  readonly client: Pick<KubeClient, 'create'>
  /** Synced. */
  readonly cache: Reader
  readonly log: Logger
  /** Ends it: what was not created by then stays away. */
  readonly signal: AbortSignal
}

/**
 * Creates the AppEnvs prod, staging and dev in a cluster that has none, so that a first App needs no admin.
 * What cannot be created is logged: an admin may, and instances say what they wait for. Never rejects.
 */
export async function createDefaultEnvs({ client, cache, log, signal }: DefaultEnvsOptions): Promise<void> {
  if (cache.list<AppEnv>(appEnvKind).length > 0) return
  for (const env of defaultEnvs) {
    if (signal.aborted) return
    const { type } = env.spec
    try {
      await client.create(appEnvKind, env, { signal })
      log.info({ env: type }, 'Creating default AppEnv')
    } catch (error) {
      if (signal.aborted || isKubeError(error, 'AlreadyExists')) continue
      log.warn({ err: error, env: type }, 'Failed to create a default AppEnv')
    }
  }
}
