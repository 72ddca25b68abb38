import type { AppInstance } from '../api/appInstance.ts'
import type { Attempt } from '../api/appTask.ts'
import { appTaskKind, tokenOf } from '../api/appTask.ts'
import { annotations, apiVersion } from '../api/meta.ts'
import { taskName } from './names.ts'

/**
 * The AppTask that records a try to create or remove an instance. It has no owner: history outlives the instance.
 * In: the instance, what is done, the try before it if there was one. Out: the object to create.
 */
export function makeTask(instance: AppInstance, type: Attempt['spec']['type'], before: Attempt | undefined): Attempt {
  const { name, namespace = '', uid = '' } = instance.metadata
  const attempt = (before?.spec.attempt ?? 0) + 1
  const token = instance.metadata.annotations?.[annotations.retry]
  const first = type === 'Create' ? 'instance created' : 'instance deleted'
  return {
    apiVersion,
    kind: appTaskKind.kind,
    metadata: { name: taskName(name, uid, type, attempt), namespace },
    spec: {
      instance: name,
      instanceUid: uid,
      type,
      attempt,
      cause: before && token !== undefined ? tokenOf(token) : first,
      ...(token !== undefined && { token: tokenOf(token) }),
    },
  }
}
