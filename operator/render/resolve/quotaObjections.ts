import type { ResolvedService } from '../../api/service/resolvedService.ts'
import { mostReplicas } from '../../api/service/scale.ts'
import { listed } from '../../api/text.ts'
import { exceededBy, linesOf, takenOf, type Line } from '../quota.ts'
import type { Input } from './input.ts'
import type { Objection } from './objection.ts'

type Services = readonly ResolvedService[]

/** How many services are listed that take of a quota. */
const listedServices = 5

/**
 * What of the services the quota of their environment does not let be: their pods would be refused one by one, in the
 * middle of a roll-out. Pure.
 */
export function quotaObjectionsTo(input: Input, services: Services): Objection[] {
  const { quota } = input.env.spec.defaults ?? {}
  if (!quota) return []
  const unbounded = linesOf(quota).flatMap((line) =>
    services.filter((service) => line.ofReplica(service) === undefined).map((service) => noBound(input, line, service)),
  )
  return [...unbounded, ...exceededBy(services, quota).map((line) => tooMuch(input, line, services))]
}

/** Kubernetes lets no pod in of which it does not know how much it takes. */
function noBound(input: Input, line: Line, { name }: ResolvedService): Objection {
  const field = `services[${name}].resources.${line.key}`
  return {
    reason: 'QuotaExceeded',
    field,
    message: `${field} is not set, but ${limitOf(input, line)}, and no replica is let in without a limit: set it in the stack, or in spec.services of the AppInstance`,
  }
}

function tooMuch(input: Input, line: Line, services: Services): Objection {
  const [verb, what, ways] = line.key === 'pods' ? ['have', ' replicas', ''] : ['take', '', ` or resources.${line.key}`]
  return {
    reason: 'QuotaExceeded',
    field: `spec.defaults.quota.${line.key}`,
    message: `${limitOf(input, line)}, but '${input.instance.metadata.name}' would ${verb} ${takenOf(line, services)}${what} in all (${sharesIn(line, services)}): lower replicas${ways}, or have the quota raised`,
  }
}

function limitOf({ instance: { spec } }: Input, { key, most }: Line): string {
  return `spec.defaults.quota.${key} of AppEnv '${spec.env}' is '${most}'`
}

/** Who takes it: `web: 4 of 500m`. */
function sharesIn(line: Line, services: Services): string {
  const shares = services.flatMap((service) => {
    const { name, autoscaling } = service
    const ofReplica = line.ofReplica(service)
    const count = `${autoscaling ? 'up to ' : ''}${mostReplicas(service)}`
    if (ofReplica === undefined) return []
    return line.key === 'pods' ? `${name}: ${count}` : `${name}: ${count} of ${ofReplica}`
  })
  return listed(shares, listedServices)
}
