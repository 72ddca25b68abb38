import type { App, AppStatus } from '../../api/app.ts'
import { appKind } from '../../api/app.ts'
import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { AppStackRevision } from '../../api/appStackRevision.ts'
import { appStackRevisionKind } from '../../api/appStackRevision.ts'
import { keyOf, refOf } from '../../api/meta.ts'
import { inlineStackName } from '../../render/names.ts'
import { newestRevision } from '../../render/revision.ts'
import type { Controller, Ctx, Reader, Report } from '../../runtime/controller.ts'
import { conditionOf, conditionsOf } from '../../status/conditions.ts'
import { publishedVerdicts, stackMissingVerdicts } from '../../status/published.ts'
import { transitionsOf } from '../../status/events.ts'
import type { Published } from '../publish.ts'
import { isProjectLeaving, publish, revisionsOf } from '../publish.ts'

/** An App: publishes its inline stack, or finds the one it names; counts its instances. */
export const app: Controller<App, AppStatus> = {
  kind: appKind,
  watches: [
    { type: appKind, keys: (object) => [refOf(object)] },
    { type: appInstanceKind, keys: (object) => [{ ...refOf(object), name: (object as AppInstance).spec.app }] },
    {
      type: appStackRevisionKind,
      keys: (object, cache) => {
        const stack = { ...refOf(object), name: (object as AppStackRevision).spec.stack }
        return cache.byIndex<App>(appKind, 'stack', keyOf(stack)).map(refOf)
      },
    },
  ],

  async reconcile(ctx, object) {
    if (isProjectLeaving(ctx.cache, object.metadata.namespace)) return { outcome: { kind: 'settled' } }
    const { services, name } = object.spec.stack
    const stack = { ...refOf(object), name: name ?? inlineStackName(object.metadata.name) }
    const published = services ? await publish(ctx, stack, services) : publishedBefore(ctx.cache, stack)
    return published ? reportPublished(ctx, object, published) : reportMissing(ctx, object, stack.name)
  },
}

function publishedBefore(cache: Reader, stack: { namespace: string; name: string }): Published | undefined {
  const newest = newestRevision(revisionsOf(cache, stack))
  return newest && { newest, events: [] }
}

function reportPublished({ cache, now }: Ctx, object: App, { newest, events }: Published): Report<AppStatus> {
  const revision = newest.metadata.name
  const generation = object.metadata.generation ?? 0
  const conditions = conditionsOf(object.status?.conditions, publishedVerdicts(revision), generation, now)
  return {
    status: {
      observedGeneration: generation,
      conditions,
      latestRevision: revision,
      instances: countInstances(cache, object),
    },
    outcome: { kind: 'settled' },
    events,
  }
}

function reportMissing({ cache, now }: Ctx, object: App, stack: string): Report<AppStatus> {
  const message = `No AppStack '${stack}' with a revision in namespace '${object.metadata.namespace}' (spec.stack.name); waiting for it`
  const generation = object.metadata.generation ?? 0
  const conditions = conditionsOf(object.status?.conditions, stackMissingVerdicts(message), generation, now)
  return {
    status: { observedGeneration: generation, conditions, instances: countInstances(cache, object) },
    outcome: { kind: 'blocked', reason: 'StackNotFound', message, by: `AppStack/${stack}` },
    events: transitionsOf(object.status?.conditions, conditions),
  }
}

function countInstances(cache: Reader, object: App): AppStatus['instances'] {
  const instances = cache.byIndex<AppInstance>(appInstanceKind, 'app', keyOf(refOf(object)))
  const ready = instances.filter(({ status }) => conditionOf(status?.conditions, 'Ready')?.status === 'True').length
  return { total: instances.length, ready, summary: `${ready}/${instances.length}` }
}
