import type { Kind } from '../../operator/api/kind.ts'
import { kinds } from '../../operator/api/kinds.ts'
import { collectionPath, objectPath } from '../../operator/kube/paths.ts'
import type { Admin, Reply } from './apiserver.ts'

/** An object of one of our kinds as a test writes it. */
export interface Sent {
  readonly kind: string
  readonly name: string
  readonly spec: unknown
}

/** The kind of that name; throws when there is none. */
export function kindNamed(name: string): Kind {
  const kind = kinds.find((each) => each.kind === name)
  if (kind === undefined) throw new Error(`no kind ${name}`)
  return kind
}

/** Path of an object, or of its collection without a name. */
export function pathOf(kindName: string, namespace: string, name?: string): string {
  const kind = kindNamed(kindName)
  const scope = kind.namespaced ? namespace : ''
  return name === undefined ? collectionPath(kind, scope) : objectPath(kind, { namespace: scope, name })
}

/** Creates the object, with strict field validation. */
export function create(admin: Admin, namespace: string, sent: Sent, { dryRun }: { dryRun: boolean }): Promise<Reply> {
  const kind = kindNamed(sent.kind)
  const body = {
    apiVersion: `${kind.group}/${kind.version}`,
    kind: kind.kind,
    metadata: { name: sent.name },
    spec: sent.spec,
  }
  const query = `?fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`
  return admin({ method: 'POST', path: pathOf(sent.kind, namespace) + query, body })
}

/** Replaces the spec of the object. */
export function replaceSpec(admin: Admin, namespace: string, sent: Sent): Promise<Reply> {
  return admin({
    method: 'PATCH',
    path: pathOf(sent.kind, namespace, sent.name),
    body: [{ op: 'replace', path: '/spec', value: sent.spec }],
    contentType: 'application/json-patch+json',
  })
}

/** The server's words. */
export function messageOf(reply: Reply): string {
  return (reply.body as { message?: string }).message ?? ''
}
