import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import { appLockKind, locksName, type AppLock } from '../../api/appLock.ts'
import { namespaceType } from '../../api/builtin.ts'
import { canonical } from '../../api/canonical.ts'
import type { KubeObject, Ref } from '../../api/meta.ts'
import { isLocked, makeAppLock } from '../../render/appLock.ts'
import type { Controller, Reader } from '../../runtime/controller.ts'
import { isProjectLeaving } from '../publish.ts'

/** Keys are projects, so that no two instances write the AppLock of theirs at the same time. */
const project = { ...namespaceType, status: null } as const

const projectOf = ({ metadata }: KubeObject): Ref => ({ namespace: '', name: metadata.namespace ?? '' })

/** The AppLock of each project with a locked instance. Instances that are not locked, and were not, wake nobody. */
export const appLock: Controller<KubeObject, never> = {
  kind: project,
  watches: [
    // For the start; where there is nothing to lock or to unlock, a namespace concerns us not.
    { type: project, keys: ({ metadata: { name } }, cache) => (hasLock(cache, name) ? [{ namespace: '', name }] : []) },
    { type: appInstanceKind, keys: (object) => (isLocked(object as AppInstance) ? [projectOf(object)] : []) },
    { type: appLockKind, keys: (object) => [projectOf(object)] },
  ],

  async reconcile({ cache, kube }, { metadata: { name } }) {
    const wanted = makeAppLock(name, lockedIn(cache, name))
    const held = lockOf(cache, name)
    if (!wanted) {
      if (held) await kube.delete(appLockKind, { namespace: name, name: locksName }, held.metadata.uid ?? '')
    } else if (!isProjectLeaving(cache, name) && canonical(wanted.spec) !== canonical(held?.spec ?? null)) {
      await kube.apply(appLockKind, wanted)
    }
    return { outcome: { kind: 'settled' } }
  },
}

function hasLock(cache: Reader, name: string): boolean {
  return lockOf(cache, name) !== undefined || lockedIn(cache, name).length > 0
}

function lockOf(cache: Reader, name: string): AppLock | undefined {
  return cache.get<AppLock>(appLockKind, { namespace: name, name: locksName })
}

function lockedIn(cache: Reader, name: string): readonly AppInstance[] {
  return cache.byIndex<AppInstance>(appInstanceKind, 'lockedIn', name)
}
