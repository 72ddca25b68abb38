import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { Attempt } from '../../api/appTask.ts'
import { crdType, namespaceType } from '../../api/builtin.ts'
import type { DeletionPolicy } from '../../api/deletion.ts'
import { annotations, group, refOf } from '../../api/meta.ts'
import { listed } from '../../api/text.ts'
import { fightsOf } from '../../apply/fights.ts'
import { refusalAgainst, refusedBy, removalOf, type Refused } from '../../apply/refusal.ts'
import { isKubeError } from '../../kube/errors.ts'
import { deletionPolicyOf } from '../../render/resolve/deletion.ts'
import type { Ctx, EventRecord } from '../../runtime/controller.ts'
import type { ObservedNamespace } from '../../status/observed.ts'
import { namespaceDigest } from '../digests.ts'
import { beginRemoval, isOwnStop } from './attempts.ts'
import { foreignClaimsOf, foreignIn } from './contents.ts'
import { isClaimedBy, isUnproven, refusalOf, viewIsIncomplete } from './gates.ts'
import { observe } from './observe.ts'
import type { Observed } from './observe.ts'
import {
  abandoned,
  completed,
  hindered,
  isForced,
  letGo,
  recordForeign,
  underWay,
  type Deletion,
  type Removal,
} from './removal.ts'
import { dismantle, isLeaving, leaving, retain } from './retain.ts'

/**
 * Removes the instance's namespace, or, where its deletionPolicy is Retain, what runs in it; and lets the instance go
 * when that is gone. Before anything destructive: a live look at our CRD, at the instance and at the namespace. If the
 * CRD is being removed, only the finalizer is released and the workloads live on (docs/engine.md, What it promises).
 * What the API server refuses, and what does not go, is told, and past the deadline it is Errored; it goes on all the
 * same. Its AppTask is history: one that cannot be made holds nothing up.
 */
export async function cleanup(ctx: Ctx, instance: AppInstance): Promise<Deletion> {
  const seen = observe(ctx, instance)
  const incomplete = viewIsIncomplete(seen)
  if (incomplete) return { outcome: incomplete }
  const policy = deletionPolicyOf(instance, seen.env)
  let task: Promise<Attempt | undefined> | undefined
  const begun: BegunOnce = async () => ({ ctx, seen, policy, task: await (task ??= beginRemoval(ctx, seen)) })
  const waiting = isForced(instance) ? undefined : await waitingAlready(seen, policy, begun)
  if (waiting) return waiting
  const fights = fightsOf(ctx.target.cache)
  const { name, uid = '' } = instance.metadata
  // By the instance's uid: whose namespace there is will be known after a live look, which may be what is refused.
  const removal = removalOf(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid } })
  const now = ctx.now.getTime()
  const held = isForced(instance) ? undefined : refusalAgainst(fights, removal, now)
  if (held) return refused(await begun(), held)
  try {
    return await remove(ctx, seen, begun)
  } catch (error) {
    if (isKubeError(error) && error.isTransient && !isOwnStop(error)) return failed(await begun(), error)
    const refusal = refusedBy(fights, removal, error, now)
    return refused(await begun(), refusal)
  }
}

/** The removal with its AppTask, which is made, once, when it is first asked for. */
type BegunOnce = () => Promise<Removal>

/** Where the cache alone tells that nothing is to be done but to wait: told, without a look at anything. */
async function waitingAlready(seen: Observed, policy: DeletionPolicy, begun: BegunOnce): Promise<Deletion | undefined> {
  const { namespace } = seen
  if (!namespace || !isClaimedBy(namespace, seen)) return undefined
  if (namespace.metadata.deletionTimestamp) return underWay(await begun(), 'namespace', namespace.remaining)
  if (policy === 'Retain') return isLeaving(seen) ? leaving(await begun()) : undefined
  const claims = foreignClaimsOf(seen)
  return claims.length > 0 ? blocked(await begun(), claims) : undefined
}

async function remove(ctx: Ctx, seen: Observed, begun: BegunOnce): Promise<Deletion> {
  const { instance } = seen
  if (await isCrdLeaving(ctx)) return letGo
  const namespace = await liveNamespace(ctx, instance)
  const attempt = await begun()
  if (!namespace || !isClaimedBy(namespace, seen)) {
    fightsOf(ctx.target.cache).forget(instance.metadata.name)
    return completed(attempt, namespace, namespace && isUnproven(namespace, seen) ? [leftEvent(namespace)] : [])
  }
  if (!(await isStillDeleted(ctx, instance))) return letGo
  if (isForced(instance)) return abandon(attempt, namespace)
  if (namespace.metadata.deletionTimestamp) return underWay(attempt, 'namespace', namespace.remaining)
  if (attempt.policy === 'Delete') return removeNamespace(attempt, namespace)
  const retained = await retain(attempt, namespace)
  return 'error' in retained ? refused(attempt, retained) : retained
}

