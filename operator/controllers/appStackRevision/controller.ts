import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import { appReleaseKind } from '../../api/appRelease.ts'
import type { AppStackRevision, AppStackRevisionStatus } from '../../api/appStackRevision.ts'
import { appStackRevisionKind } from '../../api/appStackRevision.ts'
import type { Ref } from '../../api/meta.ts'
import { finalizers, keyOf, refOf } from '../../api/meta.ts'
import type { Controller, Reader } from '../../runtime/controller.ts'
import { isLeaving, releaseUnused, type Users } from '../inUse.ts'

/** An AppStackRevision: it only has to stay as long as an instance runs it, or is to. */
export const appStackRevision: Controller<AppStackRevision, AppStackRevisionStatus> = {
  kind: appStackRevisionKind,
  finalizer: finalizers.inUse,
  watches: [
    { type: appStackRevisionKind, keys: (object) => [refOf(object)] },
    {
      type: appInstanceKind,
      ignoresStatus: true,
      keys: (object, cache) => leaving(cache, object.metadata.namespace, (object as AppInstance).spec.stack?.revision),
    },
    {
      type: appReleaseKind,
      ignoresStatus: true,
      keys: (object, cache) => leavingOf(cache, object as AppRelease),
    },
  ],

  reconcile: () => Promise.resolve({ outcome: { kind: 'settled' } }),

  cleanup: ({ cache, now }, revision) => Promise.resolve(releaseUnused(revision, usersOf(cache, revision), now)),
}

/** A new release is made from its own revision, and lets go of that of the release before it. */
function leavingOf(cache: Reader, { metadata, spec }: AppRelease): Ref[] {
  const instance = keyOf({ namespace: metadata.namespace ?? '', name: spec.instance })
  const releases = cache.byIndex<AppRelease>(appReleaseKind, 'instance', instance)
  const names = new Set([spec.stackRevision, ...releases.map((each) => each.spec.stackRevision)])
  return [...names].flatMap((name) => leaving(cache, metadata.namespace, name))
}

function leaving(cache: Reader, namespace = '', name?: string): Ref[] {
  if (name === undefined) return []
  const ref = { namespace, name }
  return isLeaving(cache.get(appStackRevisionKind, ref)) ? [ref] : []
}

/** Those that pin it, and those whose newest release was made from it: without a pin they would have to move. */
function usersOf(cache: Reader, revision: AppStackRevision): Users {
  const ref = refOf(revision)
  const pins = cache.byIndex<AppInstance>(appInstanceKind, 'revision', keyOf(ref)).map(refOf)
  const running = cache
    .byIndex<AppRelease>(appReleaseKind, 'revision', keyOf(ref))
    .filter((release) => isNewest(cache, release))
    .map(({ spec }) => ({ ...ref, name: spec.instance }))
  const users = new Map([...pins, ...running].map((user) => [keyOf(user), user]))
  return {
    kind: appInstanceKind.kind,
    refs: [...users.values()],
    command: `kubectl get appinstances -n ${ref.namespace}`,
  }
}

function isNewest(cache: Reader, { metadata, spec }: AppRelease): boolean {
  const instance = keyOf({ namespace: metadata.namespace ?? '', name: spec.instance })
  const releases = cache.byIndex<AppRelease>(appReleaseKind, 'instance', instance)
  return releases.every((each) => each.spec.number <= spec.number)
}
