import type { Logger } from 'pino'
import type { AppEnv, AppEnvType } from '../api/appEnv.ts'
import { appEnvKind } from '../api/appEnv.ts'
import { apiVersion } from '../api/meta.ts'
import type { KubeClient } from '../kube/client.ts'
import { isKubeError } from '../kube/errors.ts'
import type { Reader } from '../runtime/controller.ts'

const defaultTypes: readonly AppEnvType[] = ['prod', 'staging', 'dev']

/**
 * Creates the AppEnvs prod, staging and dev in a cluster that has none, so that a first App needs no admin.
 * In: a client, synced caches. What cannot be created is logged: an admin may, and instances say what they wait for.
 */
export async function createDefaultEnvs(client: Pick<KubeClient, 'create'>, cache: Reader, log: Logger): Promise<void> {
  if (cache.list<AppEnv>(appEnvKind).length > 0) return
  for (const type of defaultTypes) {
    const env = { apiVersion, kind: appEnvKind.kind, metadata: { name: type }, spec: { type } }
    try {
      await client.create(appEnvKind, env)
      log.info({ env: type }, 'Creating default AppEnv')
    } catch (error) {
      if (!isKubeError(error, 'AlreadyExists')) log.warn({ err: error, env: type }, 'Failed to create a default AppEnv')
    }
  }
}
