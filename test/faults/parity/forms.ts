import { ownedDigest } from '../../../operator/apply/digest.ts'
import { labels as marks, type KubeObject } from '../../../operator/api/meta.ts'
import { managedOf } from '../double/apply.ts'
import { isMembers, membersOf, type Json, type Members } from '../double/json.ts'
import { metaOf } from '../double/writes.ts'

/** What of an answer or event must be the same on the double and on the real server. */

/** Written by the controller-manager of the real cluster alone. */
const foreignAnnotations = ['deployment.kubernetes.io/revision']

/** Those who write in the rest of a cluster: in that of the double, and in the real one, where a quota is counted, too. */
const foreignManagers = ['unknown', 'kube-controller-manager', 'kube-apiserver']

/** The form of an object; with `isWhole`, what is not metadata too. */
export function formOfObject(given: Members, isWhole = false): Json {
  const object = withoutForeign(given)
  const { name, namespace, labels, annotations, finalizers, generation, deletionTimestamp } = metaOf(object)
  // Items of a list need not say what they are.
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...content } = object
  const owned = ownedDigest(object as unknown as KubeObject)
  const managed = managedForm(object)
  // A Job is never compared with what was rendered; the server fills in what the double does not know.
  const isOfAction = labels?.[marks.action] !== undefined
  return {
    name,
    namespace,
    labels: labels ?? {},
    annotations: annotations ?? {},
    finalizers: finalizers ?? [],
    generation: generation ?? 0,
    isLeaving: deletionTimestamp !== undefined,
    owned: isOfAction ? owned !== '' : owned,
    managed: isOfAction ? managed.map(({ by }) => by) : managed,
    ...(isWhole ? { content } : {}),
  }
}

function withoutForeign(object: Members): Members {
  const { annotations = {}, ...metadata } = metaOf(object)
  const own = Object.entries(annotations).filter(([key]) => !foreignAnnotations.includes(key))
  return { ...object, metadata: { ...metadata, ...(own.length > 0 ? { annotations: Object.fromEntries(own) } : {}) } }
}

/** Who owns what, but what the rest of the cluster owns. */
function managedForm(object: Members): readonly { readonly by: string; readonly fieldsV1: Json }[] {
  const entries = managedOf(object)
    .filter(({ manager }) => !foreignManagers.includes(manager))
    .map(({ manager, operation, subresource = '', apiVersion, fieldsV1 }) => ({
      by: `${manager} ${operation} ${apiVersion} ${subresource}`,
      fieldsV1,
    }))
  return entries.toSorted((a, b) => (a.by < b.by ? -1 : 1))
}

/** The form of an answer. */
export function formOfAnswer(status: number, body: Json, isWhole = false): Json {
  const { kind, items, reason, message, metadata } = membersOf(body)
  if (kind === 'Status') return { status, reason, message: status < 300 ? undefined : messageOf(message as string) }
  if (Array.isArray(items) || items === null) {
    const isLast = (membersOf(metadata)['continue'] ?? '') === ''
    return { status, items: items && (items as Members[]).map((item) => formOfObject(item, isWhole)), isLast }
  }
  return isMembers(body) ? { status, object: formOfObject(body, isWhole) } : { status, body }
}

/** Which fields are in conflict, the double does not say. */
function messageOf(message: string): string {
  return message.startsWith('Apply failed with') ? 'Apply failed' : message
}
