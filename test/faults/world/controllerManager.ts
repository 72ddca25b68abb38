import { membersOf, withMember, type Json, type Members } from '../double/json.ts'
import type { Double } from '../double/server.ts'
import { served, servedKind, type Served } from '../double/served.ts'
import type { Change } from '../double/store.ts'
import { metaOf } from '../double/writes.ts'
import type { Random } from '../schedule/random.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { nextOfClaim } from './claims.ts'
import { deploymentLabel, nextOfDeployment } from './deployments.ts'
import { nextOfJob } from './jobs.ts'
import { pathOf, type Act } from './objects.ts'

const namespaceType = servedKind('Namespace')
const crdType = servedKind('CustomResourceDefinition')
const deploymentType = servedKind('Deployment')
const jobType = servedKind('Job')
const claimType = servedKind('PersistentVolumeClaim')
const podType = servedKind('Pod')
const namespaced = served.filter(({ type }) => type.namespaced)

/**
 * The rest of the cluster: Deployments become pods, pods become ready, Jobs end, claims get volumes, terminating namespaces
 * and CRDs lose their content, and what lost its owner goes. It does one write at a time, when the schedule lets it.
 */
export class ControllerManager {
  readonly #double: Double
  readonly #schedule: Schedule
  readonly #random: Random
  readonly #deployments = new Set<string>()
  readonly #jobs = new Set<string>()
  readonly #claims = new Set<string>()
  readonly #leavingNamespaces = new Set<string>()
  readonly #leavingCrds = new Set<string>()
  #isGarbageLikely = false
  #isScheduled = false

  constructor(double: Double, schedule: Schedule) {
    this.#double = double
    this.#schedule = schedule
    this.#random = schedule.random.fork('world')
    double.store.onChange((change) => this.#notice(change))
  }

  /** Whether nothing is left to do. */
  get isIdle(): boolean {
    return !this.#isScheduled
  }

  #notice({ served: type, key, before, after }: Change): void {
    if (type === deploymentType) this.#deployments.add(key)
    if (type === jobType) this.#jobs.add(key)
    if (type === claimType) this.#claims.add(key)
    if (type === podType) this.#deployments.add(deploymentOf((after ?? before)!))
    if (after === undefined) this.#isGarbageLikely = true
    const leaving = after !== undefined && metaOf(after).deletionTimestamp !== undefined
    if (type === namespaceType && leaving) this.#leavingNamespaces.add(key)
    if (type === crdType && leaving) this.#leavingCrds.add(key)
    // Something left a namespace or a kind that is going.
    this.#wake()
  }

