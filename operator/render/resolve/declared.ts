import type { AppInstance, AppInstanceSpec } from '../../api/appInstance.ts'
import { podServiceType } from '../../api/service/name.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { withInherited } from './inherit.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'
import { withAmounts, withVolumes } from './said.ts'
import { declaredScale } from './scale.ts'

type Override = NonNullable<AppInstanceSpec['services']>[number]

/** A service that runs as pods of ours. */
export type PodService = StackService & Pick<ResolvedService, 'type'>

/** What an instance says otherwise about a service; undefined when nothing. */
export function overrideOf({ spec }: AppInstance, service: string): Override | undefined {
  return spec.services?.find(({ name }) => name === service)
}

/** Whether an instance leaves a service out. */
export function isDisabled(instance: AppInstance, service: string): boolean {
  return overrideOf(instance, service)?.enabled === false
}

/**
 * The services of the stack as the instance wants them, in the stack's order, without those it disables: what a Worker
 * takes `from` another, what the instance says about the main service, its overrides. Those that run elsewhere are left
 * out. Variables of the instance stand above others, and so are left to variablesOf.
 */
export function declaredServices({ instance, services }: Pick<Input, 'instance' | 'services'>): PodService[] {
  const main = mainOf(services)
  const declared = new Map<string, StackService>()
  for (const service of services) {
    const source = service.from === undefined ? undefined : declared.get(service.from)
    const whole = source ? withInherited(service, source) : service
    declared.set(service.name, withGiven(whole, instance, service === main))
  }
  return [...declared.values()].filter(hasPods).filter(({ name }) => !isDisabled(instance, name))
}

/** Whether a service runs as pods of ours, and not elsewhere. */
export function hasPods(service: StackService): service is PodService {
  return podServiceType.safeParse(service.type).success
}

function withGiven(service: StackService, instance: AppInstance, isMain: boolean): StackService {
  const override = overrideOf(instance, service.name)
  const { image } = (isMain ? instance.spec : override) ?? {}
  const { command, args, resources, volumes } = override ?? {}
  const { replicas: _replicas, autoscaling: _autoscaling, ...rest } = service
  return {
    ...rest,
    ...(image !== undefined && { image }),
    ...declaredScale(instance, service, { override, isMain }),
    ...(command && { command }),
    ...(args && { args }),
    ...withAmounts(service, resources),
    ...withVolumes(service, volumes),
  }
}
