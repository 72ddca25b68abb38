import { leastReplicas } from '../../api/service/scale.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import type { Input } from './input.ts'
import { declaredServices } from './declared.ts'
import { mainOf } from './input.ts'
import { objectionsToLinks } from './linkObjections.ts'
import type { Objection } from './objection.ts'
import { objectionsToOverrides } from './overrideObjections.ts'

type Check = (input: Input) => readonly Objection[]

/** What one object alone cannot tell; in the order in which the user is told. */
const checks: readonly Check[] = [
  objectionsToOverrides,
  objectionsToLinks,
  imagesAreKnown,
  mainReplicasStandInInstance,
  replicasAreLeft,
  // What the instance asks of its environment.
  prodIsUpgradedByHand,
]

/** What is wrong with the objects taken together; empty when nothing is. Pure. */
export function objectionsTo(input: Input): Objection[] {
  return checks.flatMap((check) => check(input))
}

const maxVariables = 250

/** More variables than a service may have, all of their sources together. */
export function excessOf(services: readonly ResolvedService[]): Objection[] {
  return services
    .filter(({ variables }) => variables.length > maxVariables)
    .map(({ name, variables }) => ({
      reason: 'TooManyVariables',
      field: `services[${name}].variables`,
      message: `Service '${name}' has ${variables.length} variables of all sources together; at most ${maxVariables} are allowed: remove some, or give them as a file`,
    }))
}

function imagesAreKnown(input: Input): Objection[] {
  const main = mainOf(input.services)?.name
  return declaredServices(input)
    .filter(({ image, from }) => image === undefined && from === undefined)
    .map((service) => imageMissing(service, service.name === main, indexOf(input, service)))
}

/** Where a service stands in the stack. */
function indexOf({ services }: Input, { name }: StackService): number {
  return services.findIndex((each) => each.name === name)
}

function prodIsUpgradedByHand({ instance, env }: Input): Objection[] {
  const { spec, metadata } = instance
  if (env.spec.type !== 'prod' || !spec.stack?.autoUpgrade) return []
  return [
    {
      reason: 'AutoUpgradeInProd',
      field: 'spec.stack.autoUpgrade',
      message: `spec.stack.autoUpgrade is true, but AppEnv '${spec.env}' is of type prod: remove it from AppInstance '${metadata.name}' and name the revision in spec.stack.revision`,
    },
  ]
}

function imageMissing(service: StackService, isMain: boolean, index: number): Objection {
  const where = isMain ? 'spec.image' : `spec.services[${service.name}].image`
  return {
    reason: 'ImageMissing',
    field: isMain ? 'spec.image' : `services[${index}].image`,
    message: `Service '${service.name}' has no image: set ${where} of the AppInstance or services[${index}].image of the stack`,
  }
}

/** A roll-out that takes away every replica at once would serve nobody. */
function replicasAreLeft(input: Input): Objection[] {
  const main = mainOf(input.services)?.name
  return declaredServices(input).flatMap((service) => {
    const { maxUnavailable = 0 } = service.rollout ?? {}
    const replicas = leastReplicas(service)
    const index = indexOf(input, service)
    if (maxUnavailable === 0 || maxUnavailable < replicas) return []
    const field = `services[${index}].rollout.maxUnavailable`
    return [
      {
        reason: 'NoReplicaLeft',
        field,
        message: `${field} is ${maxUnavailable}, but service '${service.name}' has ${counted(replicas)}: none would be left ready; set it to at most ${replicas - 1}, or raise ${service.name === main ? 'spec.replicas of the AppInstance' : `services[${index}].replicas of the stack`}`,
      },
    ]
  })
}

function counted(replicas: number): string {
  return replicas === 1 ? '1 replica' : `${replicas} replicas`
}

function mainReplicasStandInInstance({ services }: Input): Objection[] {
  const main = mainOf(services)
  if (main?.replicas === undefined) return []
  const field = `services[${services.indexOf(main)}].replicas`
  return [
    {
      reason: 'MainReplicasInStack',
      field,
      message: `${field} is ${main.replicas}, but '${main.name}' is the main service: its replicas stand in spec.replicas of the AppInstance; remove the field from the stack`,
    },
  ]
}
