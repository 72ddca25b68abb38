import type { AppEnv } from '../api/appEnv.ts'
import type { AppInstance } from '../api/appInstance.ts'
import type { ResolvedService } from '../api/appRelease.ts'
import type { StackService } from '../api/stackService.ts'
import { serviceUrl } from './names.ts'

/** Raised with the field a user has to change; the values are in the message. */
export interface Objection {
  readonly reason: 'ImageMissing' | 'MainReplicasInStack'
  readonly field: string
  readonly message: string
}

export interface Resolved {
  readonly services: readonly ResolvedService[]
  readonly objections: readonly Objection[]
}

interface Input {
  readonly instance: AppInstance
  readonly env: AppEnv
  /** Services of the chosen AppStackRevision. */
  readonly services: readonly StackService[]
}

type Variable = ResolvedService['variables'][number]

/**
 * Merges stack, environment and instance into what a release records: every default filled, every precedence decided.
 * In: the instance, its AppEnv, the services of its revision. Out: the resolved services, and what only the user can mend.
 * Source of the precedence: design/api.md, Variables.
 */
export function resolve(input: Input): Resolved {
  const main = mainOf(input.services)
  const resolved = input.services.map((service, index) => resolveService(input, service, service === main, index))
  return {
    services: resolved.map(({ service }) => service),
    objections: resolved.flatMap(({ objections }) => objections),
  }
}

/** The service that `image` and `replicas` of an instance mean: marked main, else the first Web, else the first of all. */
function mainOf(services: readonly StackService[]): StackService | undefined {
  return services.find(({ main }) => main) ?? services.find(({ type }) => type === 'Web') ?? services[0]
}

function resolveService(
  { instance, env, services }: Input,
  service: StackService,
  isMain: boolean,
  index: number,
): { service: ResolvedService; objections: Objection[] } {
  const image = (isMain ? instance.spec.image : undefined) ?? service.image
  const objections: Objection[] = []
  if (image === undefined) objections.push(imageMissing(service, isMain, index))
  if (isMain && service.replicas !== undefined) objections.push(replicasInStack(service, index))
  const replicas = isMain ? instance.spec.replicas : (service.replicas ?? 1)
  return {
    objections,
    service: {
      name: service.name,
      type: service.type,
      main: isMain,
      image: image ?? '',
      ...processOf(service),
      ports: service.ports ?? [],
      variables: variablesOf(instance, env, service, mainUrl(services, instance)),
      files: service.files ?? [],
      resources: resourcesOf(service),
      ...healthCheckOf(service),
      replicas,
      rollout: service.rollout ?? defaultRollout,
      ...(service.dependsOn?.length && { dependsOn: service.dependsOn }),
      generatedSecrets: service.generatedSecrets ?? [],
    },
  }
}

function processOf({ command, args }: StackService): Pick<ResolvedService, 'command' | 'args'> {
  return { ...(command && { command }), ...(args && { args }) }
}

const defaultRequests = { cpu: '50m', memory: '128Mi' }

/**
 * Every replica asks for something, so that no node is filled with guesses of zero; where only a limit is given,
 * Kubernetes takes it as the request.
 */
function resourcesOf({ resources = {} }: StackService): ResolvedService['resources'] {
  const missing = Object.entries(defaultRequests).filter(([name]) => !(name in (resources.limits ?? {})))
  const requests = { ...Object.fromEntries(missing), ...resources.requests }
  return { ...resources, ...(Object.keys(requests).length > 0 && { requests }) }
}

/** Asked is the named port, else the first HTTP port, else the first. */
function healthCheckOf({ healthCheck, ports = [] }: StackService): Pick<ResolvedService, 'healthCheck'> {
  if (!healthCheck) return {}
  const port = healthCheck.port ?? (ports.find(({ protocol }) => protocol === 'HTTP') ?? ports[0])?.name ?? 'http'
  return { healthCheck: { ...healthCheck, port } }
}

const defaultRollout: ResolvedService['rollout'] = {
  progressDeadlineSeconds: 300,
  drainSeconds: 10,
  terminationGracePeriodSeconds: 30,
}

function imageMissing(service: StackService, isMain: boolean, index: number): Objection {
  const where = isMain ? 'spec.image of the AppInstance or ' : ''
  return {
    reason: 'ImageMissing',
    field: isMain ? 'spec.image' : `services[${index}].image`,
    message: `Service '${service.name}' has no image: set ${where}services[${index}].image of the stack`,
  }
}

function replicasInStack(service: StackService, index: number): Objection {
  const field = `services[${index}].replicas`
  return {
    reason: 'MainReplicasInStack',
    field,
    message: `${field} is ${service.replicas}, but '${service.name}' is the main service: its replicas stand in spec.replicas of the AppInstance; remove the field from the stack`,
  }
}

function mainUrl(services: readonly StackService[], instance: AppInstance): string | undefined {
  const main = mainOf(services)
  const port = main?.ports?.find(({ protocol }) => protocol === 'HTTP')
  return main && port && serviceUrl(main.name, instance.metadata.name, port.port)
}

/** Later wins: platform, stack's service, AppInstance. */
function variablesOf(instance: AppInstance, env: AppEnv, service: StackService, url: string | undefined): Variable[] {
  const platform: Variable[] = [
    { name: 'APPSTEAD_APP', value: instance.spec.app },
    { name: 'APPSTEAD_INSTANCE', value: instance.metadata.name },
    { name: 'APPSTEAD_ENV', value: instance.spec.env },
    { name: 'APPSTEAD_ENV_TYPE', value: env.spec.type },
    { name: 'APPSTEAD_SERVICE', value: service.name },
    ...(url === undefined ? [] : [{ name: 'APPSTEAD_URL', value: url }]),
  ]
  const byName = new Map<string, Variable>()
  for (const variable of [...platform, ...(service.variables ?? []), ...(instance.spec.variables ?? [])]) {
    byName.set(variable.name, { name: variable.name, value: variable.value })
  }
  return [...byName.values()]
}
