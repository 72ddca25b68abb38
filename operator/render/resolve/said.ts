import type { App } from '../../api/app.ts'
import type { AppEnv } from '../../api/appEnv.ts'
import type { StackService } from '../../api/service/stackService.ts'

/** What is said otherwise about a service of a stack, field by field: by an App for an environment, or by an instance. */

export type ServiceDefault = NonNullable<App['spec']['defaults']>[number]['services'][number]

/** What an App says of services in an environment, in the order in which it counts. Pure. */
export function appDefaultsFor(app: App, env: AppEnv): readonly ServiceDefault[] {
  const held = (app.spec.defaults ?? []).filter(({ envTypes }) => envTypes.includes(env.spec.type))
  return held.flatMap(({ services }) => services)
}

/** The services of a stack as the App wants them in the environment: the stack of its instances there. Pure. */
export function withAppDefaults(services: readonly StackService[], app: App, env: AppEnv): readonly StackService[] {
  const defaults = appDefaultsFor(app, env)
  if (defaults.length === 0) return services
  return services.map((service) => defaults.filter(({ name }) => name === service.name).reduce(withDefault, service))
}

function withDefault(
  service: StackService,
  { replicas, autoscaling, resources, volumes }: ServiceDefault,
): StackService {
  const { replicas: _replicas, autoscaling: _autoscaling, ...rest } = service
  const isScaled = replicas !== undefined || autoscaling !== undefined
  return {
    ...(isScaled ? rest : service),
    ...(replicas !== undefined && { replicas }),
    ...(autoscaling && { autoscaling }),
    ...withAmounts(service, resources),
    ...withVolumes(service, volumes),
  }
}

type Resources = NonNullable<StackService['resources']>

/** Each amount by itself: who raises the memory keeps the CPU. */
export function withAmounts(
  { resources: before = {} }: StackService,
  said: Resources | undefined,
): Pick<StackService, 'resources'> {
  if (!said) return {}
  const amounts = {
    requests: { ...before.requests, ...said.requests },
    limits: { ...before.limits, ...said.limits },
  }
  return { resources: Object.fromEntries(Object.entries(amounts).filter(([, each]) => Object.keys(each).length > 0)) }
}

/** What is said of its volumes; of volumes that it does not have, nothing. */
export function withVolumes(
  { volumes = [] }: StackService,
  said: ServiceDefault['volumes'],
): Pick<StackService, 'volumes'> {
  if (!said) return {}
  return {
    volumes: volumes.map((volume) => {
      const { size, storageClassName, existingClaim } = said.find(({ name }) => name === volume.name) ?? {}
      const { size: _size, storageClassName: _class, existingClaim: _claim, ...rest } = volume
      if (existingClaim !== undefined) return { ...rest, existingClaim }
      const className = storageClassName ?? volume.storageClassName
      const made = size === undefined ? volume : { ...rest, size }
      return className === undefined ? made : { ...made, storageClassName: className }
    }),
  }
}
