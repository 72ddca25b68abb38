import type { AppInstance } from '../api/appInstance.ts'
import type { AppRelease, AppReleaseSpec } from '../api/appRelease.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import { appReleaseKind } from '../api/appRelease.ts'
import { canonical } from '../api/canonical.ts'
import { apiVersion } from '../api/meta.ts'
import { shortened } from '../api/text.ts'
import { appInstanceKind } from '../api/appInstance.ts'
import { renderVersion } from './appInstance.ts'
import { releaseName } from './names.ts'
import type { Requests } from './requests.ts'
import { handledWith, requestsOf } from './requests.ts'
import { scaledAs, textOfScale } from './scaling.ts'

/** One difference between what runs and what is declared. */
export interface Change {
  /** Where it shows in the resolved services, such as services[web].image. */
  readonly path: string
  readonly from: string
  readonly to: string
  readonly effect: 'Restart' | 'Scale' | 'None'
  /** The object the user changed. */
  readonly source: string
}

type Copied = NonNullable<ResolvedService['imagePullSecrets']>[number]

/** What runs, or is declared now, after every merge. */
export interface Declared {
  readonly services: readonly ResolvedService[]
  readonly stackRevision: string
  readonly sources?: AppReleaseSpec['sources']
}

const valueLimit = 120
const causeLimit = 256

/**
 * What the next release would change.
 * In: what the release that runs has become, what is declared now. Out: one entry a field of a service, in their order.
 */
export function changesBetween(running: Declared, wanted: Declared): Change[] {
  const before = new Map(running.services.map((service) => [service.name, service]))
  const after = new Map(wanted.services.map((service) => [service.name, service]))
  const names = [...new Set([...before.keys(), ...after.keys()])]
  const revision: Change[] =
    running.stackRevision === wanted.stackRevision
      ? []
      : [change('stack.revision', running.stackRevision, wanted.stackRevision, 'None', 'AppStackRevision')]
  return [...revision, ...names.flatMap((name) => serviceChanges(name, before.get(name), after.get(name)))]
}

function serviceChanges(name: string, before?: ResolvedService, after?: ResolvedService): Change[] {
  if (!before || !after) {
    return [change(`services[${name}]`, before ? 'present' : '', after ? 'present' : '', 'Restart', 'AppStack')]
  }
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof ResolvedService)[]
  return fields
    .filter((field) => field !== 'restart')
    .filter((field) => canonical(before[field] ?? null) !== canonical(after[field] ?? null))
    .filter((field) => after[field] !== undefined || (field !== 'replicas' && field !== 'autoscaling'))
    .flatMap((field) => fieldChanges(`services[${name}].${field}`, field, { before, after }))
}

/** Of a list whose items have names, one change an item: an item of another order is none. */
function fieldChanges(
  path: string,
  field: keyof ResolvedService,
  { before, after }: { readonly before: ResolvedService; readonly after: ResolvedService },
): Change[] {
  if (field === 'volumes') {
    const volumes = volumeChanges(before.volumes, after.volumes)
    const source = sourceOf(field, after)
    if (volumes.length > 0) {
      return volumes.map(({ at, from, to, effect }) => change(`${path}${at}`, text(from), text(to), effect, source))
    }
  }
  if (!isOfValues(field)) {
    return [change(path, textOf(field, before), textOf(field, after), effectOf(field), sourceOf(field, after))]
  }
  const [old, next] = [before, after].map((each) => new Map((each[field] ?? []).map((item) => [nameOf(item), item])))
  return [...new Set([...old!.keys(), ...next!.keys()])]
    .map((name) => ({ name, from: old!.get(name), to: next!.get(name) }))
    .filter(({ from, to }) => canonical(from ?? null) !== canonical(to ?? null))
    .map(({ name, from, to }) => {
      const source = copiedOf(to ?? from!)?.source ?? 'AppStack or AppInstance'
      return change(`${path}[${name}]`, valueText(from), valueText(to), 'Restart', source)
    })
}

type OfValues = 'variables' | 'files' | 'imagePullSecrets'
type Item = ResolvedService['variables'][number] | ResolvedService['files'][number] | Copied

function isOfValues(field: keyof ResolvedService): field is OfValues {
  return field === 'variables' || field === 'files' || field === 'imagePullSecrets'
}

function nameOf(item: Item): string {
  if ('path' in item) return item.path
  return 'source' in item ? item.source : item.name
}

function copiedOf(item: Item): Copied | undefined {
  return 'source' in item ? item : item.copied
}

/** What stands there; of what was copied, a hash. */
function valueText(item: Item | undefined): string {
  if (!item) return ''
  const copied = copiedOf(item)
  if (copied) return `hash ${copied.hash}`
  return text('content' in item ? item.content : 'value' in item ? item.value : canonical(item))
}

type Volumes = ResolvedService['volumes']

interface VolumeChange {
  /** After services[…].volumes. */
  readonly at: string
  readonly from: unknown
  readonly to: unknown
  readonly effect: Change['effect']
}

