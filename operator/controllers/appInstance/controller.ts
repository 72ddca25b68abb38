import { allowedConfigMapType, allowedSecretType } from '../../api/allowed.ts'
import type { App } from '../../api/app.ts'
import { appKind } from '../../api/app.ts'
import { appEnvKind } from '../../api/appEnv.ts'
import type { AppInstance, AppInstanceStatus } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import { appReleaseKind } from '../../api/appRelease.ts'
import { appStackKind } from '../../api/appStack.ts'
import type { AppStackRevision } from '../../api/appStackRevision.ts'
import { appStackRevisionKind } from '../../api/appStackRevision.ts'
import type { AppTask } from '../../api/appTask.ts'
import { appTaskKind } from '../../api/appTask.ts'
import { namespaceType, podType } from '../../api/builtin.ts'
import type { KubeObject, Ref, ResourceType } from '../../api/meta.ts'
import { finalizers, keyOf, refOf } from '../../api/meta.ts'
import { execute } from '../../apply/execute.ts'
import { fightsOf, type Fights } from '../../apply/fights.ts'
import { refusalAgainst, refusedBy, type Refused } from '../../apply/refusal.ts'
import { eventType } from '../../runtime/events.ts'
import type { Controller, Ctx, Reader, Watch } from '../../runtime/controller.ts'
import { hasSucceeded } from '../../status/appRelease.ts'
import { failureOf } from '../../status/errored.ts'
import { childTypes, sourceKey } from '../informers.ts'
import { appsOf, stackOfRevision } from '../revisions.ts'
import { removeSurplus } from '../surplus.ts'
import { endUnbegun } from './actions.ts'
import { isLocked } from './attempts.ts'
import { cleanup } from './cleanup.ts'
import { fillCopies } from './copies.ts'
import { create, isCreationDue, locked } from './creation.ts'
import type { Decision } from './decide.ts'
import { decide, mayApply, planOf, standingOf } from './decide.ts'
import { refusalOf, viewIsIncomplete } from './gates.ts'
import { markLocked } from './lock.ts'
import { runAsked } from './manualActions.ts'
import { observe } from './observe.ts'
import type { Observed } from './observe.ts'
import type { Findings } from './report.ts'
import { report } from './report.ts'
import { followInstance } from './running.ts'
import { readSources, type Values } from './sources.ts'

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
    { type: allowedSecretType, keys: ofSource },
    { type: allowedConfigMapType, keys: ofSource },
    { type: appReleaseKind, keys: (object) => [{ ...refOf(object), name: (object as AppRelease).spec.instance }] },
    { type: appTaskKind, keys: (object) => [{ ...refOf(object), name: (object as AppTask).spec.instance }] },
    { type: namespaceType, place: 'target', keys: (object, cache) => named(cache, 'name', object.metadata.name) },
    ...[...childTypes, podType, eventType].map(inNamespace),
  ],

  async reconcile(ctx, instance) {
    const first = observe(ctx, instance)
    const incomplete = viewIsIncomplete(first)
    if (incomplete) return { outcome: incomplete }
    const failure = isLocked(first) ? failureOf(instance, first.tasks) : undefined
    if (failure) {
      await markLocked(ctx, first, failure.reason)
      return report(first, await runAsked(ctx, first, locked(ctx, first, failure)), ctx.now)
    }
    const read = await readSources(ctx, instance.metadata.namespace ?? '', first.wanted?.unread ?? [])
    const seen = read.size > 0 ? observe(ctx, instance) : first
    return report(seen, await runAsked(ctx, seen, await work(ctx, seen, read)), ctx.now)
  },

  cleanup,
}

/** What was read of Secrets and ConfigMaps, by source. */
type Read = ReadonlyMap<string, Values>

/** What is to be done, done; as a creation as long as it is one. */
function work(ctx: Ctx, seen: Observed, read: Read): Promise<Findings> {
  const decision = decide(seen)
  const bringAbout = (): Promise<Findings> => deploy(ctx, seen, read, decision)
  return isCreationDue(seen, decision) ? create(ctx, seen, decision, bringAbout) : bringAbout()
}

/** Makes the release that is due, and the cluster what the newest one says. */
async function deploy(
  ctx: Ctx,
  seen: Observed,
  read: Read,
  { objection, running, changes, failed, next }: Decision,
): Promise<Findings> {
  const { cache, kube } = ctx.target
  const fights = fightsOf(cache)
  const { release = running, refused: held } = next ? await createRelease(ctx, next, fights) : {}
  const rollout = release ? followInstance(seen, release, fights) : () => []
  if (release) await endUnbegun(ctx, release, seen)
  const applied =
    release && mayApply(seen, objection)
      ? await execute(
          kube,
          await fillCopies(ctx, seen, planOf(seen, release), read),
          seen.owned,
          standingOf(seen, release, rollout, fights, ctx.now),
        )
      : undefined
  await pruneReleases(ctx, seen)
  const refused = held ?? applied?.refused
  const hindrance = objection ?? (refused && refusalOf(refused))
  return { objection: hindrance, release, changes, failed, applied, rollout: rollout(), ...(refused && { refused }) }
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

/** Whoever refers to a Secret or ConfigMap, be it in an older revision. */
function ofSource(object: KubeObject, cache: Reader): Ref[] {
  const source = sourceKey(object, `${object.kind}/${object.metadata.name}`)
  return [
    ...named(cache, 'source', source),
    ...cache.byIndex<App>(appKind, 'source', source).flatMap((app) => ofApp(cache, app)),
    ...cache
      .byIndex<AppStackRevision>(appStackRevisionKind, 'source', source)
      .flatMap((each) => ofRevision(each, cache)),
  ]
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
