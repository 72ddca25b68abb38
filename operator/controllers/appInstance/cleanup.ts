import type { AppInstance, AppInstanceStatus } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import { crdType, namespaceType } from '../../api/builtin.ts'
import { group, refOf } from '../../api/meta.ts'
import { fightsOf } from '../../apply/fights.ts'
import { refusalAgainst, refusedBy, removalOf, type Refused } from '../../apply/refusal.ts'
import type { Ctx, EventRecord, Report } from '../../runtime/controller.ts'
import { blockedBy } from '../../status/blocked.ts'
import { conditionsOf } from '../../status/conditions.ts'
import type { Verdicts } from '../../status/conditions.ts'
import { phaseOf } from '../../status/phase.ts'
import type { ObservedChild } from '../../status/observed.ts'
import { isClaimedBy, isUnproven, refusalOf, viewIsIncomplete } from './gates.ts'
import { observe } from './observe.ts'
import type { Observed } from './observe.ts'

type Deletion = Report<AppInstanceStatus>

const letGo: Deletion = { outcome: { kind: 'settled' } }

/**
 * Removes the instance's namespace, and lets the instance go when it is gone.
 * Before anything destructive: a live look at our CRD, at the instance and at the namespace. If the CRD is being
 * removed, only the finalizer is released and the workloads live on (docs/engine.md, What it promises).
 * What the API server refuses is told, and tried again after a while.
 */
export async function cleanup(ctx: Ctx, instance: AppInstance): Promise<Deletion> {
  const seen = observe(ctx, instance)
  const incomplete = viewIsIncomplete(seen)
  if (incomplete) return { outcome: incomplete }
  if (seen.namespace && isClaimedBy(seen.namespace, seen) && seen.namespace.metadata.deletionTimestamp) {
    return terminating(seen, ctx.now)
  }
  const fights = fightsOf(ctx.target.cache)
  const { name, uid = '' } = instance.metadata
  // By the instance's uid: whose namespace there is will be known after a live look, which may be what is refused.
  const removal = removalOf(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid } })
  const held = refusalAgainst(fights, removal, ctx.now.getTime())
  if (held) return refusedTermination(seen, ctx.now, held)
  try {
    return await remove(ctx, seen)
  } catch (error) {
    return refusedTermination(seen, ctx.now, refusedBy(fights, removal, error, ctx.now.getTime()))
  }
}

async function remove(ctx: Ctx, seen: Observed): Promise<Deletion> {
  const { instance } = seen
  if (await isCrdLeaving(ctx)) return letGo
  const namespace = await liveNamespace(ctx, instance)
  if (!namespace) {
    fightsOf(ctx.target.cache).forget(instance.metadata.name)
    return letGo
  }
  if (!isClaimedBy(namespace, seen)) return isUnproven(namespace, seen) ? leaveBehind(namespace) : letGo
  if (!(await isStillDeleted(ctx, instance))) return letGo
  await ctx.target.kube.delete(namespaceType, refOf(namespace), namespace.metadata.uid ?? '')
  const message = `Namespace ${namespace.metadata.name} is being removed with everything in it.`
  const event: EventRecord = { type: 'Normal', reason: 'NamespaceDeleted', action: 'Deleting', message }
  return { ...terminating(seen, ctx.now), events: [event] }
}

/** Lets the instance go, and says aloud what nobody proved to be its own. */
function leaveBehind({ metadata: { name } }: ObservedChild): Deletion {
  const message = `Namespace '${name}' carries this instance's labels, but not its recorded uids: it is left as it is; if it is yours, kubectl delete namespace ${name}`
  return { ...letGo, events: [{ type: 'Warning', reason: 'NamespaceLeft', action: 'Deleting', message }] }
}

async function isCrdLeaving(ctx: Ctx): Promise<boolean> {
  const crd = await ctx.kube.getLive(crdType, { namespace: '', name: `${appInstanceKind.plural}.${group}` })
  return crd === undefined || crd.metadata.deletionTimestamp !== undefined
}

async function liveNamespace(ctx: Ctx, instance: AppInstance): Promise<ObservedChild | undefined> {
  const live = await ctx.target.kube.getLive(namespaceType, { namespace: '', name: instance.metadata.name })
  return live as ObservedChild | undefined
}

async function isStillDeleted(ctx: Ctx, instance: AppInstance): Promise<boolean> {
  const live = await ctx.kube.getLive(appInstanceKind, refOf(instance))
  return live?.metadata.uid === instance.metadata.uid && live?.metadata.deletionTimestamp !== undefined
}

function terminating(seen: Observed, now: Date): Deletion {
  const { name } = seen.instance.metadata
  const message = `Namespace '${name}' is being removed; see kubectl describe namespace ${name}`
  return { status: statusOf(seen, now, message), outcome: { kind: 'progressing', reason: 'Terminating', message } }
}

/** The API server does not let us: it stays as it is, and nobody is left to wonder why. */
function refusedTermination(seen: Observed, now: Date, refused: Refused): Deletion {
  const objection = refusalOf(refused)
  const { reason, message } = objection
  return {
    status: statusOf(seen, now, message),
    outcome: { ...objection, kind: 'progressing', reason: 'Terminating' },
    events: [{ type: 'Warning', reason, action: 'Deleting', message }],
  }
}

function statusOf({ instance, pods }: Observed, now: Date, message: string): AppInstanceStatus {
  const isServing = pods.some(({ isReady, metadata }) => isReady && !metadata.deletionTimestamp)
  const verdicts: Verdicts = {
    Accepted: { status: 'True', reason: 'Accepted', message: 'The deletion can be acted on.' },
    Ready: { status: 'Unknown', reason: 'Terminating', message },
    Available: isServing
      ? { status: 'True', reason: 'Serving', message: 'Replicas still answer.' }
      : { status: 'False', reason: 'NotServing', message: 'No replica is ready any more.' },
    Deployed: { status: 'Unknown', reason: 'Terminating', message },
    Reconciling: { status: 'True', reason: 'Terminating', message },
  }
  const generation = instance.metadata.generation ?? 0
  return {
    observedGeneration: generation,
    phase: phaseOf(verdicts),
    conditions: conditionsOf(instance.status?.conditions, verdicts, generation, now),
    ...blockedBy(instance, verdicts, now),
    namespace: instance.metadata.name,
  }
}
