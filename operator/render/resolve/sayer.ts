import type { StackService } from '../../api/service/stackService.ts'
import type { Change } from '../changes.ts'
import { declaredServices, isDisabled, overrideOf } from './declared.ts'
import type { Input } from './input.ts'
import { mainOf } from './input.ts'
import { isUnsaid } from './resources.ts'
import { appDefaultsFor } from './said.ts'
import { sayersOfVariables } from './variables.ts'

/**
 * Finds the object that asks for a change, such as AppInstance/shop-prod: the one whose word counts, and which is to be
 * edited to have it otherwise. Where a variable is no more, nobody says so: all who could.
 * In: what is declared, and the name of the AppStackRevision that is. Out: the object of a change; who has the last word
 * about the variables of a service is looked up once.
 */
export function makeSayerOf(input: Input, revision: string): (change: Change) => string {
  const { instance } = input
  const ofInstance = `AppInstance/${instance.metadata.name}`
  const ofStack = `AppStackRevision/${revision}`
  const declared = new Map(declaredServices(input).map((service) => [service.name, service]))
  const variables = new Map<string, ReadonlyMap<string, string>>()

  function variableSayer(name: string, variable: string): string {
    const service = declared.get(name)
    const sayers = variables.get(name) ?? (service ? sayersOfVariables(input, service) : new Map<string, string>())
    variables.set(name, sayers)
    const sayer = sayers.get(variable)
    return sayer === '' ? ofStack : (sayer ?? `${ofInstance} or another`)
  }

  return ({ service, content, steps: way }) => {
    const steps = asDeclared(way)
    if (content !== undefined) return content
    if (service === undefined) return instance.spec.stack?.revision === undefined ? ofStack : ofInstance
    const [field = '', item = ''] = steps
    if (isDisabled(instance, service)) return ofInstance
    if (field === 'imagePullSecrets') return `App/${instance.spec.app}`
    if (field === 'variables') return variableSayer(service, item)
    if (isSaidByEnv(input, declared.get(service), steps)) return `AppEnv/${instance.spec.env}`
    const source = sourceOf(input.services, service, steps)
    if ([service, source].some((each) => isSaidByInstance(input, each, steps))) return ofInstance
    return [service, source].some((each) => isSaidByApp(input, each, steps)) ? `App/${instance.spec.app}` : ofStack
  }
}

/** Whether the App says this of the service for the environment. */
function isSaidByApp({ app, env }: Input, name: string, steps: readonly string[]): boolean {
  return appDefaultsFor(app, env).some((each) => each.name === name && isThere(each, steps))
}

/** Whether the environment says how much CPU or memory a service gets that says nothing of it itself. */
function isSaidByEnv(
  { env }: Input,
  service: StackService | undefined,
  [field, kind, amount]: readonly string[],
): boolean {
  if (field !== 'resources' || (kind !== 'requests' && kind !== 'limits')) return false
  if (amount !== 'cpu' && amount !== 'memory') return false
  return isUnsaid(service?.resources ?? {}, amount) && env.spec.defaults?.resources?.[kind]?.[amount] !== undefined
}

/** Of a volume a release records the claim, and of one that is made the rest below; of all together, who shares a node. */
function asDeclared(steps: readonly string[]): readonly string[] {
  if (steps[0] === 'sameNode') return ['volumes']
  if (steps[0] !== 'volumes') return steps
  return steps.filter((step) => step !== 'made').map((step) => (step === 'claim' ? 'existingClaim' : step))
}

/** The service whose value a Worker takes over, by its `from`; itself where it has its own. */
function sourceOf(services: Input['services'], name: string, steps: readonly string[]): string {
  const [field, item] = steps
  const service = services.find((each) => each.name === name)
  const isTaken = field === 'image' || (field === 'volumes' && !service?.volumes?.some((own) => own.name === item))
  return service?.from !== undefined && isTaken ? sourceOf(services, service.from, steps) : name
}

/** Whether the instance itself says this of the service. */
function isSaidByInstance(input: Input, name: string, steps: readonly string[]): boolean {
  const { instance, services } = input
  const service = services.find((each) => each.name === name)
  const { image, replicas } = instance.spec
  const isMain = service !== undefined && service === mainOf(services)
  return isThere(isMain ? { ...overrideOf(instance, name), image, replicas } : overrideOf(instance, name), steps)
}

/** Whether there is a value on the way: what is said as a whole is said of all below it. */
function isThere(value: unknown, [step, ...rest]: readonly string[]): boolean {
  if (value === undefined || step === undefined) return value !== undefined
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) {
    const named = value.filter((each): each is { name: string } => typeof each === 'object')
    const item = named.find(({ name }) => name === step)
    return named.length === 0 || isThere(item, rest)
  }
  return isThere((value as Readonly<Record<string, unknown>>)[step], rest)
}
