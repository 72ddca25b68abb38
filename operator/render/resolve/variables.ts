import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { serviceUrl } from '../names.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'

type Variable = ResolvedService['variables'][number]

/**
 * The environment variables of a service, each name once. Later wins: platform, stack's service, AppInstance.
 * Source of the precedence: design/api.md, Variables.
 */
export function variablesOf(input: Input, service: StackService): Variable[] {
  const byName = new Map<string, Variable>()
  const { variables: ofInstance = [] } = input.instance.spec
  for (const variable of [...platformVariables(input, service), ...(service.variables ?? []), ...ofInstance]) {
    byName.set(variable.name, { name: variable.name, value: variable.value })
  }
  return [...byName.values()]
}

function platformVariables({ instance, env, services }: Input, service: StackService): Variable[] {
  const url = mainUrl(services, instance.metadata.name)
  return [
    { name: 'APPSTEAD_APP', value: instance.spec.app },
    { name: 'APPSTEAD_INSTANCE', value: instance.metadata.name },
    { name: 'APPSTEAD_ENV', value: instance.spec.env },
    { name: 'APPSTEAD_ENV_TYPE', value: env.spec.type },
    { name: 'APPSTEAD_SERVICE', value: service.name },
    ...(url === undefined ? [] : [{ name: 'APPSTEAD_URL', value: url }]),
  ]
}

function mainUrl(services: readonly StackService[], instance: string): string | undefined {
  const main = mainOf(services)
  const port = main?.ports?.find(({ protocol }) => protocol === 'HTTP')
  return main && port && serviceUrl(main.name, instance, port.port)
}
