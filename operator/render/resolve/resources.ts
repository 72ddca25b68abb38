import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { AppEnv } from '../../api/appEnv.ts'
import type { StackService } from '../../api/service/stackService.ts'

const defaultRequests = { cpu: '50m', memory: '128Mi' }

/**
 * Every replica asks for something, so that no node is filled with guesses of zero: for what the service says nothing of,
 * what its AppEnv says; where only a limit is given, Kubernetes takes it as the request.
 */
export function resourcesOf({ resources: said = {} }: StackService, env: AppEnv): ResolvedService['resources'] {
  const resources = withDefaults(said, env.spec.defaults?.resources)
  const missing = Object.entries(defaultRequests).filter(([name]) => !(name in (resources.limits ?? {})))
  const requests = { ...Object.fromEntries(missing), ...resources.requests }
  return { ...resources, ...(Object.keys(requests).length > 0 && { requests }) }
}

type Resources = NonNullable<StackService['resources']>
type Amount = keyof NonNullable<Resources['requests']>

/** Whether nothing is said of an amount, be it by its request or by its limit. */
export function isUnsaid({ requests, limits }: Resources, amount: Amount): boolean {
  return requests?.[amount] === undefined && limits?.[amount] === undefined
}

/** Request and limit of an amount come from one of both: a limit of the one could be below the request of the other. */
function withDefaults(said: Resources, defaults: Resources = {}): Resources {
  const unsaid = (['cpu', 'memory'] as const).filter((amount) => isUnsaid(said, amount))
  const kinds = (['requests', 'limits'] as const).map((kind) => {
    const given = unsaid.flatMap((amount) =>
      defaults[kind]?.[amount] === undefined ? [] : [[amount, defaults[kind][amount]]],
    )
    return [kind, { ...said[kind], ...Object.fromEntries(given) }] as const
  })
  return Object.fromEntries(kinds.filter(([, amounts]) => Object.keys(amounts).length > 0))
}
