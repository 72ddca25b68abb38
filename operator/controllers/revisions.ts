import type { App } from '../api/app.ts'
import { appKind } from '../api/app.ts'
import type { AppRelease } from '../api/appRelease.ts'
import type { AppStack } from '../api/appStack.ts'
import { appStackKind } from '../api/appStack.ts'
import type { AppStackRevision } from '../api/appStackRevision.ts'
import { appStackRevisionKind } from '../api/appStackRevision.ts'
import { keyOf, refOf, type Ref } from '../api/meta.ts'
import type { StackService } from '../api/service/stackService.ts'
import { inlineStackName } from '../render/names.ts'
import { latestRevision, nextRevision } from '../render/revision.ts'
import type { Reader } from '../runtime/controller.ts'

/** The name under which the stack of an App publishes its revisions. */
export function stackOf({ metadata, spec }: App): Ref {
  return { ...refOf({ metadata }), name: spec.stack.name ?? inlineStackName(metadata.name) }
}

/** The stack that a revision is of. */
export function stackOfRevision({ metadata, spec }: AppStackRevision): Ref {
  return { ...refOf({ metadata }), name: spec.stack }
}

/** The Apps of a stack. */
export function appsOf(cache: Reader, stack: Ref): readonly App[] {
  return cache.byIndex<App>(appKind, 'stack', keyOf(stack))
}

/** All revisions of a stack. */
export function revisionsOf(cache: Reader, stack: Ref): readonly AppStackRevision[] {
  return cache.byIndex<AppStackRevision>(appStackRevisionKind, 'stack', keyOf(stack))
}

/** The services of the AppStackRevision that a release was made from; undefined when that is gone. */
export function servicesReleased(cache: Reader, { metadata, spec }: AppRelease): readonly StackService[] | undefined {
  const revision = { ...refOf({ metadata }), name: spec.stackRevision }
  return cache.get<AppStackRevision>(appStackRevisionKind, revision)?.spec.services
}

/** The revision a stack runs as now: that of its AppStack's version, else the newest; undefined while there is none. */
export function latestOf(cache: Reader, stack: Ref): AppStackRevision | undefined {
  const version = cache.get<AppStack>(appStackKind, stack)?.spec.version
  return latestRevision({ name: stack.name, version }, revisionsOf(cache, stack))
}

/** Whether the stack of an App says what none of its revisions does yet, and no other object has the name for it. */
export function isBeingPublished(cache: Reader, app: App): boolean {
  const stack = stackOf(app)
  const spec = app.spec.stack.services ? app.spec.stack : cache.get<AppStack>(appStackKind, stack)?.spec
  const services = spec?.services
  if (!services) return false
  const version = 'version' in spec ? spec.version : undefined
  const next = nextRevision({ ...stack, version, services }, revisionsOf(cache, stack))
  return next !== undefined && !cache.get(appStackRevisionKind, refOf(next))
}
