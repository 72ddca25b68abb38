import * as fc from 'fast-check'
import type { App } from '../../../operator/api/app.ts'
import { appKind } from '../../../operator/api/app.ts'
import type { AppEnv } from '../../../operator/api/appEnv.ts'
import { appEnvKind } from '../../../operator/api/appEnv.ts'
import type { AppInstance, AppInstanceSpec } from '../../../operator/api/appInstance.ts'
import { appInstanceKind } from '../../../operator/api/appInstance.ts'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import { appStackKind } from '../../../operator/api/appStack.ts'
import type { AppStackSpec } from '../../../operator/api/appStack.ts'
import type { Kind } from '../../../operator/api/kind.ts'
import { makeRelease } from '../../../operator/render/release.ts'
import type { Input } from '../../../operator/render/resolve/input.ts'
import { mainOf } from '../../../operator/render/resolve/input.ts'
import type { References } from '../../../operator/render/resolve/references.ts'
import { resolve } from '../../../operator/render/resolve/resolve.ts'
import { goodObjects } from '../../support/arbitraryObjects.ts'

/** Inputs of a release, generated from the schemas of the API and stored as the server stores them. */

/** Every Secret and ConfigMap is there, with every key that anybody asks for. */
const allThere: References = {
  lookUp: (source) => ({
    state: 'known',
    uid: source,
    resourceVersion: '1',
    isWhole: true,
    values: new Proxy(new Map([['KEY', { hash: '0123456789abcdef' }]]), {
      get: (keys, member) =>
        member === 'get' ? () => ({ hash: '0123456789abcdef' }) : (Reflect.get(keys, member) as () => void).bind(keys),
    }),
  }),
}

/** Frozen all the way down: who writes to one throws. */
export const inputs: fc.Arbitrary<Input> = fc
  .tuple(...[appStackKind, appInstanceKind, appKind, appEnvKind].map(goodSpecs))
  .map(([stack, instance, app, env]) =>
    frozen({
      services: (stack as AppStackSpec).services,
      references: allThere,
      instance: instanceWith(instance as AppInstanceSpec, (stack as AppStackSpec).services),
      app: { metadata: { name: 'a', namespace: 'team' }, spec: app } as App,
      env: { metadata: { name: 'dev' }, spec: env } as AppEnv,
    }),
  )

/** Specs as the server stores them: with their defaults. */
function goodSpecs(kind: Kind): fc.Arbitrary<unknown> {
  return goodObjects(kind)
    .map(({ spec }) => kind.spec.safeParse(spec).data)
    .filter((spec) => spec !== undefined)
}

function instanceWith(spec: AppInstanceSpec, services: AppStackSpec['services']): AppInstance {
  const uid = '33333333-3333-4333-8333-333333333333'
  return {
    apiVersion: 'appstead.dev/v1alpha1',
    kind: 'AppInstance',
    metadata: { name: 'a-dev', namespace: 'team', uid, generation: 1 },
    spec: { ...spec, app: 'a', env: 'dev', services: overridesOf(spec, services) },
  }
}

type Overrides = NonNullable<AppInstanceSpec['services']>

/** Overrides of services that there are, and that no other needs; of the main one what may be said there. */
function overridesOf({ services: overrides = [] }: AppInstanceSpec, services: AppStackSpec['services']): Overrides {
  const needed = new Set(
    services.flatMap(({ dependsOn = [], from, links = [] }) => [
      ...dependsOn,
      from,
      ...links.map((link) => link.service),
    ]),
  )
  const main = mainOf(services)
  return services.flatMap((service, index): Overrides => {
    if (service.type === 'PostgreSQL') return [{ name: service.name, external: { secretName: 'pg' } }]
    const override = overrides[index]
    if (!override) return []
    const { external: _external, image, replicas, enabled, ...more } = override
    if (service === main) return [{ ...more, name: service.name }]
    const isFree = !needed.has(service.name) && !service.dependsOn?.length && !service.links?.length
    return [
      {
        ...more,
        ...(image && { image }),
        ...(isFree && enabled !== undefined && { enabled }),
        ...(replicas && { replicas }),
        name: service.name,
      },
    ]
  })
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

export function releaseOf(input: Input): AppRelease {
  return makeRelease(
    input.instance,
    { services: resolve(input).services, stackRevision: 'a-r1-aaaaaa' },
    { changes: [] },
  )
}
