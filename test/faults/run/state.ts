import { isMembers, membersOf, type Json, type Members } from '../double/json.ts'
import { served, servedKind } from '../double/served.ts'
import type { Change, Store } from '../double/store.ts'
import { metaOf } from '../double/writes.ts'

/** What differs from run to run although nothing is different. */
const volatile = new Set([
  'resourceVersion',
  'creationTimestamp',
  'managedFields',
  'lastTransitionTime',
  'startedAt',
  'finishedAt',
  'since',
])

const podType = servedKind('Pod')
const compared = served.filter(({ type }) => !['Event', 'Pod', 'CustomResourceDefinition'].includes(type.kind))

/** All objects but Events, by `plural namespace/name`; uids tell what was made anew. */
export function stateOf(store: Store): Readonly<Record<string, Json>> {
  const entries = compared.flatMap((type) =>
    store.list(type).map(([key, object]) => [`${type.type.plural} ${key}`, settledForm(object)] as const),
  )
  const pods = store.list(podType).map(([, pod]) => podForm(pod))
  return { ...Object.fromEntries(entries), pods: pods.toSorted() }
}

function settledForm(object: Members): Json {
  const form = withoutVolatile(object) as Members
  if (object['kind'] === 'AppTask') return taskForm(form)
  if (object['kind'] !== 'Secret') return form
  const lengths = Object.entries(membersOf(object['data'])).map(([name, value]) => [name, String(value).length])
  return { ...form, data: Object.fromEntries(lengths) }
}

/**
 * What is left to compare of the AppTasks of a run: where a user came in between, whether they ended; where the API server
 * refused what was asked, deletions go on without any.
 */
export function comparable(
  state: Readonly<Record<string, Json>>,
  { isRace, isRefusing }: { readonly isRace: boolean; readonly isRefusing: boolean },
): Readonly<Record<string, Json>> {
  const entries = Object.entries(state).flatMap(([name, object]): [string, Json][] => {
    if (isRefusing && isMembers(object) && object['kind'] === 'Deployment') return [[name, withoutGeneration(object)]]
    if (!isMembers(object) || object['kind'] !== 'AppTask') return [[name, object]]
    if (isRefusing && membersOf(object['spec'])['type'] === 'Delete') return []
    return [[name, isRace ? { ...object, status: { isEnded: isEnded(object) } } : object]]
  })
  return Object.fromEntries(entries)
}

/** What was refused at first may be done in two writes. */
function withoutGeneration(deployment: Members): Json {
  const { generation: _generation, ...metadata } = membersOf(deployment['metadata'])
  const { observedGeneration: _observed, ...status } = membersOf(deployment['status'])
  return { ...deployment, metadata, status }
}

/** Whether it is told how an AppTask ended. */
export function isEnded(task: Members): boolean {
  const conditions = (membersOf(task['status'])['conditions'] ?? []) as readonly Members[]
  return conditions.some(({ status }) => status === 'True' || status === 'False')
}

/** What hindered a step on the way, and how often it was tried, are of the run. */
function taskForm(task: Members): Json {
  const status = membersOf(task['status'])
  const steps = ((status['steps'] ?? []) as readonly Members[]).map(({ name, state }) => ({ name, state }))
  return { ...task, status: { ...status, steps } }
}

function withoutVolatile(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutVolatile)
  if (!isMembers(value)) return value
  const kept = Object.entries(value).filter(([name]) => !volatile.has(name))
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutVolatile(member)]))
}

/** A pod's name counts how many there were before it. */
function podForm(pod: Members): string {
  const { namespace, labels } = metaOf(pod)
  return `${namespace} ${JSON.stringify(labels)} ${membersOf(pod['status'])['phase'] as string}`
}

/** How often the operator made and deleted each object, by `create|delete plural namespace/name`. */
export class Tally {
  readonly counts: Record<string, number> = {}

  constructor(store: Store) {
    store.onChange((change) => this.#count(change))
  }

  #count({ served: { type }, key, before, after, actor }: Change): void {
    if (actor !== 'operator' || type.kind === 'Event') return
    const verb = before === undefined ? 'create' : isDeletion(before, after) ? 'delete' : undefined
    if (verb === undefined) return
    const name = `${verb} ${type.plural} ${key}`
    this.counts[name] = (this.counts[name] ?? 0) + 1
  }
}

function isDeletion(before: Members, after: Members | undefined): boolean {
  const wasLeaving = metaOf(before).deletionTimestamp !== undefined
  return !wasLeaving && (after === undefined || metaOf(after).deletionTimestamp !== undefined)
}
