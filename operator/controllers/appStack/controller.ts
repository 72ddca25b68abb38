import type { AppStack, AppStackStatus } from '../../api/appStack.ts'
import { appStackKind } from '../../api/appStack.ts'
import type { AppStackRevision } from '../../api/appStackRevision.ts'
import { appStackRevisionKind } from '../../api/appStackRevision.ts'
import { refOf } from '../../api/meta.ts'
import type { Controller } from '../../runtime/controller.ts'
import { isProjectLeaving, publish, reportPublished } from '../publish.ts'
import { stackOfRevision } from '../revisions.ts'

/** An AppStack: each new content is published as a revision. */
export const appStack: Controller<AppStack, AppStackStatus> = {
  kind: appStackKind,
  watches: [
    { type: appStackKind, keys: (object) => [refOf(object)] },
    {
      type: appStackRevisionKind,
      keys: (object) => [stackOfRevision(object as AppStackRevision)],
    },
  ],

  async reconcile(ctx, stack) {
    if (isProjectLeaving(ctx.cache, stack.metadata.namespace)) return { outcome: { kind: 'settled' } }
    const published = await publish(ctx, { ...refOf(stack), ...stack.spec })
    return reportPublished(stack, published, ctx.now)
  },
}
