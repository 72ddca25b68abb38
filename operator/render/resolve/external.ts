import type { AppInstance } from '../../api/appInstance.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { isDisabled, overrideOf } from './declared.ts'
import type { Input } from './input.ts'
import type { Copied, Uses } from './references.ts'

/** Services that are given from outside: by Secrets of the project that say where they are (ADR 0021). */

/** One that an instance is given. */
export interface ExternalService {
  readonly service: StackService
  /** `Secret/<name>`. */
  readonly source: string
}

/** What is told of a database, by the end of the variable's name, and the keys of its Secret that say it. */
const bindingKeys = {
  URL: ['uri'],
  HOST: ['host'],
  PORT: ['port'],
  USER: ['username', 'user'],
  PASSWORD: ['password'],
  NAME: ['database', 'dbname'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** The services that an instance is given from outside, in the stack's order. */
export function externalServices({ instance, services }: Pick<Input, 'instance' | 'services'>): ExternalService[] {
  return services.flatMap((service) => {
    const source = sourceOf(instance, service.name)
    return source === undefined || isDisabled(instance, service.name) ? [] : [{ service, source }]
  })
}

/** The service of that name, if it is given from outside. */
export function externalNamed(input: Pick<Input, 'instance' | 'services'>, name: string): ExternalService | undefined {
  return externalServices(input).find(({ service }) => service.name === name)
}

/** The Secret that says where a service is that is given from outside; undefined when none does. */
function sourceOf(instance: AppInstance, service: string): string | undefined {
  const { external } = overrideOf(instance, service) ?? {}
  return external && `Secret/${external.secretName}`
}

/**
 * What is told of a service that is given from outside, by the end of the variable's name; nothing while its Secret
 * cannot be used or lacks a key.
 */
export function bindingOf({ service, source }: ExternalService, uses: Uses): readonly (readonly [string, Copied])[] {
  const suffixes = Object.keys(bindingKeys)
  const copies = uses.several(source, Object.values(bindingKeys), `service '${service.name}' given from outside`)
  return copies.map((copied, index) => [suffixes[index] ?? '', copied])
}

/** One key of its Secret, by any of the words for it; undefined while the Secret cannot be used or lacks it. */
export function bindingKeyOf({ source }: ExternalService, key: string, uses: Uses, where: string): Copied | undefined {
  const words: readonly (readonly string[])[] = Object.values(bindingKeys)
  const [copied] = uses.several(source, [words.find((each) => each.includes(key)) ?? [key]], where)
  return copied
}
