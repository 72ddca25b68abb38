import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { healthCheckOf } from './healthCheck.ts'
import type { Input } from './input.ts'
import { mainOf, replicasOf } from './input.ts'
import type { Objection } from './objections.ts'
import { objectionsTo } from './objections.ts'
import { processOf } from './process.ts'
import { resourcesOf } from './resources.ts'
import { rolloutOf } from './rollout.ts'
import { variablesOf } from './variables.ts'

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
  const main = mainOf(input.services)
  return {
    services: input.services.map((service) => resolveService(input, service, service === main)),
    objections: objectionsTo(input),
  }
}

function resolveService(input: Input, service: StackService, isMain: boolean): ResolvedService {
  const { instance } = input
  return {
    name: service.name,
    type: service.type,
    main: isMain,
    image: (isMain ? instance.spec.image : undefined) ?? service.image ?? '',
    ...processOf(service),
    ports: service.ports ?? [],
    variables: variablesOf(input, service),
    files: service.files ?? [],
    resources: resourcesOf(service),
    ...healthCheckOf(service),
    replicas: replicasOf(input, service, isMain),
    rollout: rolloutOf(service),
    ...(service.dependsOn?.length && { dependsOn: service.dependsOn }),
    generatedSecrets: service.generatedSecrets ?? [],
  }
}
