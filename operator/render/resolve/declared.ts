import type { AppInstance, AppInstanceSpec } from '../../api/appInstance.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { withInherited } from './inherit.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'
import { declaredScale } from './scale.ts'

type Override = NonNullable<AppInstanceSpec['services']>[number]

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
 * takes `from` another, what the instance says about the main service, its overrides. Variables of the instance stand
 * above others, and so are left to variablesOf.
 */
export function declaredServices({ instance, services }: Pick<Input, 'instance' | 'services'>): StackService[] {
  const main = mainOf(services)
  const declared = new Map<string, StackService>()
  for (const service of services) {
    const source = service.from === undefined ? undefined : declared.get(service.from)
    const whole = source ? withInherited(service, source) : service
    declared.set(service.name, withGiven(whole, instance, service === main))
  }
  return [...declared.values()].filter(({ name }) => !isDisabled(instance, name))
}

function withGiven(service: StackService, instance: AppInstance, isMain: boolean): StackService {
  const override = overrideOf(instance, service.name)
  const { image } = (isMain ? instance.spec : override) ?? {}
  const { command, args, resources } = override ?? {}
  const { replicas: _replicas, autoscaling: _autoscaling, ...rest } = service
  return {
    ...rest,
    ...(image !== undefined && { image }),
    ...declaredScale(instance, service, { override, isMain }),
    ...(command && { command }),
    ...(args && { args }),
    ...(resources && { resources: withAmounts(service.resources, resources) }),
  }
}

type Resources = NonNullable<StackService['resources']>

/** Each amount by itself: who raises the memory keeps the CPU. */
function withAmounts(stack: Resources = {}, { requests, limits }: Resources): Resources {
  const amounts = { requests: { ...stack.requests, ...requests }, limits: { ...stack.limits, ...limits } }
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => Object.keys(amount).length > 0))
}
