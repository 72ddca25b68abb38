import type { AppInstance } from '../../api/appInstance.ts'
import { appInstanceKind } from '../../api/appInstance.ts'
import type { AppRelease, AppReleaseStatus } from '../../api/appRelease.ts'
import { appReleaseKind } from '../../api/appRelease.ts'
import { deploymentType, podType } from '../../api/builtin.ts'
import type { KubeObject, Ref } from '../../api/meta.ts'
import { labels, refOf } from '../../api/meta.ts'
import { fightsOf } from '../../apply/fights.ts'
import { ownerOf } from '../../render/appInstance.ts'
import type { Controller, Reader, Report } from '../../runtime/controller.ts'
import type { ObservedPod } from '../../status/observed.ts'
import { conditionsOf } from '../../status/conditions.ts'
import { serviceCause } from '../../status/causes.ts'
import { healthCause } from '../../status/pods.ts'
import { isDecided, releaseVerdict } from '../../status/appRelease.ts'
import { releasesOf } from '../releases.ts'
import { deploymentsOf, followRollout } from '../rollout.ts'
import { storageOf } from '../storage.ts'

/** What the API server makes of a Deployment is learnt from an answer (fights): no event need follow. */
const secondLookSeconds = 30

/** An AppRelease: how the deployment it records went. Once it has succeeded, failed or was superseded, that stays. */
export const appRelease: Controller<AppRelease, AppReleaseStatus> = {
  kind: appReleaseKind,
  placedBy: (release, hub) => hub.get<AppInstance>(appInstanceKind, instanceRef(release)),
  watches: [
    {
      type: appReleaseKind,
      keys: (object, cache) => undecided(cache, { ...refOf(object), name: (object as AppRelease).spec.instance }),
    },
    // One that was not in view yet says on which cluster its release is to be looked at.
    { type: appInstanceKind, ignoresStatus: true, keys: (object, cache) => undecided(cache, refOf(object)) },
    { type: deploymentType, place: 'target', keys: (object, cache) => undecided(cache, instanceOf(object)) },
  ],

  reconcile({ cache, target, now }, release): Promise<Report<AppReleaseStatus>> {
    const instance = cache.get<AppInstance>(appInstanceKind, instanceRef(release))
    const releases = releasesOf(cache, instanceRef(release), release.spec.instanceUid)
    if (isDecided(release, releases) || instance?.metadata.uid !== release.spec.instanceUid) {
      return Promise.resolve({ outcome: { kind: 'settled' } })
    }
    const deployments = deploymentsOf(target.cache, instance.metadata.name)
    const rollout = followRollout(ownerOf(instance), release, releases, deployments, fightsOf(target.cache))
    const { name: namespace } = instance.metadata
    const pods = target.cache.byIndex<ObservedPod>(podType, 'namespace', namespace)
    const storage = storageOf(target.cache, namespace)
    const verdict = releaseVerdict(
      release,
      releases,
      rollout(),
      ({ service }) =>
        serviceCause(service, namespace, { pods, deployments, ...storage }) ?? healthCause(service, pods),
    )
    const generation = release.metadata.generation ?? 0
    const conditions = conditionsOf(release.status?.conditions, { Succeeded: verdict }, generation, now)
    const { reason, message } = verdict
    return Promise.resolve({
      status: { observedGeneration: generation, conditions },
      outcome:
        verdict.status === 'Unknown'
          ? { kind: 'progressing', reason, message, retryAfterSeconds: secondLookSeconds }
          : { kind: 'settled' },
    })
  },
}

/** What an event of a release or a Deployment may decide: the releases of its instance that are under way. */
function undecided(cache: Reader, instance: Ref): Ref[] {
  const uid = cache.get(appInstanceKind, instance)?.metadata.uid
  const releases = releasesOf(cache, instance, uid)
  return releases.filter((release) => !isDecided(release, releases)).map(refOf)
}

function instanceRef(release: AppRelease): Ref {
  return { ...refOf(release), name: release.spec.instance }
}

function instanceOf({ metadata }: KubeObject): Ref {
  return { namespace: metadata.labels?.[labels.project] ?? '', name: metadata.labels?.[labels.instance] ?? '' }
}