/** Volume by volume; one that only grows leaves the replicas alone. None when only their order differs. */
function volumeChanges(before: Volumes = [], after: Volumes = []): VolumeChange[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))]
  return names.flatMap((name): VolumeChange[] => {
    const [from, to] = [before, after].map((list) => list.find((volume) => volume.name === name))
    if (canonical(from ?? null) === canonical(to ?? null)) return []
    const isGrown = from?.made && to?.made && canonical(from) === canonical(withSize(to, from.made.size))
    if (!isGrown) return [{ at: `[${name}]`, from, to, effect: 'Restart' }]
    return [{ at: `[${name}].size`, from: from.made.size, to: to.made.size, effect: 'None' }]
  })
}

function withSize(volume: NonNullable<Volumes>[number], size: string): unknown {
  return { ...volume, made: { ...volume.made, size } }
}

/** A number and what a service scales itself between take each other's place: one change, told by what comes. */
function textOf(field: keyof ResolvedService, service: ResolvedService): string {
  return field === 'replicas' || field === 'autoscaling' ? textOfScale(service) : text(service[field])
}

function effectOf(field: keyof ResolvedService): Change['effect'] {
  if (field === 'replicas' || field === 'autoscaling') return 'Scale'
  // An order, or what runs besides, says nothing about the pods.
  return field === 'dependsOn' || field === 'actions' ? 'None' : 'Restart'
}

function sourceOf(field: keyof ResolvedService, service: ResolvedService): string {
  const isOfInstance = service.main && (field === 'replicas' || field === 'image')
  return isOfInstance ? `AppInstance spec.${field}` : 'AppStack or AppInstance'
}

function change(path: string, from: string, to: string, effect: Change['effect'], source: string): Change {
  return { path, from, to, effect, source }
}

function text(value: unknown): string {
  const whole = value === undefined ? '' : typeof value === 'string' ? value : canonical(value)
  return shortened(whole, valueLimit)
}

/** A change of the number of replicas alone waits for the next deployment; any other asks for a release. */
export function asksForRelease(changes: readonly Change[]): boolean {
  return changes.some(({ effect }) => effect !== 'Scale')
}

/** What a release comes after, and why it is made. */
export interface Occasion {
  /** undefined for the first. */
  readonly newest?: AppRelease | undefined
  /** The last good one. */
  readonly good?: AppRelease | undefined
  /** Against the release that runs. */
  readonly changes: readonly Change[]
  /** The requests it is made for. */
  readonly asked?: Requests
  /** Of the instance, in which what is to run was declared; default: the newest. */
  readonly generation?: number
}

/**
 * The services as they are declared, with the restarts of what runs: who has been restarted stays so.
 */
export function withRestarts(services: readonly ResolvedService[], running: AppRelease): ResolvedService[] {
  const restarts = new Map(running.spec.services.map(({ name, restart }) => [name, restart]))
  return services.map((service) => {
    const restart = restarts.get(service.name)
    return restart === undefined ? service : { ...service, restart }
  })
}

/** What runs, with the numbers of replicas that are declared: they are taken along by any deployment. */
export function rescaled({ spec }: AppRelease, declared: Declared): Declared {
  const services = spec.services.map((service) =>
    scaledAs(
      declared.services.find(({ name }) => name === service.name),
      service,
    ),
  )
  return { services, stackRevision: spec.stackRevision, ...(spec.sources && { sources: spec.sources }) }
}

/**
 * The AppRelease that records what is declared now, completely: pods are rendered from it alone.
 * In: the instance, what is to run, what it comes after and why it is made. Out: the object to create.
 */
export function makeRelease(
  instance: AppInstance,
  wanted: Declared,
  { newest, good, changes, asked = {}, generation = instance.metadata.generation ?? 0 }: Occasion,
): AppRelease {
  const { name, namespace = '', uid = '' } = instance.metadata
  const number = (newest?.spec.number ?? 0) + 1
  return {
    apiVersion,
    kind: appReleaseKind.kind,
    metadata: {
      name: releaseName(name, uid, number),
      namespace,
      // Released with its instance: the history of operations, which outlives it, is kept elsewhere.
      ownerReferences: [{ apiVersion, kind: appInstanceKind.kind, name, uid }],
    } as AppRelease['metadata'],
    spec: {
      instance: name,
      instanceUid: uid,
      number,
      stackRevision: wanted.stackRevision,
      generation,
      ...(good && good.spec.stackRevision !== wanted.stackRevision && { upgradedFrom: good.spec.stackRevision }),
      renderVersion,
      cause: newest ? causeOf(changes, asked) : 'instance created',
      ...handledWith(requestsOf(instance), newest),
      services: [...wanted.services],
      ...(wanted.sources?.length && { sources: [...wanted.sources] }),
    },
  }
}

function causeOf(changes: readonly Change[], { deploy, restart }: Requests): string {
  const requests = Object.entries({ deploy, restart }).filter(([, cause]) => cause !== undefined)
  const paths = changes.map(({ path, from, to }) =>
    /\.(image|replicas|autoscaling)$/.test(path) ? `${path}: ${from} → ${to}` : path,
  )
  return shortened(
    [...requests.map((each) => each.join(': ')), paths.join(', ')].filter(Boolean).join('; '),
    causeLimit,
  )
}
