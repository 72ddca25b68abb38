import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { AppTask } from '../../api/appTask.ts'
import { crdType, namespaceType } from '../../api/builtin.ts'
import { group, refOf } from '../../api/meta.ts'
import { fightsOf } from '../../apply/fights.ts'
import { refusalAgainst, refusedBy, removalOf, type Refused } from '../../apply/refusal.ts'
import { isKubeError } from '../../kube/errors.ts'
import type { Ctx, EventRecord } from '../../runtime/controller.ts'
import type { ObservedNamespace } from '../../status/observed.ts'
import { namespaceDigest } from '../digests.ts'
import { beginRemoval, isOwnStop } from './attempts.ts'
import { isClaimedBy, isUnproven, refusalOf, viewIsIncomplete } from './gates.ts'
import { observe } from './observe.ts'
import type { Observed } from './observe.ts'
import { abandoned, completed, hindered, isForced, letGo, underWay, type Deletion } from './removal.ts'

/**
 * Removes the instance's namespace, and lets the instance go when it is gone.
 * Before anything destructive: a live look at our CRD, at the instance and at the namespace. If the CRD is being
 * removed, only the finalizer is released and the workloads live on (docs/engine.md, What it promises).
 * What the API server refuses, and what does not go, is told, and past the deadline it is Errored; it goes on all the
 * same. Its AppTask is history: one that cannot be made holds nothing up.
 */
export async function cleanup(ctx: Ctx, instance: AppInstance): Promise<Deletion> {
  const seen = observe(ctx, instance)
  const incomplete = viewIsIncomplete(seen)
  if (incomplete) return { outcome: incomplete }
  const mayWait = !isForced(instance)
  const { namespace } = seen
  if (mayWait && namespace && isClaimedBy(namespace, seen) && namespace.metadata.deletionTimestamp) {
    return underWay({ ctx, seen, task: await beginRemoval(ctx, seen) }, namespace)
  }
  const fights = fightsOf(ctx.target.cache)
  const { name, uid = '' } = instance.metadata
  // By the instance's uid: whose namespace there is will be known after a live look, which may be what is refused.
  const removal = removalOf(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid } })
  const now = ctx.now.getTime()
  const held = mayWait ? refusalAgainst(fights, removal, now) : undefined
  if (held) return refused(ctx, seen, held)
  try {
    return await remove(ctx, seen)
  } catch (error) {
    if (isKubeError(error) && error.isTransient && !isOwnStop(error)) return failed(ctx, seen, error)
    return refused(ctx, seen, refusedBy(fights, removal, error, now))
  }
}

async function remove(ctx: Ctx, seen: Observed): Promise<Deletion> {
  const { instance } = seen
  if (await isCrdLeaving(ctx)) return letGo
  const namespace = await liveNamespace(ctx, instance)
  const attempt = { ctx, seen, task: await beginRemoval(ctx, seen) }
  if (!namespace || !isClaimedBy(namespace, seen)) {
    fightsOf(ctx.target.cache).forget(instance.metadata.name)
    return completed(attempt, namespace && isUnproven(namespace, seen) ? [leftEvent(namespace)] : [])
  }
  if (!(await isStillDeleted(ctx, instance))) return letGo
  if (isForced(instance)) return abandon(attempt, namespace)
  await ctx.target.kube.delete(namespaceType, refOf(namespace), namespace.metadata.uid ?? '')
  const message = `Namespace ${namespace.metadata.name} is being removed with everything in it.`
  const event: EventRecord = { type: 'Normal', reason: 'NamespaceDeleted', action: 'Deleting', message }
  return underWay(attempt, namespace, [event])
}

/** Asks once more, and waits for nothing. */
async function abandon(
  attempt: { readonly ctx: Ctx; readonly seen: Observed; readonly task: AppTask | undefined },
  namespace: ObservedNamespace,
): Promise<Deletion> {
  try {
    await attempt.ctx.target.kube.delete(namespaceType, refOf(namespace), namespace.metadata.uid ?? '')
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
async function refused(ctx: Ctx, seen: Observed, refusal: Refused): Promise<Deletion> {
  const objection = refusalOf(refusal)
  const { reason, message } = objection
  const event: EventRecord = { type: 'Warning', reason, action: 'Deleting', message }
  const retryAfterSeconds = 'retryAfterSeconds' in objection ? objection.retryAfterSeconds : undefined
  return hindered({ ctx, seen, task: await beginRemoval(ctx, seen) }, { message, retryAfterSeconds, events: [event] })
}

/** What may pass by itself is only told of when it did not until the deadline: until then it is tried again. */
async function failed(ctx: Ctx, seen: Observed, error: Error): Promise<Deletion> {
  const told = await hindered({ ctx, seen, task: await beginRemoval(ctx, seen) }, { message: error.message })
  if (told.outcome.kind === 'failed') return told
  throw error
}
