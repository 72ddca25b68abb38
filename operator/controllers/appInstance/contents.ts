import {
  deploymentType,
  horizontalPodAutoscalerType,
  jobType,
  persistentVolumeClaimType,
  podType,
} from '../../api/builtin.ts'
import type { KubeObject, ResourceType } from '../../api/meta.ts'
import { labels } from '../../api/meta.ts'
import { isExpendable } from '../../apply/prune.ts'
import { ownedDigest } from '../../apply/digest.ts'
import type { Owned } from '../../apply/owned.ts'
import type { Ctx } from '../../runtime/controller.ts'
import { childTypes } from '../informers.ts'
import type { Observed } from './observe.ts'

/** What is in the namespace of an instance: of whom, and what has to go before it is released (ADR 0022). */

const looked: readonly ResourceType[] = [...childTypes, podType]

/** What makes pods, and pods: they go before what they run with, such as their NetworkPolicies. */
const running: readonly ResourceType[] = [deploymentType, jobType, horizontalPodAutoscalerType, podType]

/** What others made in the namespace of an instance. */
export interface Foreign {
  /** Names of PersistentVolumeClaims that nobody has asked to go. */
  readonly claims: readonly string[]
  /** Anything else, as `ConfigMap 'notes'`. */
  readonly objects: readonly string[]
}

interface Found {
  readonly type: ResourceType
  readonly object: KubeObject
}

/** A live look at what others made there, of the types that the operator knows. Throws a KubeError. */
export async function foreignIn(ctx: Ctx, instance: string): Promise<Foreign> {
  const found = await look(ctx, looked, instance, '!=')
  const claims = found.filter((each) => isClaim(each) && !each.object.metadata.deletionTimestamp)
  const objects = found.filter((each) => !isClaim(each)).flatMap(({ object }) => makerOf(object) ?? [])
  return {
    claims: claims.map(({ object }) => object.metadata.name).toSorted(),
    objects: [...new Set(objects)].toSorted(),
  }
}

function isClaim({ type }: Found): boolean {
  return type === persistentVolumeClaimType
}

/** Names of the claims of others in the cache that nobody has asked to go. Pure. */
export function foreignClaimsOf({ instance, claims }: Observed): readonly string[] {
  const theirs = [...claims.values()].filter(
    ({ metadata }) => metadata.labels?.[labels.instance] !== instance.metadata.name && !metadata.deletionTimestamp,
  )
  return theirs.map(({ metadata }) => metadata.name).toSorted()
}

/** What of the instance has to go before its namespace is released, as the cache shows it. Pure. */
export function workloadsOf({ owned, pods, jobPods }: Observed): readonly Owned[] {
  const ofPods = [...pods, ...jobPods].map((object): Owned => ({ type: podType, object, digest: '' }))
  return [...owned.filter(({ type }) => type.namespaced), ...ofPods].filter(hasToGo)
}

/** The same by a live look. Throws a KubeError. */
export async function workloadsIn(ctx: Ctx, instance: string): Promise<readonly Owned[]> {
  const found = await look(ctx, looked, instance, '=')
  return found.map(({ type, object }): Owned => ({ type, object, digest: ownedDigest(object) })).filter(hasToGo)
}

/** Of these, what is to be asked to go now. Pure. */
export function dueOf(workloads: readonly Owned[]): readonly Owned[] {
  const first = workloads.filter(({ type }) => running.includes(type))
  return removableOf(first.length > 0 ? first : workloads)
}

/** Of these, what can be asked to go, the last of the kinds first; pods go with what made them. Pure. */
export function removableOf(workloads: readonly Owned[]): readonly Owned[] {
  return workloads.filter(({ type, object }) => type !== podType && !object.metadata.deletionTimestamp).toReversed()
}

/** What is not ours by field manager is not waited for either; pods are never ours by it. */
function hasToGo(each: Owned): boolean {
  const isOurs = each.digest !== '' || each.type === podType
  return isOurs && isExpendable(each)
}

async function look(
  { target }: Ctx,
  types: readonly ResourceType[],
  instance: string,
  relation: '=' | '!=',
): Promise<Found[]> {
  const lists = types.map(async (type) => {
    const objects = await target.kube.listLive(type, instance, `${labels.instance}${relation}${instance}`)
    return objects.map((object) => ({ type, object }))
  })
  return (await Promise.all(lists)).flat()
}

/** Made in every namespace by Kubernetes itself. */
const usual: readonly string[] = ["ConfigMap 'kube-root-ca.crt'", "ServiceAccount 'default'"]
/** What they make is told of by themselves, or by what made them. */
const listedOwners: readonly string[] = ['ReplicaSet', ...looked.map(({ kind }) => kind)]

/** What people would have to look at: the object, or what keeps making such objects; undefined when that is told anyway. */
function makerOf({ kind, metadata }: KubeObject): string | undefined {
  const owners = (metadata as { readonly ownerReferences?: readonly { kind: string; name: string }[] }).ownerReferences
  const [owner] = owners ?? []
  if (owner) return listedOwners.includes(owner.kind) ? undefined : nameOf(owner.kind, owner.name)
  const name = nameOf(kind, metadata.name)
  return usual.includes(name) ? undefined : name
}

function nameOf(kind: string, name: string): string {
  return `${kind} '${name}'`
}
