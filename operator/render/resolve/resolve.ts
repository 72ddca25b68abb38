import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { declaredServices } from './declared.ts'
import { healthCheckOf } from './healthCheck.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'
import type { Objection } from './objection.ts'
import { objectionsTo } from './objections.ts'
import { processOf } from './process.ts'
import { resourcesOf } from './resources.ts'
import { rolloutOf } from './rollout.ts'
import { scaleOf } from './scale.ts'
import { variablesOf } from './variables.ts'
import { volumeObjectionsTo } from './volumeObjections.ts'
import { onSharedNodes, volumesOf } from './volumes.ts'

export interface Resolved {
  readonly services: readonly ResolvedService[]
  readonly objections: readonly Objection[]
}

/**
 * Merges stack, App, environment and instance into what a release records: every default filled, every precedence decided.
 * In: the instance, its App and AppEnv, the services of its revision. Out: the resolved services, and what only the user
 * can mend.
 */
export function resolve(input: Input): Resolved {
  const main = mainOf(input.services)?.name
  const resolved = declaredServices(input).map((service) => resolveService(input, service, service.name === main))
  const services = onSharedNodes(resolved)
  return { services, objections: [...objectionsTo(input), ...volumeObjectionsTo(services)] }
}

function resolveService(input: Input, service: StackService, isMain: boolean): ResolvedService {
  return {
    name: service.name,
    type: service.type,
    main: isMain,
    image: service.image ?? '',
    ...processOf(service),
    ports: service.ports ?? [],
    variables: variablesOf(input, service),
    files: service.files ?? [],
    ...volumesOf(service),
    resources: resourcesOf(service),
    ...healthCheckOf(service),
    ...scaleOf(service),
    rollout: rolloutOf(service),
    ...(service.dependsOn?.length && { dependsOn: service.dependsOn }),
    generatedSecrets: service.generatedSecrets ?? [],
    ...(service.actions?.length && { actions: service.actions }),
  }
}
