import { appKind } from '../../api/app.ts'
import { appEnvKind } from '../../api/appEnv.ts'
import type { AppInstance, AppInstanceStatus } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import { appReleaseKind } from '../../api/appRelease.ts'
import { appStackKind } from '../../api/appStack.ts'
import type { AppStackRevision } from '../../api/appStackRevision.ts'
import { appStackRevisionKind } from '../../api/appStackRevision.ts'
import { namespaceType, podType } from '../../api/builtin.ts'
import type { KubeObject, Ref, ResourceType } from '../../api/meta.ts'
import { finalizers, keyOf, refOf } from '../../api/meta.ts'
import { execute } from '../../apply/execute.ts'
import { fightsOf, type Fights } from '../../apply/fights.ts'
import { refusalAgainst, refusedBy, type Refused } from '../../apply/refusal.ts'
import { ownerOf } from '../../render/appInstance.ts'
import type { Controller, Ctx, Reader, Watch } from '../../runtime/controller.ts'
import { hasSucceeded } from '../../status/appRelease.ts'
import { childTypes } from '../informers.ts'
import { appsOf, stackOfRevision } from '../revisions.ts'
import { followRollout } from '../rollout.ts'
import { removeSurplus } from '../surplus.ts'
import { cleanup } from './cleanup.ts'
import { decide, mayApply, planOf, standingOf } from './decide.ts'
import { refusalOf, viewIsIncomplete } from './gates.ts'
import { observe } from './observe.ts'
import type { Observed } from './observe.ts'
import { report } from './report.ts'

/** An AppInstance: its namespace, its releases, and everything that runs there. */
export const appInstance: Controller<AppInstance, AppInstanceStatus> = {
  kind: appInstanceKind,
  finalizer: finalizers.instance,
  placedBy: (instance) => instance,
  flowOf: ({ metadata, spec }) => [metadata.namespace ?? '', spec.app],
  contested: (target) => fightsOf(target).contestedCount,
  watches: [
    { type: appInstanceKind, keys: (object) => [refOf(object)] },
    // Its status tells of its instances: it must not wake them all.
    { type: appKind, ignoresStatus: true, keys: (object, cache) => ofApp(cache, object) },
    { type: appEnvKind, ignoresStatus: true, keys: (object, cache) => named(cache, 'env', object.metadata.name) },
    { type: appStackKind, ignoresStatus: true, keys: (object, cache) => ofStack(cache, refOf(object)) },
    { type: appStackRevisionKind, keys: ofRevision },
    { type: appReleaseKind, keys: (object) => [{ ...refOf(object), name: (object as AppRelease).spec.instance }] },
    { type: namespaceType, place: 'target', keys: (object, cache) => named(cache, 'name', object.metadata.name) },
    ...[...childTypes, podType].map(inNamespace),
  ],

  async reconcile(ctx, instance) {
    const seen = observe(ctx, instance)
    const incomplete = viewIsIncomplete(seen)
    if (incomplete) return { outcome: incomplete }
    const { objection, changes, next } = decide(seen)
    const { cache, kube } = ctx.target
    const fights = fightsOf(cache)
    const { release = seen.releases[0], refused } = next ? await createRelease(ctx, next, fights) : {}
    const rollout = release ? followRollout(ownerOf(instance), release, seen.deployments, fights) : () => []
    const applied =
      release && mayApply(seen, objection)
        ? await execute(kube, planOf(seen, release), seen.owned, standingOf(seen, release, rollout, fights, ctx.now))
        : undefined
    await pruneReleases(ctx, seen)
    const refusal = refused ?? applied?.refused
    const hindrance = objection ?? (refusal && refusalOf(refusal))
    return report(seen, { objection: hindrance, release, changes, applied, rollout: rollout() }, ctx.now)
  },

  cleanup,
}

function ofApp(cache: Reader, app: KubeObject): Ref[] {
  return named(cache, 'app', keyOf(refOf(app)))
}

function ofStack(cache: Reader, stack: Ref): Ref[] {
  return appsOf(cache, stack).flatMap((app) => ofApp(cache, app))
}

/** A revision concerns every instance of every App of that stack, and those that name it although it is of another. */
function ofRevision(object: KubeObject, cache: Reader): Ref[] {
  const stack = stackOfRevision(object as AppStackRevision)
  return [...ofStack(cache, stack), ...named(cache, 'revision', keyOf(refOf(object)))]
}

function inNamespace(type: ResourceType): Watch {
  return { type, place: 'target', keys: (object, cache) => named(cache, 'name', object.metadata.namespace ?? '') }
}

function named(cache: Reader, index: string, value: string): Ref[] {
  return cache.byIndex<AppInstance>(appInstanceKind, index, value).map(refOf)
}

/** The release as it was made, or why it could not be: a quota, a policy. The same is not sent again for a while. */
async function createRelease(
  ctx: Ctx,
  next: AppRelease,
  fights: Fights,
): Promise<{ release?: AppRelease; refused?: Refused }> {
  const desired = { type: appReleaseKind, object: next, mode: 'once' } as const
  const refused = refusalAgainst(fights, desired, ctx.now.getTime())
  if (refused) return { refused }
  try {
    return { release: (await ctx.kube.create(appReleaseKind, next)) as AppRelease }
  } catch (error) {
    return { refused: refusedBy(fights, desired, error, ctx.now.getTime()) }
  }
}

/** Kept of an instance, newest first, besides the last good one; what the others named is pruned with the next change. */
const keptReleases = 10

/** One that has succeeded after all may be the last good one. */
async function pruneReleases(ctx: Ctx, { releases }: Observed): Promise<void> {
  const good = releases.find(hasSucceeded)
  for (const release of releases.slice(keptReleases)) {
    if (release !== good) await removeSurplus(ctx, appReleaseKind, release, (live) => !good && hasSucceeded(live))
  }
}
