import type { AppReleaseSpec } from '../../api/appRelease.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'
import { declaredServices, type PodService } from './declared.ts'
import { bindingOf, externalServices } from './external.ts'
import { filesOf, pullSecretsOf } from './files.ts'
import { healthCheckOf } from './healthCheck.ts'
import { generatedSecretsOf } from './inherit.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'
import { dependenciesOf } from './links.ts'
import type { Objection } from './objection.ts'
import { excessOf, objectionsTo } from './objections.ts'
import { processOf } from './process.ts'
import { quotaObjectionsTo } from './quotaObjections.ts'
import type { Obstacle } from './references.ts'
import { Uses } from './references.ts'
import { resourcesOf } from './resources.ts'
import { rolloutOf } from './rollout.ts'
import { scaleOf } from './scale.ts'
import { variablesOf } from './variables.ts'
import { volumeObjectionsTo } from './volumeObjections.ts'
import { onSharedNodes, volumesOf } from './volumes.ts'

export interface Resolved {
  readonly services: readonly ResolvedService[]
  readonly objections: readonly Objection[]
  /** Why Secrets or ConfigMaps that are referred to cannot be used; what they give is missing in `services`. */
  readonly obstacles: readonly Obstacle[]
  /** Secrets and ConfigMaps that must be read first: until then nothing here is complete. */
  readonly unread: readonly string[]
  /** What a release records of Secrets and ConfigMaps. */
  readonly sources: NonNullable<AppReleaseSpec['sources']>
}

/**
 * Merges stack, App, environment and instance into what a release records: every default filled, every precedence decided.
 * In: the instance, its App and AppEnv, the services of its revision. Out: the resolved services, and what only the user
 * can mend.
 */
export function resolve(input: Input): Resolved {
  const main = mainOf(input.services)?.name
  const uses = new Uses(input)
  const resolved = declaredServices(input).map((service) => resolveService(input, service, service.name === main, uses))
  // Also of a service that nobody has a link to: its row in the status says what is missing.
  for (const external of externalServices(input)) bindingOf(external, uses)
  const services = onSharedNodes(resolved)
  const { obstacles, unread, sources } = uses
  const objections = [
    ...objectionsTo(input),
    ...excessOf(services),
    ...volumeObjectionsTo(services),
    ...quotaObjectionsTo(input, services),
  ]
  return { services, objections, obstacles, unread, sources }
}

function resolveService(input: Input, service: PodService, isMain: boolean, uses: Uses): ResolvedService {
  const dependsOn = dependenciesOf(input, service)
  return {
    name: service.name,
    type: service.type,
    main: isMain,
    image: service.image ?? '',
    ...processOf(service),
    ports: service.ports ?? [],
    variables: variablesOf(input, service, uses),
    files: filesOf(service, uses),
    ...pullSecretsOf(input.app, uses),
    ...volumesOf(service),
    resources: resourcesOf(service, input.env),
    ...healthCheckOf(service),
    ...scaleOf(service),
    rollout: rolloutOf(service),
    ...(dependsOn.length > 0 && { dependsOn }),
    generatedSecrets: generatedSecretsOf(input.services, service),
    ...(service.actions?.length && { actions: service.actions }),
  }
}
