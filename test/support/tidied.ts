import type { Kind } from '../../operator/api/kind.ts'
import type { Json } from './arbitraryObjects.ts'

/** Specs made from the schemas alone, as people would write them. */

/** What most people would not write together: rules are broken now and then, but seldom. */
export function tidied(kind: Kind, spec: Json): Json {
  const app = (spec as { stack?: { name?: Json; services?: Json } }).stack
  if (app !== undefined && app.name !== undefined && app.services !== undefined) delete app.name
  for (const holder of [spec as Record<string, Json>, ...servicesIn(spec)]) tidyVariables(holder)
  for (const { subject } of (spec as { access?: { subject: Record<string, Json> }[] }).access ?? [])
    tidySubject(subject)
  if (kind.kind === 'AppInstance') servicesIn(spec).forEach(tidyOverride)
  else tidyServices(servicesIn(spec))
  const { defaults } = spec as { defaults?: Json }
  const ofApp = (kind.kind === 'App' ? (defaults ?? []) : []) as { services: Record<string, Json>[] }[]
  for (const { services } of ofApp) services.forEach(tidyOverride)
  if (kind.kind === 'AppTask') tidyTask(spec as Record<string, Json>)
  if (kind.kind === 'AppEnv' && defaults !== undefined) tidyEnv(defaults as Record<string, Json>)
  return spec
}

function tidyEnv(defaults: Record<string, Json>): void {
  tidyResources({ name: 'web', ...defaults })
  const quota = defaults['quota'] as Record<string, Json> | undefined
  const isSomething = [quota?.['requests'], quota?.['limits']].some((amounts) => Object.keys(amounts ?? {}).length > 0)
  if (quota !== undefined && !isSomething) quota['pods'] ??= 20
}

/** An action, or a try to create or remove. */
function tidyTask(task: Record<string, Json>): void {
  if (task['type'] !== 'Action') {
    delete task['action']
    Object.assign(task, {
      attempt: task['attempt'] ?? 1,
      cause: task['cause'] ?? 'made',
      instanceUid: task['instanceUid'] ?? uid,
    })
    return
  }
  task['action'] ??= { service: 'web', name: 'seed' }
  delete task['attempt']
  delete task['token']
}

const uid = '01234567-89ab-cdef-0123-456789abcdef'

function tidyOverride(override: Record<string, Json>): void {
  tidyExternal(override)
  tidyResources(override)
  tidyScale(override)
}

function tidyServices(services: readonly Record<string, Json>[]): void {
  const names: Json[] = []
  const answering: Json[] = []
  for (const service of services) {
    if (service['type'] === 'PostgreSQL' && names.length === 0) service['type'] = 'Web'
    tidyService(service)
    tidyFrom(service, names)
    tidyLinks(service, answering)
    tidyLinked(service, answering)
    if (service['type'] !== 'Worker') answering.push(service['name'] ?? null)
    const needed = service['dependsOn'] as Json[] | undefined
    if (needed !== undefined && !isLeft(service)) service['dependsOn'] = names.slice(0, needed.length)
    names.push(service['name'] ?? null)
  }
}

/** Seldom, a service keeps names that nobody has or that come later, fields that its type has not, and the like. */
function isLeft({ name }: Record<string, Json>): boolean {
  return (name as string).length % 8 === 0
}

function servicesIn(spec: Json): Record<string, Json>[] {
  const { services, stack } = spec as { services?: Json; stack?: { services?: Json } }
  const list = services ?? stack?.services
  return Array.isArray(list) ? (list as Record<string, Json>[]) : []
}

/** One of several, where there may be one only. */
function keepOne(holder: Record<string, Json>, names: readonly string[], otherwise: Json): void {
  const [first, ...others] = names.filter((name) => holder[name] !== undefined)
  if (first === undefined) holder[names[0]!] = otherwise
  for (const name of others) delete holder[name]
}

/** A value, or where it comes from. */
function tidyVariables(holder: Record<string, Json>): void {
  for (const variable of (holder['variables'] ?? []) as Record<string, Json>[]) {
    const from = variable['valueFrom'] as Record<string, Json> | undefined
    if (from !== undefined)
      keepOne(from, ['secretKeyRef', 'configMapKeyRef', 'fieldRef', 'link'], { name: 'a', key: 'a' })
    keepOne(variable, ['value', 'valueFrom'], '')
  }
  for (const bundle of (holder['variablesFrom'] ?? []) as Record<string, Json>[]) {
    keepOne(bundle, ['secretRef', 'configMapRef'], { name: 'a' })
  }
  for (const file of (holder['files'] ?? []) as Record<string, Json>[]) {
    keepOne(file, ['content', 'secretKeyRef', 'configMapKeyRef'], '')
  }
}

