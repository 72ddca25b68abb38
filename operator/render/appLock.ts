import type { AppInstance } from '../api/appInstance.ts'
import { locksName, maxLocked, type AppLock, type LockedInstance } from '../api/appLock.ts'
import type { Condition } from '../api/conditions.ts'
import { apiVersion } from '../api/meta.ts'

/** Whether changes of an instance are stored only: its condition OperationsBlocked stands. */
export function isLocked(instance: AppInstance): boolean {
  return blockOf(instance) !== undefined
}

function blockOf({ status }: AppInstance): Condition | undefined {
  return status?.conditions?.find(({ type }) => type === 'OperationsBlocked')
}

/**
 * The AppLock of a project. Where more are locked than it can hold, those locked first are in it: of the rest the operator
 * alone keeps people off.
 * In: the project, its locked instances in any order. Out: undefined when there is none.
 */
export function makeAppLock(project: string, instances: readonly AppInstance[]): AppLock | undefined {
  const locked = instances.flatMap(entryOf).toSorted(bySince).slice(0, maxLocked)
  if (locked.length === 0) return undefined
  return { apiVersion, kind: 'AppLock', metadata: { namespace: project, name: locksName }, spec: { locked } }
}

function entryOf(instance: AppInstance): LockedInstance[] {
  const block = blockOf(instance)
  if (!block) return []
  const { name, uid = '', deletionTimestamp } = instance.metadata
  const { reason, lastTransitionTime: since } = block
  return [{ name, uid, class: deletionTimestamp === undefined ? 'Creation' : 'Cleanup', reason, since }]
}

function bySince(a: LockedInstance, b: LockedInstance): number {
  return `${a.since} ${a.name}` < `${b.since} ${b.name}` ? -1 : 1
}
