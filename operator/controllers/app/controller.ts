import type { App, AppStatus } from '../../api/app.ts'
import { appKind } from '../../api/app.ts'
import { appStackKind } from '../../api/appStack.ts'
import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { AppStackRevision } from '../../api/appStackRevision.ts'
import { appStackRevisionKind } from '../../api/appStackRevision.ts'
import type { Ref } from '../../api/meta.ts'
import { finalizers, keyOf, refOf } from '../../api/meta.ts'
import type { Controller, Ctx, Reader, Report } from '../../runtime/controller.ts'
import { conditionsOf } from '../../status/conditions.ts'
import { instancesStatus } from '../../status/app.ts'
import { stackMissingVerdicts } from '../../status/published.ts'
import { transitionsOf } from '../../status/events.ts'
import { releaseUnused, type Users } from '../inUse.ts'
import { isProjectLeaving, publish, reportPublished } from '../publish.ts'
import { appsOf, latestOf, stackOf, stackOfRevision } from '../revisions.ts'

/** An App: publishes its inline stack, or finds the one it names; counts its instances. */
export const app: Controller<App, AppStatus> = {
  kind: appKind,
  finalizer: finalizers.inUse,
  watches: [
    { type: appKind, keys: (object) => [refOf(object)] },
    { type: appInstanceKind, keys: (object) => [{ ...refOf(object), name: (object as AppInstance).spec.app }] },
    {
      type: appStackRevisionKind,
      keys: (object, cache) => appsOf(cache, stackOfRevision(object as AppStackRevision)).map(refOf),
    },
    // Its version may name a revision that was there before.
    { type: appStackKind, ignoresStatus: true, keys: (object, cache) => appsOf(cache, refOf(object)).map(refOf) },
  ],

  async reconcile(ctx, object) {
    if (isProjectLeaving(ctx.cache, object.metadata.namespace)) return { outcome: { kind: 'settled' } }
    const { services } = object.spec.stack
    const stack = stackOf(object)
    const published = services
      ? await publish(ctx, { ...stack, services })
      : { latest: latestOf(ctx.cache, stack), events: [] }
    if (!services && !published.latest) return reportMissing(ctx, object, stack.name)
    return reportPublished(object, published, ctx.now, {
      instances: instancesStatus(instancesOf(ctx.cache, refOf(object))),
    })
  },

  cleanup: ({ cache, now }, object) => Promise.resolve(releaseUnused(object, usersOf(cache, refOf(object)), now)),
}

function usersOf(cache: Reader, ref: Ref): Users {
  return {
    kind: appInstanceKind.kind,
    refs: instancesOf(cache, ref).map(refOf),
    command: `kubectl get appinstances -n ${ref.namespace} --field-selector spec.app=${ref.name}`,
  }
}

function instancesOf(cache: Reader, ref: Ref): readonly AppInstance[] {
  return cache.byIndex<AppInstance>(appInstanceKind, 'app', keyOf(ref))
}

function reportMissing({ cache, now }: Ctx, object: App, stack: string): Report<AppStatus> {
  const message = `No AppStack '${stack}' with a revision in namespace '${object.metadata.namespace}' (spec.stack.name); waiting for it`
  const generation = object.metadata.generation ?? 0
  const conditions = conditionsOf(object.status?.conditions, stackMissingVerdicts(message), generation, now)
  return {
    status: {
      observedGeneration: generation,
      conditions,
      instances: instancesStatus(instancesOf(cache, refOf(object))),
    },
    outcome: { kind: 'blocked', reason: 'StackNotFound', message, by: `AppStack/${stack}` },
    events: transitionsOf(object.status?.conditions, conditions),
  }
}
