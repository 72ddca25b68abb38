import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { serviceHost, serviceUrl } from '../names.ts'
import { bindingKeyOf, bindingOf, externalNamed, externalServices } from './external.ts'
import type { Input } from './input.ts'
import type { Uses } from './references.ts'

/** What links tell a service of others. */

type Variable = ResolvedService['variables'][number]

type StackVariable = NonNullable<StackService['variables']>[number]
type Link = NonNullable<NonNullable<StackVariable['valueFrom']>['link']>

/** What services of ours tell of themselves, by the key of a link and the end of a variable's name. */
const ownKeys = { uri: 'URL', host: 'HOST', port: 'PORT' } as const

/** The variables that the links of a service give it. */
export function linkVariables(input: Input, { links = [] }: StackService, uses: Uses): Variable[] {
  return links.flatMap(({ as, service: name }): Variable[] => {
    const external = externalNamed(input, name)
    if (external) return bindingOf(external, uses).map(([suffix, copied]) => ({ name: `${as}_${suffix}`, copied }))
    const service = input.services.find((each) => each.name === name)
    if (!service) return []
    const address = addressOf(service, input.instance.metadata.name)
    return [...address].map(([key, value]) => ({ name: `${as}_${ownKeys[key]}`, value }))
  })
}

/** Of a service of ours: where its first port for HTTP answers, with a URL; without one its first port. */
export function addressOf(
  { name, ports = [] }: StackService,
  namespace: string,
): ReadonlyMap<keyof typeof ownKeys, string> {
  const answering = ports.find(({ protocol }) => protocol === 'HTTP') ?? ports[0]
  if (!answering) return new Map()
  const { port, protocol } = answering
  return new Map([
    ...(protocol === 'HTTP' ? [['uri', serviceUrl(name, namespace, port)] as const] : []),
    ['host', serviceHost(name, namespace)],
    ['port', String(port)],
  ])
}

/** The service that a variable is told of by a link of its own, if there is one. */
export function linkOf({ valueFrom }: StackVariable): Link | undefined {
  return valueFrom?.link
}

/** Whether a link is to a service that is given from outside: then the instance says what it tells. */
export function isExternal(input: Input, { service: name }: Link): boolean {
  return externalNamed(input, name) !== undefined
}

/** The variable that has what one key of a link tells; undefined while that cannot be told. `where` is for people. */
export function linkedVariable(
  input: Input,
  { service: name, key }: Link,
  variable: string,
  { uses, where }: { readonly uses: Uses; readonly where: string },
): Variable | undefined {
  const external = externalNamed(input, name)
  if (external) {
    const copied = bindingKeyOf(external, key, uses, where)
    return copied && { name: variable, copied }
  }
  const service = input.services.find((each) => each.name === name)
  const address: ReadonlyMap<string, string> = service ? addressOf(service, input.instance.metadata.name) : new Map()
  const value = address.get(key)
  return value === undefined ? undefined : { name: variable, value }
}

/** The services that a service is told of: by its links, and by its variables. */
export function linkedServices({ links = [], variables = [] }: StackService): readonly (readonly [string, string])[] {
  return [
    ...links.map(({ as, service }) => [`links[${as}]`, service] as const),
    ...variables.flatMap((variable) => {
      const link = linkOf(variable)
      return link ? [[`variables[${variable.name}].valueFrom.link`, link.service] as const] : []
    }),
  ]
}

/** What must be rolled out before a service: what it says, and what it has links to, as far as it runs here; by name. */
export function dependenciesOf(input: Pick<Input, 'instance' | 'services'>, service: StackService): string[] {
  const elsewhere = new Set(externalServices(input).map((each) => each.service.name))
  const needed = new Set([...(service.dependsOn ?? []), ...linkedServices(service).map(([, name]) => name)])
  return [...needed].filter((name) => !elsewhere.has(name)).toSorted()
}
