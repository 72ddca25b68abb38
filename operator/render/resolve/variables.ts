import type { AppInstanceSpec } from '../../api/appInstance.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { variableName } from '../../api/service/variables.ts'
import { serviceUrl } from '../names.ts'
import { overrideOf } from './declared.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'
import { isExternal, linkedVariable, linkOf, linkVariables } from './links.ts'
import { sourceOf } from './named.ts'
import { inOrder } from './order.ts'
import { Uses } from './references.ts'

type Variable = ResolvedService['variables'][number]
/** As a stack has it, which may say more than others. */
type Given = NonNullable<StackService['variables']>[number]
type Bundle = NonNullable<AppInstanceSpec['variablesFrom']>[number]

/** What one object says of variables. */
interface Layer {
  /** Whose they are, for people, after "variable X". */
  readonly of: string
  /** The object, such as App/shop; absent for what comes with the stack. */
  readonly by?: string
  readonly variables?: readonly Given[] | undefined
  readonly variablesFrom?: readonly Bundle[] | undefined
  /** Of links. */
  readonly linked?: readonly Variable[]
}

/** A variable before it is known who wins; `copied` is asked only of the winner. */
type Offer = { readonly name: string; resolved(): Variable | undefined }

/**
 * The environment variables of a service, each name once, by name. Later wins: platform, AppEnv, stack's service, its
 * links, App, AppInstance, its override of the service; of each its variablesFrom before its variables. Source of the
 * precedence: design/api.md, Variables.
 */
export function variablesOf(input: Input, service: StackService, uses: Uses): Variable[] {
  const offers = layersOf(input, service, uses).flatMap((layer) => offersOf(input, layer, uses))
  const winners = [...new Map(offers.map((offer) => [offer.name, offer])).values()]
  return inOrder(winners, ({ name }) => name).flatMap((offer) => offer.resolved() ?? [])
}

/** The object that has the last word about each variable of a service; '' for what comes with the stack. */
export function sayersOfVariables(input: Input, service: StackService): ReadonlyMap<string, string> {
  const uses = new Uses(input)
  const said = layersOf(input, service, uses).flatMap((layer) =>
    offersOf(input, layer, uses).map(({ name }) => [name, layer.by ?? ''] as const),
  )
  return new Map(said)
}

/** In their order: later wins. */
function layersOf(input: Input, service: StackService, uses: Uses): readonly Layer[] {
  const { app, env, instance } = input
  const by = `AppInstance/${instance.metadata.name}`
  const linked = linkVariables(input, service, uses)
  const { variables = [] } = service
  const isGiven = (variable: Given): boolean => {
    const link = linkOf(variable)
    return link !== undefined && isExternal(input, link)
  }
  const of = `of service '${service.name}'`
  return [
    { of: '', variables: platformVariables(input, service) },
    { of: '', by: `AppEnv/${instance.spec.env}`, variables: env.spec.variables },
    { ...service, variables: variables.filter((each) => !isGiven(each)), of },
    // What is given from outside, the instance names.
    { variables: variables.filter(isGiven), by, of },
    { of: '', linked: linked.filter(({ copied }) => !copied) },
    { of: '', by, linked: linked.filter(({ copied }) => copied) },
    { ...app.spec, by: `App/${instance.spec.app}`, of: `of App '${instance.spec.app}'` },
    { ...instance.spec, by, of: `of AppInstance '${instance.metadata.name}'` },
    {
      variables: overrideOf(instance, service.name)?.variables,
      by,
      of: `of service '${service.name}' in AppInstance '${instance.metadata.name}'`,
    },
  ]
}

function offersOf(input: Input, { of, variables = [], variablesFrom = [], linked = [] }: Layer, uses: Uses): Offer[] {
  return [
    ...linked.map((variable) => ({ name: variable.name, resolved: () => variable })),
    ...variablesFrom.flatMap((bundle) => bundleOffers(bundle, of, uses)),
    ...variables.map((given) => ({ name: given.name, resolved: () => resolved(input, given, of, uses) })),
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

function resolved(input: Input, { name, value = '', valueFrom }: Given, of: string, uses: Uses): Variable | undefined {
  if (valueFrom?.fieldRef) return { name, fieldPath: valueFrom.fieldRef.fieldPath }
  const { secretKeyRef, configMapKeyRef, link } = valueFrom ?? {}
  const where = `variable ${name} ${of}`
  if (link) return linkedVariable(input, link, name, { uses, where: `${where}, of '${link.service}'` })
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
