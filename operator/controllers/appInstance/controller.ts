import type { App } from '../../api/app.ts'
import { appKind } from '../../api/app.ts'
import { appEnvKind } from '../../api/appEnv.ts'
import type { AppInstance, AppInstanceStatus } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import { appReleaseKind } from '../../api/appRelease.ts'
import type { AppStackRevision } from '../../api/appStackRevision.ts'
import { appStackRevisionKind } from '../../api/appStackRevision.ts'
import { namespaceType, podType } from '../../api/builtin.ts'
import type { KubeObject, Ref, ResourceType } from '../../api/meta.ts'
import { finalizers, keyOf, refOf } from '../../api/meta.ts'
import { execute } from '../../apply/execute.ts'
import type { Applied } from '../../apply/execute.ts'
import { renderInstance, ownerOf } from '../../render/appInstance.ts'
import { asksForRelease, changesBetween, makeRelease } from '../../render/release.ts'
import type { Change } from '../../render/release.ts'
import type { Controller, Ctx, Reader, Watch } from '../../runtime/controller.ts'
import { childTypes } from '../informers.ts'
import { rolloutIn } from '../rollout.ts'
import { cleanup } from './cleanup.ts'
import { firstObjection, refusalOf } from './gates.ts'
import type { Objection } from './gates.ts'
import { observe } from './observe.ts'
import type { Observed } from './observe.ts'
import { report } from './report.ts'

/** An AppInstance: its namespace, its releases, and everything that runs there. */
export const appInstance: Controller<AppInstance, AppInstanceStatus> = {
  kind: appInstanceKind,
  finalizer: finalizers.instance,
  watches: [
    { type: appInstanceKind, keys: (object) => [refOf(object)] },
    { type: appKind, keys: (object, cache) => ofApp(cache, object) },
    { type: appEnvKind, keys: (object, cache) => named(cache, 'env', object.metadata.name) },
    { type: appStackRevisionKind, keys: ofRevision },
    { type: appReleaseKind, keys: (object) => [{ ...refOf(object), name: (object as AppRelease).spec.instance }] },
    { type: namespaceType, keys: (object, cache) => named(cache, 'name', object.metadata.name) },
    ...[...childTypes, podType].map(inNamespace),
  ],

  async reconcile(ctx, instance) {
    const seen = observe(ctx.cache, instance)
    const objection = firstObjection(seen)
    const changes = objection ? [] : pendingChanges(seen)
    const current = seen.releases[0]
    const isNewRelease = !objection && (!current || asksForRelease(changes))
    const release = isNewRelease ? await createRelease(ctx, seen) : current
    const applied = release && mayApply(seen, objection) ? await apply(ctx, seen, release) : undefined
    await pruneReleases(ctx, seen)
    const found = {
      objection: objection ?? refusalOf(applied),
      release,
      changes: isNewRelease ? [] : changes,
      applied,
      rollout: release ? rolloutIn(ownerOf(instance), release, seen.deployments) : [],
    }
    return report(seen, found, ctx.now)
  },

  cleanup,
}

function ofApp(cache: Reader, app: KubeObject): Ref[] {
  return named(cache, 'app', keyOf(refOf(app)))
}

/** A new revision concerns every instance of every App of that stack. */
function ofRevision(object: KubeObject, cache: Reader): Ref[] {
  const stack = keyOf({ namespace: object.metadata.namespace ?? '', name: (object as AppStackRevision).spec.stack })
  return cache.byIndex<App>(appKind, 'stack', stack).flatMap((app) => ofApp(cache, app))
}

function inNamespace(type: ResourceType): Watch {
  return { type, keys: (object, cache) => named(cache, 'name', object.metadata.namespace ?? '') }
}

function named(cache: Reader, index: string, value: string): Ref[] {
  return cache.byIndex<AppInstance>(appInstanceKind, index, value).map(refOf)
}

function pendingChanges({ releases, wanted, revision }: Observed): readonly Change[] {
  const newest = releases[0]
  if (!newest || !wanted || !revision) return []
  return changesBetween(newest, { services: wanted.services, stackRevision: revision.metadata.name })
}

async function createRelease(ctx: Ctx, { instance, wanted, revision, releases }: Observed): Promise<AppRelease> {
  const stackRevision = revision?.metadata.name ?? ''
  const release = makeRelease(instance, { services: wanted?.services ?? [], stackRevision }, releases[0])
  return (await ctx.kube.create(appReleaseKind, release)) as AppRelease
}

/** What ran, runs and is repaired while something is missing or invalid; nothing is touched in a namespace not ours. */
function mayApply({ namespace }: Observed, objection: Objection | undefined): boolean {
  return objection?.kind !== 'failed' && !namespace?.metadata.deletionTimestamp
}

function apply(ctx: Ctx, seen: Observed, release: AppRelease): Promise<Applied> {
  const { instance, projectUid, hubUid } = seen
  const claim = { instanceUid: instance.metadata.uid ?? '', projectUid, hubUid }
  const plan = renderInstance({ owner: ownerOf(instance), claim, release, kept: seen.releases })
  return execute(ctx.kube, plan, seen.owned)
}

/** Kept of an instance, newest first; what the others named is then pruned with the next change. */
const keptReleases = 10

async function pruneReleases(ctx: Ctx, { releases }: Observed): Promise<void> {
  for (const release of releases.slice(keptReleases)) {
    await ctx.kube.delete(appReleaseKind, refOf(release), release.metadata.uid ?? '')
  }
}
