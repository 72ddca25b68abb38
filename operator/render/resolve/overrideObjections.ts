import { compareQuantities } from '../../api/quantity.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { similarNames } from '../../api/similar.ts'
import { declaredServices, isDisabled, overrideOf } from './declared.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'
import type { Objection } from './objection.ts'

/** What is wrong with the overrides of an instance (spec.services), seen together with its stack. Pure. */
export function objectionsToOverrides(input: Input): Objection[] {
  return [
    ...namesOfNothing(input),
    ...saidOfMain(input),
    ...neededByOthers(input),
    ...declaredServices(input).flatMap((service) => requestsAboveLimits(input, service)),
  ]
}

/** How many names are listed when none is like the one that was given. */
const listedNames = 10

function namesOfNothing({ instance, services }: Input): Objection[] {
  const names = services.map(({ name }) => name)
  const unknown = (instance.spec.services ?? []).filter(({ name }) => !names.includes(name))
  return unknown.map(({ name }) => ({
    reason: 'ServiceNotFound',
    field: `spec.services[${name}]`,
    message: `spec.services[${name}] is an override of no service: the stack revision has no service '${name}'; ${hintOf(name, names)}`,
  }))
}

function hintOf(name: string, names: readonly string[]): string {
  const similar = similarNames(name, names)
  if (similar.length > 0) return `did you mean ${similar.map((each) => `'${each}'`).join(' or ')}?`
  return `it has: ${names.slice(0, listedNames).join(', ')}${names.length > listedNames ? ', …' : ''}`
}

function saidOfMain({ instance, services }: Input): Objection[] {
  const main = mainOf(services)
  const override = main && overrideOf(instance, main.name)
  if (!override) return []
  const path = `spec.services[${override.name}]`
  const misplaced = (['image', 'replicas'] as const).filter((field) => override[field] !== undefined)
  return [
    ...misplaced.map((field): Objection => ({
      reason: 'MainServiceOverridden',
      field: `${path}.${field}`,
      message: `${path}.${field} is '${override[field]}', but '${override.name}' is the main service: write it to spec.${field} and remove it here`,
    })),
    ...(override.enabled === false ? [mainIsDisabled(override.name)] : []),
  ]
}

function mainIsDisabled(name: string): Objection {
  return {
    reason: 'MainServiceOverridden',
    field: `spec.services[${name}].enabled`,
    message: `spec.services[${name}].enabled is false, but '${name}' is the main service, without which there is no instance: remove it`,
  }
}

/** Services that stay although they name one that is left out. */
function neededByOthers({ instance, services }: Input): Objection[] {
  return services.flatMap(({ name, dependsOn = [], from }, index) => {
    if (isDisabled(instance, name)) return []
    const needs = [...dependsOn.map((each) => ['dependsOn', each] as const), ...(from ? [['from', from] as const] : [])]
    return needs
      .filter(([, needed]) => isDisabled(instance, needed))
      .map(([field, needed]): Objection => ({
        reason: 'ServiceDisabled',
        field: `spec.services[${needed}].enabled`,
        message: `spec.services[${needed}].enabled is false, but service '${name}' needs '${needed}' (services[${index}].${field} of the stack): remove it, or write {name: ${name}, enabled: false} too`,
      }))
  })
}

/** Each of both may be right where it stands; together they are not. */
function requestsAboveLimits({ instance }: Input, { name, resources }: StackService): Objection[] {
  if (!overrideOf(instance, name)?.resources) return []
  const { requests = {}, limits = {} } = resources ?? {}
  return (['cpu', 'memory'] as const).flatMap((amount): Objection[] => {
    const [request, limit] = [requests[amount], limits[amount]]
    if (request === undefined || limit === undefined || compareQuantities(request, limit) <= 0) return []
    const field = `spec.services[${name}].resources`
    return [
      {
        reason: 'RequestAboveLimit',
        field,
        message: `${field} together with the stack's: requests.${amount} '${request}' is larger than limits.${amount} '${limit}'; set both in ${field}`,
      },
    ]
  })
}
