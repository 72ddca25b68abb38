import type { KubeObject } from '../api/meta.ts'
import type { KubeClient } from '../kube/client.ts'
import { isKubeError } from '../kube/errors.ts'
import type { Consistency } from './consistency.ts'
import type { Writer } from './controller.ts'

/** The Writer of one reconcile of `key`: every call ends with `signal`, every write is remembered for the key. */
export function makeWriter(client: KubeClient, consistency: Consistency, key: string, signal: AbortSignal): Writer {
  const options = { signal }
  return {
    async create(type, object) {
      const created = await client.create(type, object, options)
      consistency.wrote(key, type, created)
      return created
    },
    async apply(type, object) {
      const applied = await client.apply(type, object, options)
      consistency.wrote(key, type, applied)
      return applied
    },
    async delete(type, ref, uid) {
      await orUndefinedWhenGone(client.delete(type, ref, uid, options))
      consistency.deleted(key, type, ref, uid)
    },
    async patchStatus(type, object, status) {
      const { name, namespace = '', uid = '' } = object.metadata
      consistency.wrote(key, type, await client.patchStatus(type, { namespace, name }, uid, status, options))
    },
    getLive: (type, ref) => orUndefinedWhenGone<KubeObject>(client.get(type, ref, options)),
  }
}

async function orUndefinedWhenGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined
    throw error
  }
}