/** A ServiceAccount is in a namespace, and called as objects are; others are neither. */
function tidySubject(subject: Record<string, Json>): void {
  if (subject['kind'] !== 'ServiceAccount') delete subject['namespace']
  else Object.assign(subject, { name: 'robot', namespace: subject['namespace'] ?? 'tools' })
}

/** Given from outside and nothing else, or of pods. */
function tidyExternal(override: Record<string, Json>): void {
  if (override['external'] === undefined) return
  const isGiven = (override['name'] as string).length % 2 === 0
  for (const field of Object.keys(override)) {
    if (isGiven ? !['name', 'enabled', 'external'].includes(field) : field === 'external') delete override[field]
  }
}

/** The like of variables. */
function tidyLinked(service: Record<string, Json>, answering: readonly Json[]): void {
  for (const variable of (service['variables'] ?? []) as Record<string, Json>[]) {
    const { link } = (variable['valueFrom'] ?? {}) as { link?: Record<string, Json> }
    if (link === undefined) continue
    link['service'] = answering[0] ?? null
    if (answering.length > 0) continue
    delete variable['valueFrom']
    variable['value'] = ''
  }
}

/** To services that answer and are listed earlier, but for some. */
function tidyLinks(service: Record<string, Json>, answering: readonly Json[]): void {
  const links = service['links'] as Record<string, Json>[] | undefined
  if (links === undefined || isLeft(service)) return
  if (answering.length === 0) delete service['links']
  for (const [index, link] of links.entries()) link['service'] = answering[index % answering.length] ?? null
}

/** A number, or what it scales itself between. */
function tidyScale(service: Record<string, Json>): void {
  const autoscaling = service['autoscaling'] as { min: number; max: number } | undefined
  if (autoscaling === undefined) return
  delete service['replicas']
  autoscaling.min = Math.min(autoscaling.min, autoscaling.max)
}

function tidyService(service: Record<string, Json>): void {
  if (service['type'] === 'PostgreSQL' && !isLeft(service)) {
    for (const field of Object.keys(service)) if (!['name', 'type'].includes(field)) delete service[field]
    return
  }
  if (service['main'] === true) delete service['replicas']
  tidyScale(service)
  const ports = service['ports'] as { port: number; name?: string }[] | undefined
  if (service['type'] === 'Worker') {
    delete service['ports']
  } else if ((ports ?? []).length === 0) service['ports'] = [{ port: 8080 }]
  tidyHealthCheck(service)
  tidyResources(service)
  tidyRollout(service)
}

/** Requests up to the limits, but for some. */
function tidyResources(service: Record<string, Json>): void {
  const { requests, limits } = (service['resources'] ?? {}) as { requests?: Record<string, Json>; limits?: object }
  if (requests !== undefined && (service['name'] as string).length % 4 !== 0) Object.assign(requests, limits)
  const volumes = (service['volumes'] ?? []) as Record<string, Json>[]
  if (!isLeft(service)) for (const volume of volumes) tidyVolume(volume)
}

/** Of a Worker only, one that is listed earlier, and instead of an image. */
function tidyFrom(service: Record<string, Json>, earlier: readonly Json[]): void {
  if (service['from'] === undefined) return
  if (service['type'] !== 'Worker' || earlier[0] === undefined) delete service['from']
  else {
    service['from'] = earlier[0]
    delete service['image']
  }
}

/** Time to end after the drain, and replicas that are left. */
function tidyRollout(service: Record<string, Json>): void {
  const rollout = service['rollout'] as Record<string, Json> | undefined
  if (rollout === undefined) return
  rollout['terminationGracePeriodSeconds'] = Number(rollout['drainSeconds'] ?? 10) + 20
  const left = Number(service['replicas'] ?? 1) - 1
  rollout['maxUnavailable'] = Math.min(Number(rollout['maxUnavailable'] ?? 0), left)
  if (rollout['maxUnavailable'] === 0 && rollout['maxSurge'] === 0) rollout['maxSurge'] = 1
}

/** One way to check, and a port that there is. */
function tidyHealthCheck(service: Record<string, Json>): void {
  const check = service['healthCheck'] as Record<string, Json> | undefined
  if (check === undefined) return
  const isWorker = service['type'] === 'Worker'
  const ports = (service['ports'] ?? []) as { name?: string; protocol?: string }[]
  const asked = isWorker ? undefined : ports.find(({ protocol }) => protocol !== 'UDP')
  if (check['command'] === undefined && asked === undefined) delete service['healthCheck']
  else if (check['command'] !== undefined) {
    for (const field of ['path', 'tcp', 'port']) delete check[field]
  } else if (check['path'] === undefined) check['tcp'] = true
  else delete check['tcp']
  if (check['port'] !== undefined) check['port'] = asked?.name ?? 'http'
}

/** A claim is made with a size, or is there already. */
function tidyVolume(volume: Record<string, Json>): void {
  if (volume['existingClaim'] === undefined) volume['size'] ??= '1Gi'
  else {
    delete volume['size']
    delete volume['storageClassName']
  }
}
