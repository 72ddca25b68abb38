import type { AppInstance } from '../operator/api/appInstance.ts'
import type { AppRelease } from '../operator/api/appRelease.ts'

/** What an instance must say to run what another one runs. */

export interface Promotion {
  readonly spec: AppInstance['spec']
  /** What is otherwise in it: `stack.revision: shop-1.0 → shop-1.1`. */
  readonly changes: readonly string[]
}

type Override = NonNullable<AppInstance['spec']['services']>[number]

/**
 * The spec of `to` with the stack revision and the images that run in `from` by its release. An image that neither of them
 * names comes with the revision. Numbers, variables and all else stay as they are. Pure.
 */
export function promotionOf(from: AppInstance, { spec: release }: AppRelease, to: AppInstance): Promotion {
  const images = new Map(release.services.map(({ name, image }) => [name, image]))
  const main = release.services.find((service) => service.main)?.image
  const isNamed = (from.spec.image ?? to.spec.image) !== undefined && main !== undefined
  const services = overridesOf(from.spec.services ?? [], to.spec.services ?? [], images)
  const spec = {
    ...to.spec,
    stack: { ...to.spec.stack, revision: release.stackRevision },
    ...(isNamed && { image: main }),
    ...(services.length > 0 && { services }),
  }
  return { spec, changes: changesBetween(to.spec, spec) }
}

/** Those of `to`, and for each service whose image either of the two names that which runs. */
function overridesOf(
  from: readonly Override[],
  to: readonly Override[],
  images: ReadonlyMap<string, string>,
): readonly Override[] {
  const added = from.filter(({ name, image }) => image !== undefined && !to.some((each) => each.name === name))
  const isNamed = (name: string): boolean =>
    [...from, ...to].some((each) => each.name === name && each.image !== undefined)
  const all = [...to, ...added.map(({ name }): Override => ({ name }))]
  return all.map((override) => {
    const image = isNamed(override.name) ? images.get(override.name) : undefined
    return image === undefined ? override : { ...override, image }
  })
}

function changesBetween(before: AppInstance['spec'], after: AppInstance['spec']): readonly string[] {
  const overrides = (after.services ?? []).map(({ name, image }) => {
    const known = before.services?.find((each) => each.name === name)?.image
    return [`services[${name}].image`, known, image] as const
  })
  return [
    ['stack.revision', before.stack?.revision, after.stack?.revision] as const,
    ['image', before.image, after.image] as const,
    ...overrides,
  ]
    .filter(([, from, to]) => from !== to)
    .map(([path, from, to]) => `${path}: ${from ?? '<none>'} → ${to}`)
}
