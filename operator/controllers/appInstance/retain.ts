import { labels } from '../../api/meta.ts'
import { listed } from '../../api/text.ts'
import { fightsOf } from '../../apply/fights.ts'
import type { Owned } from '../../apply/owned.ts'
import { removeEach } from '../../apply/prune.ts'
import type { Refused } from '../../apply/refusal.ts'
import { write } from '../../apply/write.ts'
import { namespaceType } from '../../api/builtin.ts'
import { ownerOf } from '../../render/appInstance.ts'
import { makeNamespace } from '../../render/namespace.ts'
import { deletionPolicySource } from '../../render/resolve/deletion.ts'
import type { EventRecord } from '../../runtime/controller.ts'
import type { ObservedNamespace } from '../../status/observed.ts'
import { dueOf, removableOf, workloadsIn, workloadsOf } from './contents.ts'
import { claimOf, type Observed } from './observe.ts'
import { completed, underWay, type Deletion, type Removal } from './removal.ts'

/**
 * deletionPolicy Retain: what runs goes, and is waited for; the namespace stays with what cannot be made again, and is
 * marked as released, for the next instance of its name in the project to take over.
 */

/** Whether all that has to go was asked to, and some of it is still there: nothing is left but to wait. Pure. */
export function isLeaving(seen: Observed): boolean {
  const workloads = workloadsOf(seen)
  return workloads.length > 0 && dueOf(workloads).length === 0
}

/** What is told while that is so. */
export function leaving(removal: Removal, workloads: readonly Owned[] = workloadsOf(removal.seen)): Promise<Deletion> {
  return underWay(removal, 'workloads', namesOf(workloads))
}

/**
 * One step of it, after the live looks that come before anything destructive.
 * Out: how it goes on, or what the API server refuses. Throws a KubeError.
 */
export async function retain(removal: Removal, namespace: ObservedNamespace): Promise<Deletion | Refused> {
  const { ctx, seen } = removal
  const held = workloadsOf(seen)
  const refused = await removeAll(removal, dueOf(held))
  if (refused) return refused
  if (held.length > 0) return leaving(removal, held)
  // The cache may be behind: what is left now would run on, and nobody would know of it.
  const live = await workloadsIn(ctx, seen.instance.metadata.name)
  const stillRefused = await removeAll(removal, dueOf(live))
  if (stillRefused) return stillRefused
  if (live.length > 0) return leaving(removal, live)
  await markReleased(removal, namespace)
  fightsOf(ctx.target.cache).forget(seen.instance.metadata.name)
  return completed(removal, undefined, [releasedEvent(removal)])
}

/** The same without waiting for anything. Out: what is left behind besides. Throws a KubeError. */
export async function dismantle(removal: Removal, namespace: ObservedNamespace): Promise<string> {
  const { ctx, seen } = removal
  const { name } = seen.instance.metadata
  const refused = await removeAll(removal, removableOf(await workloadsIn(ctx, name)))
  if (refused) throw refused.error
  await markReleased(removal, namespace)
  const left = await workloadsIn(ctx, name)
  return listed([...claimsOf(seen), ...left.toReversed().map(nameOf)], namedObjects)
}

async function removeAll({ ctx }: Removal, objects: readonly Owned[]): Promise<Refused | undefined> {
  const standing = { fights: fightsOf(ctx.target.cache), now: ctx.now }
  const { refused } = await removeEach(ctx.target.kube, objects, standing)
  return refused
}

async function markReleased({ ctx, seen }: Removal, namespace: ObservedNamespace): Promise<void> {
  if (namespace.metadata.labels?.[labels.released] !== undefined) return
  const desired = makeNamespace(ownerOf(seen.instance), claimOf(seen), { released: true })
  await write(ctx.target.kube, desired, { type: namespaceType, object: namespace, digest: namespace.digest })
}

function releasedEvent({ seen }: Removal): EventRecord {
  const { instance, env } = seen
  const { name, namespace: project } = instance.metadata
  const claims = claimsOf(seen)
  const what = claims.length === 0 ? '' : ` with ${listed(claims, namedObjects)}`
  const message = `Namespace '${name}' stays${what}, since deletionPolicy is Retain (${deletionPolicySource(instance, env)}). The next AppInstance '${name}' in '${project}' takes it over; to remove it with everything in it: kubectl delete namespace ${name}`
  return { type: 'Normal', reason: 'NamespaceReleased', action: 'Deleting', message }
}

const namedObjects = 5

function claimsOf({ claims }: Observed): string[] {
  return [...claims.keys()].toSorted().map((name) => `PersistentVolumeClaim '${name}'`)
}

function namesOf(workloads: readonly Owned[]): string {
  return listed(workloads.map(nameOf).toSorted(), namedObjects)
}

function nameOf({ type, object }: Owned): string {
  return `${type.kind} '${object.metadata.name}'`
}
