import type { AppInstance, AppInstanceSpec } from '../../api/appInstance.ts'
import type { Scale } from '../../api/service/scale.ts'
import type { StackService } from '../../api/service/stackService.ts'

/**
 * What is declared about a service: what its override says, whatever kind the stack has; then what scales itself; then
 * the number, of the main service the one in the AppInstance.
 */
export function declaredScale(
  { spec }: AppInstance,
  service: StackService,
  {
    override,
    isMain,
  }: { readonly override: NonNullable<AppInstanceSpec['services']>[number] | undefined; readonly isMain: boolean },
): Scale {
  const autoscaling = override?.autoscaling ?? (override?.replicas === undefined ? service.autoscaling : undefined)
  if (autoscaling) return { autoscaling }
  const replicas = isMain ? spec.replicas : (override?.replicas ?? service.replicas)
  return replicas === undefined ? {} : { replicas }
}

/** The scale of a declared service, with its default. */
export function scaleOf({ replicas = 1, autoscaling }: Scale): Scale {
  return autoscaling ? { autoscaling } : { replicas }
}
