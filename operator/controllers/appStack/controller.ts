import type { App } from '../../api/app.ts'
import { appKind } from '../../api/app.ts'
import type { AppStack, AppStackStatus } from '../../api/appStack.ts'
import { appStackKind } from '../../api/appStack.ts'
import type { AppStackRevision } from '../../api/appStackRevision.ts'
import { appStackRevisionKind } from '../../api/appStackRevision.ts'
import type { Ref } from '../../api/meta.ts'
import { finalizers, keyOf, refOf } from '../../api/meta.ts'
import type { Controller, Reader } from '../../runtime/controller.ts'
import { isLeaving, releaseUnused, type Users } from '../inUse.ts'
import { stackOf } from '../revisions.ts'
import { isProjectLeaving, publish, reportPublished } from '../publish.ts'
import { stackOfRevision } from '../revisions.ts'

/** An AppStack: each new content is published as a revision. */
export const appStack: Controller<AppStack, AppStackStatus> = {
  kind: appStackKind,
  finalizer: finalizers.inUse,
  watches: [
    { type: appStackKind, keys: (object) => [refOf(object)] },
    {
      type: appStackRevisionKind,
      keys: (object) => [stackOfRevision(object as AppStackRevision)],
    },
    {
      type: appKind,
      ignoresStatus: true,
      keys: (object, cache) => {
        const stack = stackOf(object as App)
        return isLeaving(cache.get(appStackKind, stack)) ? [stack] : []
      },
    },
  ],

  async reconcile(ctx, stack) {
    if (isProjectLeaving(ctx.cache, stack.metadata.namespace)) return { outcome: { kind: 'settled' } }
    const published = await publish(ctx, { ...refOf(stack), ...stack.spec })
    return reportPublished(stack, published, ctx.now)
  },

  cleanup: ({ cache, now }, stack) => Promise.resolve(releaseUnused(stack, usersOf(cache, refOf(stack)), now)),
}

function usersOf(cache: Reader, stack: Ref): Users {
  return {
    kind: appKind.kind,
    refs: cache.byIndex<App>(appKind, 'stack', keyOf(stack)).map(refOf),
    command: `kubectl get ${appKind.plural} -n ${stack.namespace} --field-selector spec.stack.name=${stack.name}`,
  }
}
