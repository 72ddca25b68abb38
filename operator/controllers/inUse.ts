import type { Condition } from '../api/conditions.ts'
import type { ApiObject, Ref } from '../api/meta.ts'
import type { Report } from '../runtime/controller.ts'
import { conditionsOf } from '../status/conditions.ts'
import { transitionsOf } from '../status/events.ts'
import { inUseVerdicts } from '../status/inUse.ts'

/** Who still needs an object that is being deleted. */
export interface Users {
  readonly kind: string
  readonly refs: readonly Ref[]
  /** Lists them. */
  readonly command: string
}

type Conditions = readonly Condition[] | undefined

/** Named in a message; the command lists the others. */
const namedUsers = 5

/**
 * What becomes of an object that is being deleted: it waits until nobody uses it; nothing that uses it is removed with it.
 * In: the object, its users. Out: settled when there are none; else blocked, with a status that names them.
 */
export function releaseUnused<Status extends { readonly conditions?: Conditions }>(
  object: ApiObject<unknown, Status>,
  users: Users,
  now: Date,
): Report<Status> {
  const [first] = users.refs
  if (!first) return { outcome: { kind: 'settled' } }
  const { kind, metadata, status } = object
  const message = `${kind} '${metadata.name}' is used by ${listed(users)}; it is removed when they are gone: ${users.command}`
  const generation = metadata.generation ?? 0
  const conditions = conditionsOf(status?.conditions, inUseVerdicts(message), generation, now)
  return {
    status: { ...(status as Status), observedGeneration: generation, conditions },
    outcome: { kind: 'blocked', reason: 'InUse', message, by: `${users.kind}/${first.name}` },
    events: transitionsOf(status?.conditions, conditions),
  }
}

function listed({ kind, refs }: Users): string {
  const names = refs.map(({ namespace, name }) => `${namespace}/${name}`).toSorted()
  const more = names.length > namedUsers ? `, and ${names.length - namedUsers} more` : ''
  return `${names.length} ${kind}${names.length === 1 ? '' : 's'} (${names.slice(0, namedUsers).join(', ')}${more})`
}

/** Whether an object is on its way out, and somebody's going may be what it waits for. */
export function isLeaving(object: { readonly metadata: { readonly deletionTimestamp?: string } } | undefined): boolean {
  return object?.metadata.deletionTimestamp !== undefined
}
