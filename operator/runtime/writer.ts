import { refOf, type KubeObject } from '../api/meta.ts'
import { isKubeError } from '../kube/errors.ts'
import type { Cluster } from './cluster.ts'
import type { Consistency } from './consistency.ts'
import type { Writer } from './controller.ts'

/** Of a live list: more than anybody reads. */
const limit = 500

/** The Writer to a cluster for one reconcile of `key`: every call ends with `signal`, every write is remembered for the key. */
export function makeWriter(cluster: Cluster, consistency: Consistency, key: string, signal: AbortSignal): Writer {
  const { client, informers } = cluster
  const options = { signal }
  return {
    async create(type, object) {
      cluster.check()
      const created = await client.create(type, object, options)
      consistency.wrote(key, informers, { type, object: created })
      return created
    },
    async apply(type, object) {
      cluster.check()
      try {
        const applied = await client.apply(type, object, options)
        consistency.wrote(key, informers, { type, object: applied })
        return applied
      } catch (error) {
        if (isOutcomeUnknown(error)) consistency.mayHaveWritten(key, cluster, { type, ref: refOf(object) })
        throw error
      }
    },
    async writeStatus(type, object, status) {
      cluster.check()
      const written = await client.patchStatus(type, refOf(object), object.metadata.uid ?? '', status, options)
      consistency.wrote(key, informers, { type, object: written })
      return written
    },
    async recordStatus(type, object, status) {
      cluster.check()
      const { uid = '', resourceVersion = '' } = object.metadata
      const written = await client.patchStatus(type, refOf(object), uid, status, { ...options, resourceVersion })
      consistency.wrote(key, informers, { type, object: written })
      return written
    },
    async delete(type, ref, uid) {
      cluster.check()
      await orUndefinedWhenGone(client.delete(type, ref, uid, options))
      consistency.deleted(key, informers, { type, ref, uid })
    },
    async getLive(type, ref) {
      // What another cluster answers is no look at this one.
      cluster.check()
      return orUndefinedWhenGone<KubeObject>(client.get(type, ref, options))
    },
    async listLive(type, namespace, labelSelector) {
      cluster.check()
      const { items } = await client.list(type, { ...options, namespace, labelSelector, limit, metadataOnly: true })
      return items
    },
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

/** Whether a write that failed may have been done all the same: its answer was lost. A create would find its name taken. */
function isOutcomeUnknown(error: unknown): boolean {
  return isKubeError(error, 'Unavailable', 'Timeout', 'Aborted', 'Malformed')
}
