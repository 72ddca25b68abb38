import { textOf, type Json, type Members } from '../double/json.ts'
import type { Question } from '../double/server.ts'
import { servedKind } from '../double/served.ts'
import type { Change } from '../double/store.ts'
import { metaOf } from '../double/writes.ts'
import type { Crash } from '../run/crashes.ts'
import { play } from '../run/play.ts'
import { instance, type Scenario } from '../run/scenarios.ts'
import { formOfObject } from './forms.ts'

/** What happened on the double, in order. */
export type Entry =
  | { readonly kind: 'request'; readonly question: Question; readonly status: number; readonly body: Json }
  /** The rest of the cluster removed it, or would have, but for a finalizer. */
  | { readonly kind: 'removed' | 'held'; readonly path: string }

export interface Recording {
  readonly entries: readonly Entry[]
  /** Forms of what a watch shows of each object, by `plural namespace/name`, in order. */
  readonly events: ReadonlyMap<string, readonly Json[]>
  /** How many writes the operators tried. */
  readonly writes: number
}

const awaited = new Set(['Namespace', 'AppRelease'])

/**
 * Plays a scenario and records it, with `crashes` as operators that are killed and started again send it. Requests of the
 * rest of the cluster are left out: the real one has its own. Throws when something was not as it should be, or not
 * every kill happened.
 */
export async function record(scenario: Scenario, seed: number, crashes: readonly Crash[] = []): Promise<Recording> {
  const entries: Entry[] = []
  const events = new Map<string, Json[]>()
  const ending = await play(scenario, {
    seed,
    isWhole: true,
    crashAt: ({ number }) => crashes.find(({ write }) => write === number)?.when,
    onWorld: ({ double }) => {
      double.onAnswer = (question, { status, body }, actor) => {
        if (actor !== 'world')
          entries.push({ kind: 'request', question, status, body: JSON.parse(textOf(body)) as Json })
      }
      double.store.onChange((change) => {
        note(events, change)
        const {
          served: { type },
          key,
          before,
          after,
          actor,
        } = change
        const isRemoved = after === undefined && awaited.has(type.kind)
        const isHeld = shownKinds.includes(type.kind) && isLeaving(after) && !isLeaving(before)
        if (actor !== 'world' || !(isRemoved || isHeld)) return
        const [namespace, name] = key.split('/')
        const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
        const path = `${root}${namespace === '' ? '' : `/namespaces/${namespace}`}/${type.plural}/${name}`
        entries.push({ kind: isRemoved ? 'removed' : 'held', path })
      })
    },
  })
  if (ending.violations.length > 0) throw new Error(ending.violations.join('; '))
  if (ending.starts !== 1 + crashes.length) throw new Error(`started ${ending.starts} times`)
  return { entries, events, writes: ending.writes }
}

function isLeaving(object: Members | undefined): boolean {
  return object !== undefined && metaOf(object).deletionTimestamp !== undefined
}

/** The kinds of which events are recorded. */
export const shownKinds = [
  'App',
  'AppInstance',
  'AppRelease',
  'AppStackRevision',
  'ConfigMap',
  'Secret',
  'Service',
  'ServiceAccount',
  'NetworkPolicy',
  'Namespace',
  'Deployment',
  'PodDisruptionBudget',
]
const shownTypes = new Set(shownKinds.map(servedKind))

function note(events: Map<string, Json[]>, { served, key, before, after, shown }: Change): void {
  if (!shownTypes.has(served)) return
  if (served.type.kind === 'Namespace' && metaOf(shown).name !== instance) return
  const type = before === undefined ? 'ADDED' : after === undefined ? 'DELETED' : 'MODIFIED'
  const name = `${served.type.plural} ${key}`
  events.set(name, [...(events.get(name) ?? []), { type, form: formOfObject(shown) }])
}
