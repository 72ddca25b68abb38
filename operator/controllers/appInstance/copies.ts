import type { AppRelease } from '../../api/appRelease.ts'
import { secretType } from '../../api/builtin.ts'
import { identityOf } from '../../apply/fights.ts'
import { Redacted } from '../../kube/secret.ts'
import { copiesOf } from '../../render/copies.ts'
import type { Copy, Desired, Plan } from '../../render/plan.ts'
import type { References } from '../../render/resolve/references.ts'
import type { Ctx } from '../../runtime/controller.ts'
import type { Observed } from './observe.ts'
import { readSources, referencesOf, type Values } from './sources.ts'

/**
 * The plan, with the values of those copies that are missing; a source that was not read in this reconcile is read for
 * it. Without values stays a copy whose source is not what it was, or may not be used any more.
 * In: what was observed, the plan, what this reconcile has read. Throws a KubeError.
 */
export async function fillCopies(
  ctx: Ctx,
  { instance, owned, releases }: Observed,
  plan: Plan,
  read: ReadonlyMap<string, Values>,
): Promise<Plan> {
  const there = new Set(owned.map(identityOf))
  const missing = plan.stages
    .flatMap(({ objects }) => objects)
    .filter((desired) => desired.copy !== undefined && !there.has(identityOf(desired)))
  if (missing.length === 0) return plan
  const due = missing.flatMap(({ copy }) => copy?.source ?? []).filter((source) => !read.has(source))
  const project = instance.metadata.namespace ?? ''
  const before = referencesOf(ctx.cache, instance, releases)
  const readable = [...new Set(due)].filter((source) => ['known', 'unread'].includes(before.lookUp(source).state))
  const values = new Map([...read, ...(await readSources(ctx, project, readable))])
  const references = referencesOf(ctx.cache, instance, releases)
  const fill = (desired: Desired): Desired => {
    const found = missing.includes(desired) && desired.copy ? valuesOf(desired.copy, references, values) : undefined
    return found ? { ...desired, values: found } : desired
  }
  return { ...plan, stages: plan.stages.map((stage) => ({ ...stage, objects: stage.objects.map(fill) })) }
}

/** The values of a copy; undefined when the source has others now. */
function valuesOf(
  { source, values: wanted }: Copy,
  references: References,
  read: ReadonlyMap<string, Values>,
): Values | undefined {
  const state = references.lookUp(source)
  const data = read.get(source)?.reveal()
  if (state.state !== 'known' || !data) return undefined
  if (wanted.some(({ key, hash }) => state.values.get(key)?.hash !== hash)) return undefined
  return new Redacted(Object.fromEntries(wanted.map(({ key }) => [key, data[key] ?? ''])))
}

/** Whether a copy that a release names is gone, and cannot be made again from what is declared now. */
export function hasLostCopies({ owned, wanted }: Observed, release: AppRelease): boolean {
  const named = copiesOf(release.spec.services)
  if (named.length === 0) return false
  const there = new Set(owned.filter(({ type }) => type === secretType).map(({ object }) => object.metadata.name))
  const makeable = new Set(copiesOf(wanted?.services ?? []).map(({ name }) => name))
  return named.some(({ name }) => !there.has(name) && !makeable.has(name))
}
