import { deploymentType } from '../api/builtin.ts'
import type { KubeObject, Ref } from '../api/meta.ts'
import { annotations, labels, refOf } from '../api/meta.ts'
import type { Plan } from '../render/plan.ts'
import type { Writer } from '../runtime/controller.ts'
import { ownedDigest } from './digest.ts'
import type { Fights } from './fights.ts'
import { identityOf } from './fights.ts'
import type { Owned } from './owned.ts'
import type { Refused } from './refusal.ts'
import { refusalAgainst, refusedBy, removalOf } from './refusal.ts'

/** What was deleted; and what the API server refused to delete, or to let us look at: nothing after it was. */
export interface Pruned {
  readonly pruned: readonly Ref[]
  readonly refused?: Refused
}

/**
 * Deletes what is ours and in no stage, the last of the kinds first: nothing loses what it stands on.
 * Never deleted: what is not ours by field manager, the namespace, claims of volumes, Secrets that are no copies, what kept releases need; anything
 * for a plan that wants nothing to run, which no release asks for; what a live look shows not to be ours any more.
 * A refusal is returned, and holds for a while. Throws a transient KubeError.
 */
export async function prune(kube: Writer, plan: Plan, owned: readonly Owned[], standing: Remembered): Promise<Pruned> {
  return removeEach(kube, surplusOf(plan, owned), standing)
}

interface Remembered {
  readonly fights: Fights
  readonly now: Date
}

/** Deletes these objects one after the other, each after a live look, as `prune` does and with its exceptions. */
export async function removeEach(
  kube: Writer,
  objects: readonly Owned[],
  { fights, now }: Remembered,
): Promise<Pruned> {
  const pruned: Ref[] = []
  for (const each of objects) {
    const removal = removalOf(each.type, each.object)
    const held = refusalAgainst(fights, removal, now.getTime())
    if (held) return { pruned, refused: held }
    try {
      if (await remove(kube, each)) pruned.push(refOf(each.object))
    } catch (error) {
      return { pruned, refused: refusedBy(fights, removal, error, now.getTime()) }
    }
  }
  return { pruned }
}

async function remove(kube: Writer, { type, object }: Owned): Promise<boolean> {
  const live = await kube.getLive(type, refOf(object))
  if (!live || !isOurs(live, object) || !isExpendable({ type, object: live })) return false
  await kube.delete(type, refOf(object), object.metadata.uid ?? '')
  return true
}

/** What `prune` looks at: what is ours and in no stage, the last of the kinds first. */
export function surplusOf(plan: Plan, owned: readonly Owned[]): Owned[] {
  const desired = plan.stages.flatMap((stage) => stage.objects)
  if (!desired.some(({ type }) => type.kind === deploymentType.kind)) return []
  const wanted = new Set([
    ...desired.map(identityOf),
    ...plan.keep.map(({ type, name }) => identityOf({ type, object: { metadata: { name } } as KubeObject })),
  ])
  return owned
    .filter(
      (each) =>
        each.digest !== '' &&
        each.type.namespaced &&
        isExpendable(each) &&
        !each.object.metadata.deletionTimestamp &&
        !wanted.has(identityOf(each)),
    )
    .toReversed()
}

/** Data and generated secrets cannot be made again; a copy can, from what it was made of. */
export function isExpendable({ type, object }: Pick<Owned, 'type' | 'object'>): boolean {
  if (type.kind === 'PersistentVolumeClaim') return false
  return type.kind !== 'Secret' || object.metadata.annotations?.[annotations.copyOf] !== undefined
}

/** The very object that the cache held, still with our label, still with values of ours. */
function isOurs(live: KubeObject, held: KubeObject): boolean {
  return (
    live.metadata.uid === held.metadata.uid &&
    live.metadata.labels?.[labels.instance] === held.metadata.labels?.[labels.instance] &&
    ownedDigest(live) !== ''
  )
}
