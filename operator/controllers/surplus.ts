import type { KubeObject, ResourceType } from '../api/meta.ts'
import { refOf } from '../api/meta.ts'
import { fightsOf } from '../apply/fights.ts'
import { refusalAgainst, refusedBy, removalOf } from '../apply/refusal.ts'
import type { Ctx } from '../runtime/controller.ts'

/**
 * Removes a record that nobody needs any more, after a live look; `isNeeded` says whether that look shows otherwise.
 * Records too many do no harm: one that may not be deleted is kept, and not asked for again for a while. Throws a
 * transient KubeError.
 */
export async function removeSurplus<Record extends KubeObject>(
  ctx: Ctx,
  type: ResourceType,
  record: Record,
  isNeeded: (live: Record) => boolean = () => false,
): Promise<void> {
  const fights = fightsOf(ctx.target.cache)
  const now = ctx.now.getTime()
  const removal = removalOf(type, record)
  if (refusalAgainst(fights, removal, now)) return
  try {
    const live = await ctx.kube.getLive(type, refOf(record))
    if (!live || isNeeded(live as Record)) return
    await ctx.kube.delete(type, refOf(record), record.metadata.uid ?? '')
  } catch (error) {
    const { retryAfterSeconds } = refusedBy(fights, removal, error, now)
    const { name } = record.metadata
    ctx.log.warn({ err: error, kind: type.kind, name, retryAfterSeconds }, 'Keeping a record that may not be deleted')
  }
}
