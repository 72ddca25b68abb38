import type { ApiObject, KubeObject } from '../api/meta.ts'
import type { Priority } from './queue.ts'
import { isSameJson } from './sameJson.ts'

/**
 * Why a key is woken, as a priority: that a user edits or deletes an object goes before what follows from it. A new
 * object does not: of a thousand, the first would wait for its second step until the last had taken its first.
 */
export function priorityOfChange(before: KubeObject | undefined, after: KubeObject | undefined): Priority {
  if (before === undefined) return 'event'
  return after === undefined || isEdit(before, after) ? 'user' : 'event'
}

/** Whether more than the status has changed. */
export function isEdit(before: KubeObject, after: KubeObject): boolean {
  return !isSameJson(byUsers(before), byUsers(after))
}

function byUsers({ metadata }: KubeObject): unknown {
  const { uid = '', generation = 0, deletionTimestamp = '', labels = {}, annotations = {} } = metadata
  return [uid, generation, deletionTimestamp, labels, annotations]
}

/**
 * The priority of an object of our own kind that is seen for the first time after a start: what a user changed while
 * nobody looked goes before what is new, and that before what is as it was.
 */
export function priorityAtStart({ metadata, status }: ApiObject<unknown, unknown>): Priority {
  const { observedGeneration = -1 } = (status ?? {}) as { readonly observedGeneration?: number }
  if (metadata.deletionTimestamp !== undefined) return 'user'
  if (observedGeneration < 0) return 'event'
  return metadata.generation === observedGeneration ? 'resync' : 'user'
}
