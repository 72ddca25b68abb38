import { ownedDigest } from '../../../operator/apply/digest.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { managedOf } from '../double/apply.ts'
import { isMembers, membersOf, type Json, type Members } from '../double/json.ts'
import type { Meta } from '../double/writes.ts'

/** What of an answer or event must be the same on the double and on the real server. */

/** Written by the controller-manager of the real cluster alone. */
const foreignAnnotations = ['deployment.kubernetes.io/revision']

/** The form of an object; with `isWhole`, what is neither metadata nor status too. */
export function formOfObject(object: Members, isWhole = false): Json {
  const { name, namespace, labels, annotations, finalizers, generation, deletionTimestamp } = object['metadata'] as Meta
  const { metadata: _metadata, status: _status, ...content } = object
  const own = Object.entries(annotations ?? {}).filter(([key]) => !foreignAnnotations.includes(key))
  return {
    name,
    namespace,
    labels: labels ?? {},
    annotations: Object.fromEntries(own),
    finalizers: finalizers ?? [],
    generation: generation ?? 0,
    isLeaving: deletionTimestamp !== undefined,
    owned: ownedDigest(object as unknown as KubeObject),
    managers: managersOf(object),
    ...(isWhole ? { content } : {}),
  }
}

/** Which fields are in conflict, the double does not say. */
function messageOf(message: string): string {
  return message.startsWith('Apply failed with') ? 'Apply failed' : message
}

function managersOf(object: Members): readonly string[] {
  const entries = managedOf(object).filter(({ operation }) => operation === 'Apply')
  return entries.map(({ manager }) => manager).toSorted()
}

/** The form of an answer. */
export function formOfAnswer(status: number, body: Json, isWhole = false): Json {
  const { kind, items, reason, message, metadata } = membersOf(body)
  if (kind === 'Status') return { status, reason, message: status < 300 ? undefined : messageOf(message as string) }
  if (Array.isArray(items))
    return { status, items: items.length, isLast: (membersOf(metadata)['continue'] ?? '') === '' }
  return isMembers(body) ? { status, object: formOfObject(body, isWhole) } : { status, body }
}