  #wake(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#schedule.after(1 + this.#random.next() * 8, () => {
      this.#isScheduled = false
      const act = this.#next()
      if (act === undefined) return
      act()
      this.#wake()
    })
  }

  /** Deployments and namespaces in turn, as chance will have it. */
  #next(): Act | undefined {
    if (this.#random.chance(0.3)) {
      const garbage = this.#nextOfGarbage()
      if (garbage !== undefined) return garbage
    }
    const quick = this.#nextOfJobs() ?? this.#nextOfClaims()
    if (quick !== undefined) return quick
    const isFirst = this.#random.chance(0.5)
    const first = isFirst ? this.#nextOfDeployments() : this.#nextOfNamespaces()
    const second = (): Act | undefined => (isFirst ? this.#nextOfNamespaces() : this.#nextOfDeployments())
    return first ?? second() ?? this.#nextOfCrds() ?? this.#nextOfGarbage()
  }

  #nextOfDeployments(): Act | undefined {
    return this.#nextOf(deploymentType, this.#deployments, (deployment) =>
      nextOfDeployment(this.#double, deployment, this.#random),
    )
  }

  #nextOfJobs(): Act | undefined {
    return this.#nextOf(jobType, this.#jobs, (job) => nextOfJob(this.#double, job))
  }

  #nextOfClaims(): Act | undefined {
    return this.#nextOf(claimType, this.#claims, (claim) => nextOfClaim(this.#double, claim))
  }

  #nextOf(type: Served, keys: Set<string>, nextOfOne: (object: Members) => Act | undefined): Act | undefined {
    for (const key of keys) {
      const object = this.#double.store.get(type, key)
      const act = object && nextOfOne(object)
      if (act !== undefined) return act
      // What is leaving may be waiting for others to go.
      if (object === undefined || metaOf(object).deletionTimestamp === undefined) keys.delete(key)
    }
    return undefined
  }

  #nextOfNamespaces(): Act | undefined {
    for (const key of this.#leavingNamespaces) {
      const namespace = this.#double.store.get(namespaceType, key)
      if (namespace === undefined || metaOf(namespace).deletionTimestamp === undefined) {
        this.#leavingNamespaces.delete(key)
        continue
      }
      const { name } = metaOf(namespace)
      const content = namespaced.flatMap((type) => this.#objectsIn(type, name))
      const free = content.find(([, , object]) => metaOf(object).deletionTimestamp === undefined)
      if (free !== undefined) return () => this.#delete(free[0], free[2])
      const isFinalized = membersOf(namespace['spec'])['finalizers'] === undefined
      if (content.length === 0 && !isFinalized) return () => this.#finalize(key, namespace)
    }
    return undefined
  }

  #objectsIn(type: Served, namespace: string): readonly (readonly [Served, string, Members])[] {
    const all = this.#double.store.list(type)
    return all.filter(([key]) => key.startsWith(`${namespace}/`)).map(([key, object]) => [type, key, object])
  }

  /** As PUT of the subresource finalize. */
  #finalize(key: string, namespace: Members): void {
    const isHeld = (metaOf(namespace).finalizers?.length ?? 0) > 0
    const after = isHeld ? withMember(namespace, 'spec', {}) : undefined
    this.#double.store.commit(namespaceType, key, after, 'world')
  }

  #nextOfCrds(): Act | undefined {
    for (const key of this.#leavingCrds) {
      const crd = this.#double.store.get(crdType, key)
      const type = served.find(({ qualified }) => key === `/${qualified}`)
      if (crd === undefined || type === undefined || metaOf(crd).deletionTimestamp === undefined) {
        this.#leavingCrds.delete(key)
        continue
      }
      const objects = this.#double.store.list(type)
      const free = objects.find(([, object]) => metaOf(object).deletionTimestamp === undefined)
      if (free !== undefined) return () => this.#delete(type, free[1])
      if (objects.length > 0) continue
      return () => {
        this.#double.store.commit(crdType, key, undefined, 'world')
        this.#double.endWatches(type)
      }
    }
    return undefined
  }

  #nextOfGarbage(): Act | undefined {
    if (!this.#isGarbageLikely) return undefined
    const living = new Set<Json>()
    const dependants: (readonly [Served, Members])[] = []
    for (const type of served) {
      for (const [, object] of this.#double.store.list(type)) {
        const { uid, ownerReferences = [], deletionTimestamp } = metaOf(object)
        living.add(uid)
        if (ownerReferences.length > 0 && deletionTimestamp === undefined) dependants.push([type, object])
      }
    }
    const orphan = dependants.find(
      ([, object]) => metaOf(object).ownerReferences?.every(({ uid }) => !living.has(uid)) === true,
    )
    if (orphan !== undefined) return () => this.#delete(...orphan)
    this.#isGarbageLikely = false
    return undefined
  }

  #delete(type: Served, object: Members): void {
    this.#double.handle({ method: 'DELETE', path: pathOf(type, object) }, 'world')
  }
}

/** The rest of a cluster, at work from now on. */
export function startControllerManager(double: Double, schedule: Schedule): ControllerManager {
  return new ControllerManager(double, schedule)
}

/** The key of the Deployment that a pod is of. */
function deploymentOf(pod: Members): string {
  const { namespace, labels } = metaOf(pod)
  return `${namespace}/${labels?.[deploymentLabel]}`
}
