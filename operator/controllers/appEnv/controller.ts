import type { AppEnv, AppEnvStatus } from '../../api/appEnv.ts'
import { appEnvKind } from '../../api/appEnv.ts'
import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import { finalizers, refOf } from '../../api/meta.ts'
import type { Controller, Reader } from '../../runtime/controller.ts'
import { isLeaving, releaseUnused, type Users } from '../inUse.ts'

/** An AppEnv: it only has to stay as long as an instance is in it. */
export const appEnv: Controller<AppEnv, AppEnvStatus> = {
  kind: appEnvKind,
  finalizer: finalizers.inUse,
  watches: [
    { type: appEnvKind, keys: (object) => [refOf(object)] },
    {
      type: appInstanceKind,
      ignoresStatus: true,
      keys: (object, cache) => {
        const env = { namespace: '', name: (object as AppInstance).spec.env }
        return isLeaving(cache.get(appEnvKind, env)) ? [env] : []
      },
    },
  ],

  reconcile: () => Promise.resolve({ outcome: { kind: 'settled' } }),

  cleanup: ({ cache, now }, env) => Promise.resolve(releaseUnused(env, usersOf(cache, env), now)),
}

function usersOf(cache: Reader, { metadata: { name } }: AppEnv): Users {
  return {
    kind: appInstanceKind.kind,
    refs: cache.byIndex<AppInstance>(appInstanceKind, 'env', name).map(refOf),
    command: `kubectl get appinstances -A --field-selector spec.env=${name}`,
  }
}
