import type { AppInstanceSpec } from '../../api/appInstance.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { variableName } from '../../api/service/variables.ts'
import { serviceUrl } from '../names.ts'
import { overrideOf } from './declared.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'
import { sourceOf } from './named.ts'
import type { Uses } from './references.ts'

type Variable = ResolvedService['variables'][number]
type Given = NonNullable<AppInstanceSpec['variables']>[number]
type Bundle = NonNullable<AppInstanceSpec['variablesFrom']>[number]

/** What one object says of variables. */
interface Layer {
  /** The object, for people. */
  readonly of: string
  readonly variables?: readonly Given[] | undefined
  readonly variablesFrom?: readonly Bundle[] | undefined
}

/** A variable before it is known who wins; `copied` is asked only of the winner. */
type Offer = { readonly name: string; resolved(): Variable | undefined }

/**
 * The environment variables of a service, each name once. Later wins: platform, AppEnv, stack's service, App, AppInstance,
 * its override of the service; of each its variablesFrom before its variables. Source of the precedence: design/api.md, Variables.
 */
export function variablesOf(input: Input, service: StackService, uses: Uses): Variable[] {
  const { app, env, instance } = input
  const layers: readonly Layer[] = [
    { of: '', variables: platformVariables(input, service) },
    { of: '', variables: env.spec.variables },
    { ...service, of: `of service '${service.name}'` },
    { ...app.spec, of: `of App '${instance.spec.app}'` },
    { ...instance.spec, of: `of AppInstance '${instance.metadata.name}'` },
    {
      variables: overrideOf(instance, service.name)?.variables,
      of: `of service '${service.name}' in AppInstance '${instance.metadata.name}'`,
    },
  ]
  const offers = layers.flatMap((layer) => offersOf(layer, uses))
  const winners = [...new Map(offers.map((offer) => [offer.name, offer])).values()]
  return winners.flatMap((offer) => offer.resolved() ?? [])
}

function offersOf({ of, variables = [], variablesFrom = [] }: Layer, uses: Uses): Offer[] {
  return [
    ...variablesFrom.flatMap((bundle) => bundleOffers(bundle, of, uses)),
    ...variables.map((given) => ({ name: given.name, resolved: () => resolved(given, of, uses) })),
  ]
}

/** One for each key that, behind the prefix, is a name; as Kubernetes does it, other keys are left out. */
function bundleOffers({ secretRef, configMapRef, prefix = '' }: Bundle, of: string, uses: Uses): Offer[] {
  const source = sourceOf(secretRef, configMapRef)
  const where = `variablesFrom ${of}`
  return uses
    .whole(source, where)
    .map((key) => ({ key, name: `${prefix}${key}` }))
    .filter(({ name }) => variableName.test(name) && name.length <= 128 && !name.startsWith('APPSTEAD_'))
    .map(({ key, name }) => ({ name, resolved: () => withCopied(name, uses.one(source, key, { where })) }))
}

function resolved({ name, value = '', valueFrom }: Given, of: string, uses: Uses): Variable | undefined {
  if (valueFrom?.fieldRef) return { name, fieldPath: valueFrom.fieldRef.fieldPath }
  const { secretKeyRef, configMapKeyRef } = valueFrom ?? {}
  const where = `variable ${name} ${of}`
  if (secretKeyRef) {
    const { name: secret, key, optional = false } = secretKeyRef
    return withCopied(name, uses.one(`Secret/${secret}`, key, { where, isOptional: optional }))
  }
  if (configMapKeyRef) {
    return withCopied(name, uses.one(`ConfigMap/${configMapKeyRef.name}`, configMapKeyRef.key, { where }))
  }
  return { name, value }
}

function withCopied(name: string, copied: Variable['copied']): Variable | undefined {
  return copied && { name, copied }
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
