import type { AppInstanceSpec } from '../../api/appInstance.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { serviceUrl } from '../names.ts'
import { overrideOf } from './declared.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'

type Variable = ResolvedService['variables'][number]
type Given = NonNullable<AppInstanceSpec['variables']>[number]

/**
 * The environment variables of a service, each name once. Later wins: platform, AppEnv, stack's service, App, AppInstance,
 * its override of the service.
 * Source of the precedence: design/api.md, Variables.
 */
export function variablesOf(input: Input, service: StackService): Variable[] {
  const { app, env, instance } = input
  const layers: readonly (readonly Given[] | undefined)[] = [
    platformVariables(input, service),
    env.spec.variables,
    service.variables,
    app.spec.variables,
    instance.spec.variables,
    overrideOf(instance, service.name)?.variables,
  ]
  const given = layers.flatMap((layer) => layer ?? [])
  return [...new Map(given.map((each) => [each.name, resolved(each)])).values()]
}

function resolved({ name, value = '', valueFrom }: Given): Variable {
  return valueFrom?.fieldRef ? { name, fieldPath: valueFrom.fieldRef.fieldPath } : { name, value }
}

function platformVariables({ instance, env, services }: Input, service: StackService): Given[] {
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
