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
import { abandoned, completed, hindered, isForced, letGo, underWay, type Deletion, type Removal } from './removal.ts'

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
  let task: Promise<AppTask | undefined> | undefined
  const begun: BegunOnce = async () => ({ ctx, seen, task: await (task ??= beginRemoval(ctx, seen)) })
  const mayWait = !isForced(instance)
  const { namespace } = seen
  if (mayWait && namespace && isClaimedBy(namespace, seen) && namespace.metadata.deletionTimestamp) {
    return underWay(await begun(), namespace)
  }
  const fights = fightsOf(ctx.target.cache)
  const { name, uid = '' } = instance.metadata
  // By the instance's uid: whose namespace there is will be known after a live look, which may be what is refused.
  const removal = removalOf(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid } })
  const now = ctx.now.getTime()
  const held = mayWait ? refusalAgainst(fights, removal, now) : undefined
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
  await ctx.target.kube.delete(namespaceType, refOf(namespace), namespace.metadata.uid ?? '')
  const message = `Namespace ${namespace.metadata.name} is being removed with everything in it.`
  const event: EventRecord = { type: 'Normal', reason: 'NamespaceDeleted', action: 'Deleting', message }
  return underWay(attempt, namespace, [event])
}

/** Asks once more, and waits for nothing. */
async function abandon(attempt: Removal, namespace: ObservedNamespace): Promise<Deletion> {
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
async function refused(attempt: Removal, refusal: Refused): Promise<Deletion> {
  const objection = refusalOf(refusal)
  const { reason, message } = objection
  const event: EventRecord = { type: 'Warning', reason, action: 'Deleting', message }
  const retryAfterSeconds = 'retryAfterSeconds' in objection ? objection.retryAfterSeconds : undefined
  return hindered(attempt, { message, retryAfterSeconds, events: [event] })
}

/** What may pass by itself is only told of when it did not until the deadline: until then it is tried again. */
async function failed(attempt: Removal, error: Error): Promise<Deletion> {
  const told = await hindered(attempt, { message: error.message })
  if (told.outcome.kind === 'failed') return told
  throw error
}
