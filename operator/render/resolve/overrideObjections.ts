import { compareQuantities } from '../../api/quantity.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { hintOf, similarNames } from '../../api/similar.ts'
import { declaredServices, hasPods, isDisabled, overrideOf } from './declared.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'
import { linkedServices } from './links.ts'
import type { Objection } from './objection.ts'
import { appDefaultsFor } from './said.ts'

/** What is wrong with the overrides of an instance (spec.services), seen together with its stack. Pure. */
export function objectionsToOverrides(input: Input): Objection[] {
  return [
    ...namesOfNothing(input),
    ...volumesOfNothing(input),
    ...mistypedInApp(input),
    ...mainInApp(input),
    ...saidOfMain(input),
    ...neededByOthers(input),
    ...notGiven(input),
    ...givenInVain(input),
    ...declaredServices(input).flatMap((service) => requestsAboveLimits(input, service)),
  ]
}

function namesOfNothing({ instance, services }: Input): Objection[] {
  const names = services.map(({ name }) => name)
  const unknown = (instance.spec.services ?? []).filter(({ name }) => !names.includes(name))
  return unknown.map(({ name }) => ({
    reason: 'ServiceNotFound',
    field: `spec.services[${name}]`,
    message: `spec.services[${name}] is an override of no service: the stack revision has no service '${name}'; ${hintOf(name, names)}`,
  }))
}

/** Volumes that the service does not have; and a class for one that others made. */
function volumesOfNothing({ instance, services }: Input): Objection[] {
  return (instance.spec.services ?? []).flatMap(({ name: service, volumes: said = [] }) => {
    const { volumes = [] } = services.find(({ name }) => name === service) ?? {}
    return said.flatMap(({ name, size, storageClassName }): Objection[] => {
      const field = `spec.services[${service}].volumes[${name}]`
      const volume = volumes.find((each) => each.name === name)
      if (!volume)
        return [
          noVolume(
            field,
            service,
            name,
            volumes.map((each) => each.name),
          ),
        ]
      if (storageClassName === undefined || size !== undefined || volume.existingClaim === undefined) return []
      return [
        {
          reason: 'VolumeConflict',
          field: `${field}.storageClassName`,
          message: `${field}.storageClassName is '${storageClassName}', but the volume mounts the claim '${volume.existingClaim}' made by others, which has its own: remove it, or give a size too, to have a claim made`,
        },
      ]
    })
  })
}

function noVolume(field: string, service: string, name: string, names: readonly string[]): Objection {
  const hint = names.length === 0 ? 'it has none' : hintOf(name, names)
  return {
    reason: 'VolumeNotFound',
    field,
    message: `${field} is an override of no volume: service '${service}' of the stack revision has no volume '${name}'; ${hint}`,
  }
}

/**
 * What an App says of a service or a volume that this revision does not have may be meant for another one; a name that is
 * nearly right is a mistake.
 */
function mistypedInApp({ app, env, services }: Input): Objection[] {
  const names = services.map(({ name }) => name)
  const field = `spec.defaults (${env.spec.type})`
  return appDefaultsFor(app, env).flatMap(({ name, volumes: said = [] }): Objection[] => {
    const service = services.find((each) => each.name === name)
    if (!service) return similarNames(name, names).length === 0 ? [] : [inApp('ServiceNotFound', name, names)]
    const known = (service.volumes ?? []).map((each) => each.name)
    const unknown = said.filter((each) => !known.includes(each.name) && similarNames(each.name, known).length > 0)
    return unknown.map((each) => inApp('VolumeNotFound', each.name, known, `services[${name}].`))
  })

  function inApp(
    reason: 'ServiceNotFound' | 'VolumeNotFound',
    name: string,
    known: readonly string[],
    within = '',
  ): Objection {
    const [what, list] = reason === 'ServiceNotFound' ? ['service', 'services'] : ['volume', 'volumes']
    const path = `${field}.${within}${list}[${name}]`
    return {
      reason,
      field: path,
      message: `${path} of App '${app.metadata.name}': the stack revision has no ${what} '${name}' there; ${hintOf(name, known)}`,
    }
  }
}

/** The number of the main service stands in its instances. */
function mainInApp({ app, env, services }: Input): Objection[] {
  const main = mainOf(services)?.name
  const said = appDefaultsFor(app, env).find(({ name, replicas }) => name === main && replicas !== undefined)
  if (!said) return []
  const path = `spec.defaults (${env.spec.type}).services[${said.name}].replicas`
  return [
    {
      reason: 'MainServiceOverridden',
      field: path,
      message: `${path} of App '${app.metadata.name}' is ${said.replicas}, but '${said.name}' is the main service: its number stands in spec.replicas of each AppInstance; remove it, or write autoscaling`,
    },
  ]
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
  return services.flatMap((service, index) => {
    const { name, dependsOn = [], from } = service
    if (isDisabled(instance, name)) return []
    const needs = [
      ...dependsOn.map((each) => ['dependsOn', each] as const),
      ...(from ? [['from', from] as const] : []),
      ...linkedServices(service),
    ]
    return needs
      .filter(([, needed]) => isDisabled(instance, needed))
      .map(([field, needed]): Objection => ({
        reason: 'ServiceDisabled',
        field: `spec.services[${needed}].enabled`,
        message: `spec.services[${needed}].enabled is false, but service '${name}' needs '${needed}' (services[${index}].${field} of the stack): remove it, or write {name: ${name}, enabled: false} too`,
      }))
  })
}

/** Services that run elsewhere, of which the instance does not say where. */
function notGiven({ instance, services }: Input): Objection[] {
  const { name: instanceName, namespace } = instance.metadata
  return services
    .filter((service) => !hasPods(service) && !isDisabled(instance, service.name))
    .filter(({ name }) => overrideOf(instance, name)?.external === undefined)
    .map(({ name, type }) => ({
      reason: 'ExternalMissing',
      field: `spec.services[${name}].external`,
      message: `Service '${name}' is of type ${type}, which is given from outside, but spec.services[${name}].external is not set: name the Secret in namespace '${namespace}' that says where it is in AppInstance '${instanceName}': services: [{name: ${name}, external: {secretName: …}}]`,
    }))
}

/** Services that are said to run elsewhere, but are of pods. */
function givenInVain({ instance, services }: Input): Objection[] {
  const possible = services.filter((service) => !hasPods(service)).map(({ name }) => name)
  return services.filter(hasPods).flatMap(({ name, type }): Objection[] => {
    const { external } = overrideOf(instance, name) ?? {}
    if (!external) return []
    const field = `spec.services[${name}].external`
    const instead = possible.length > 0 ? `, or write it to ${possible.map((each) => `'${each}'`).join(' or ')}` : ''
    return [
      {
        reason: 'ExternalNotPossible',
        field,
        message: `${field}.secretName is '${external.secretName}', but '${name}' is of type ${type} and runs here; only services of type PostgreSQL are given from outside: remove it${instead}`,
      },
    ]
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
