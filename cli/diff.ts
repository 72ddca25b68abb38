import type { KubeObject } from '../operator/api/meta.ts'
import { horizontalPodAutoscalerType } from '../operator/api/builtin.ts'
import { differingPaths, textOfPath, type Path } from '../operator/apply/differences.ts'
import { desiredDigest, ownedDigest, ownedValues } from '../operator/apply/digest.ts'
import { identityOf } from '../operator/apply/fights.ts'
import { surplusOf } from '../operator/apply/prune.ts'
import type { Preview } from '../operator/preview.ts'
import type { Desired } from '../operator/render/plan.ts'

/** What the operator would write of an instance, against what is there: of the values that are its own. */

export interface Difference {
  readonly what: 'created' | 'changed' | 'removed'
  /** Such as `Deployment web`. */
  readonly object: string
  /** Of what is changed: `spec.replicas: 1 → 2`. */
  readonly fields: readonly string[]
}

/** All objects that would be otherwise, in the order in which they are written. In: what would be decided, and the live objects by identity. Pure. */
export function differencesOf({ plan, seen }: Preview, live: ReadonlyMap<string, KubeObject>): readonly Difference[] {
  if (!plan) return []
  const desired = plan.stages.flatMap(({ objects }) => objects)
  const autoscaled = new Set(
    desired.filter(({ type }) => type === horizontalPodAutoscalerType).map(({ object }) => object.metadata.name),
  )
  const written = desired.flatMap((each) => differenceOf(each, live.get(identityOf(each)), autoscaled) ?? [])
  const removed = surplusOf(plan, seen.owned).map(
    (each) => ({ what: 'removed', object: nameOf(each), fields: [] }) as const,
  )
  return [...written, ...removed]
}

const nameOf = ({ type, object }: Pick<Desired, 'type' | 'object'>): string => `${type.kind} ${object.metadata.name}`

/** Once there, these are never changed. */
const keptAsMade: ReadonlySet<Desired['mode']> = new Set(['once', 'run', 'copy'])

function differenceOf(
  desired: Desired,
  live: KubeObject | undefined,
  autoscaled: ReadonlySet<string>,
): Difference | undefined {
  const object = nameOf(desired)
  if (!live) return { what: 'created', object, fields: [] }
  if (keptAsMade.has(desired.mode) || desiredDigest(desired.object) === ownedDigest(live)) return undefined
  const fields = fieldsOf(desired.object, live).filter(
    (field) => !(field.startsWith('spec.replicas:') && autoscaled.has(desired.object.metadata.name)),
  )
  return fields.length === 0 ? undefined : { what: 'changed', object, fields }
}

/** What differs from what we own, and what we own beyond it. */
function fieldsOf(desired: KubeObject, live: KubeObject): readonly string[] {
  const owned = { ...ownedValues(live), apiVersion: '', kind: '' } as unknown as KubeObject
  const ours = { ...owned, metadata: { ...owned.metadata, name: '' } }
  const paths = [...differingPaths(desired, ours), ...differingPaths(ours, desired)]
  const lines = paths.map((path) => `${textOfPath(path)}: ${shown(ours, path)} → ${shown(desired, path)}`)
  return [...new Set(lines)]
}

function shown(object: unknown, path: Path): string {
  const value = path.reduce<unknown>(valueAt, object)
  return value === undefined ? '<none>' : typeof value === 'string' ? value : JSON.stringify(value)
}

function valueAt(value: unknown, step: Path[number]): unknown {
  if (typeof step !== 'object') return (value as Record<string | number, unknown> | undefined)?.[step]
  if (!Array.isArray(value)) return undefined
  return value.find((each: Record<string, unknown>) => each[step.key] === step.value)
}