/** With everything in it, but not with claims of others: what goes besides is told, and on record, before it goes. */
async function removeNamespace(attempt: Removal, namespace: ObservedNamespace): Promise<Deletion> {
  const { ctx, seen } = attempt
  const { name } = seen.instance.metadata
  const { claims, objects } = await foreignIn(ctx, name)
  if (claims.length > 0) return blocked(attempt, claims)
  if (objects.length > 0) await recordForeign(attempt, objects)
  await ctx.target.kube.delete(namespaceType, refOf(namespace), namespace.metadata.uid ?? '')
  const others = objects.length === 0 ? '' : `, also with what others made there: ${listed(objects, 5)}`
  const message = `Namespace ${name} is being removed with everything in it${others}.`
  const event: EventRecord = { type: 'Normal', reason: 'NamespaceDeleted', action: 'Deleting', message }
  return underWay(attempt, 'namespace', namespace.remaining, [event])
}

/** Claims that others made hold data of which the operator knows nothing: it waits until somebody has decided. */
function blocked(attempt: Removal, claims: readonly string[]): Promise<Deletion> {
  const { name, namespace: project, uid } = attempt.seen.instance.metadata
  const one =
    claims.length === 1
      ? 'a PersistentVolumeClaim that Appstead did not make'
      : 'PersistentVolumeClaims that Appstead did not make'
  const ways = [
    `to remove its data: kubectl delete pvc ${listed(claims, 5)} -n ${name}`,
    `to keep the namespace: kubectl patch appinstance ${name} -n ${project} --type=merge -p '{"spec":{"deletionPolicy":"Retain"}}'`,
    `to let the instance go and leave the namespace: kubectl annotate appinstance ${name} -n ${project} --overwrite ${annotations.forceDelete}=${uid}`,
  ]
  const message = `Namespace '${name}' holds ${one} (${listed(claims, 5)}) and is not removed; ${ways.join('; ')}`
  const event: EventRecord = { type: 'Warning', reason: 'ForeignClaim', action: 'Deleting', message }
  return hindered(attempt, 'contents', { reason: 'ForeignClaim', message, events: [event] })
}

/** Asks once more, and waits for nothing; what would destroy data that is to stay is not asked. */
async function abandon(attempt: Removal, namespace: ObservedNamespace): Promise<Deletion> {
  const { ctx, seen, policy } = attempt
  try {
    if (!namespace.metadata.deletionTimestamp) {
      const keeps = policy === 'Retain' || (await foreignIn(ctx, seen.instance.metadata.name)).claims.length > 0
      if (keeps) return abandoned(attempt, namespace, await dismantle(attempt, namespace))
    }
    await ctx.target.kube.delete(namespaceType, refOf(namespace), namespace.metadata.uid ?? '')
  } catch (error) {
    if (!isKubeError(error) || isOwnStop(error)) throw error
    return abandoned(attempt, namespace, error.message)
  }
  return abandoned(attempt, namespace, namespace.remaining)
}

/** Says aloud what nobody proved to be the instance's own. */
function leftEvent({ metadata: { name } }: ObservedNamespace): EventRecord {
  const message = `Namespace '${name}' carries this instance's labels, but not its recorded uids: it is left as it is; if it is yours, kubectl delete namespace ${name}`
  return { type: 'Warning', reason: 'NamespaceLeft', action: 'Deleting', message }
}

async function isCrdLeaving(ctx: Ctx): Promise<boolean> {
  const crd = await ctx.kube.getLive(crdType, { namespace: '', name: `${appInstanceKind.plural}.${group}` })
  return crd === undefined || crd.metadata.deletionTimestamp !== undefined
}

async function liveNamespace(ctx: Ctx, instance: AppInstance): Promise<ObservedNamespace | undefined> {
  const live = await ctx.target.kube.getLive(namespaceType, { namespace: '', name: instance.metadata.name })
  return live && namespaceDigest(live)
}

async function isStillDeleted(ctx: Ctx, instance: AppInstance): Promise<boolean> {
  const live = await ctx.kube.getLive(appInstanceKind, refOf(instance))
  return live?.metadata.uid === instance.metadata.uid && live?.metadata.deletionTimestamp !== undefined
}

/** The API server does not let us: it stays as it is, and nobody is left to wonder why. */
async function refused(attempt: Removal, refusal: Refused): Promise<Deletion> {
  const objection = refusalOf(refusal)
  const { reason, message } = objection
  const event: EventRecord = { type: 'Warning', reason, action: 'Deleting', message }
  const retryAfterSeconds = 'retryAfterSeconds' in objection ? objection.retryAfterSeconds : undefined
  const attempts = fightsOf(attempt.ctx.target.cache).refusalsOf(refusal.desired)
  return hindered(attempt, stepAtFault(attempt), { message, retryAfterSeconds, events: [event], attempts })
}

/** What may pass by itself is only told of when it did not until the deadline: until then it is tried again. */
async function failed(attempt: Removal, error: Error): Promise<Deletion> {
  const told = await hindered(attempt, stepAtFault(attempt), { message: error.message })
  if (told.outcome.kind === 'failed') return told
  throw error
}

/** Where a removal stands when the API server answers with an error. */
function stepAtFault({ policy }: Removal): 'namespace' | 'workloads' {
  return policy === 'Retain' ? 'workloads' : 'namespace'
}
