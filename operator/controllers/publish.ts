import type { AppStackRevision } from '../api/appStackRevision.ts'
import { appStackRevisionKind } from '../api/appStackRevision.ts'
import { namespaceType } from '../api/builtin.ts'
import type { Ref } from '../api/meta.ts'
import { keyOf } from '../api/meta.ts'
import type { StackService } from '../api/service/stackService.ts'
import { newestRevision, nextRevision } from '../render/revision.ts'
import type { Ctx, EventRecord, Reader } from '../runtime/controller.ts'

/** What a stack has come to. */
export interface Published {
  readonly newest: AppStackRevision
  /** RevisionPublished, if this call published it. */
  readonly events: readonly EventRecord[]
}

/**
 * Publishes a stack's services as its next revision, if their content is new.
 * In: the stack's name and namespace, its services. Out: the newest revision. Throws a KubeError.
 */
export async function publish(ctx: Ctx, stack: Ref, services: readonly StackService[]): Promise<Published> {
  const revisions = revisionsOf(ctx.cache, stack)
  const next = nextRevision(stack, services, revisions)
  const newest = newestRevision(revisions)
  if (!next) return { newest: newest!, events: [] }
  const created = (await ctx.kube.create(appStackRevisionKind, next)) as AppStackRevision
  const event: EventRecord = {
    type: 'Normal',
    reason: 'RevisionPublished',
    action: 'Publishing',
    message: `Revision ${created.metadata.name} published.`,
  }
  return { newest: created, events: [event] }
}

/** Whether the project is being deleted: nothing can be made in it any more, and all it holds is on its way out. */
export function isProjectLeaving(cache: Reader, project: string | undefined): boolean {
  const namespace = cache.get(namespaceType, { namespace: '', name: project ?? '' })
  return namespace?.metadata.deletionTimestamp !== undefined
}

/** All revisions of a stack. */
export function revisionsOf(cache: Reader, stack: Ref): readonly AppStackRevision[] {
  return cache.byIndex<AppStackRevision>(appStackRevisionKind, 'stack', keyOf(stack))
}
