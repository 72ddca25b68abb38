import type { AppReleaseSpec } from '../api/appRelease.ts'
import { canonical, shortHash } from '../api/canonical.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import { shortened } from '../api/text.ts'
import { transportOf } from './port.ts'
import { textOfScale } from './scaling.ts'

/** What the next release would change of the one that runs: path by path, and what it does to replicas. Pure. */

/** What runs, or is declared now, after every merge. */
export interface Declared {
  readonly services: readonly ResolvedService[]
  readonly stackRevision: string
  readonly sources?: AppReleaseSpec['sources']
}

/** One difference between what runs and what is declared. */
export interface Change {
  /** Where it shows in the resolved services, such as services[web].resources.limits.memory. */
  readonly path: string
  /** Name of the service; undefined for the revision of the stack. */
  readonly service?: string
  /** The way to the value in that service: members, and the keys of items; empty for the service as a whole. */
  readonly steps: readonly string[]
  /** What runs; absent when it is new. */
  readonly from?: string
  /** What is wanted; absent when it is removed. */
  readonly to?: string
  readonly effect: 'Restart' | 'Scale' | 'None'
  /** The Secret or ConfigMap of which only the content changed. */
  readonly content?: string
}

/**
 * What the next release would change.
 * In: what the release that runs has become, what is declared now. Out: one entry a value, in the order of the services
 * and their fields; none when both give the same objects.
 */
export function changesBetween(running: Declared, wanted: Declared): Change[] {
  const before = new Map(running.services.map((service) => [service.name, service]))
  const after = new Map(wanted.services.map((service) => [service.name, service]))
  const names = [...new Set([...before.keys(), ...after.keys()])]
  return [
    ...revisionChange(running.stackRevision, wanted.stackRevision),
    ...names.flatMap((name) => serviceChanges(name, before.get(name), after.get(name))),
  ]
}

/** A change of the number of replicas alone waits for the next deployment; any other asks for a release. */
export function asksForRelease(changes: readonly Change[]): boolean {
  return changes.some(({ effect }) => effect !== 'Scale')
}

/** `services[web].image shop:1 → shop:2`, or of a copy `services[web].variables[WORD] (Secret/words has new content)`. */
export function sentenceOf({ path, from = 'none', to = 'none', content }: Change): string {
  return content === undefined ? `${path} ${from} → ${to}` : `${path} (${content} has new content)`
}

function revisionChange(from: string, to: string): Change[] {
  return from === to ? [] : [{ path: 'stack.revision', steps: [], from, to, effect: 'None' }]
}

function serviceChanges(service: string, before?: ResolvedService, after?: ResolvedService): Change[] {
  const path = `services[${service}]`
  if (!before || !after) {
    return [{ path, service, steps: [], ...(before ? { from: 'present' } : { to: 'present' }), effect: 'Restart' }]
  }
  const changes = differences(pathwise(before), pathwise(after), []).map((each) => changeOf(service, each))
  return [...changes, ...scaleChange(service, before, after)]
}

/** A number and what a service scales itself between take each other's place: one change, told by what comes. */
function scaleChange(service: string, before: ResolvedService, after: ResolvedService): Change[] {
  const [from, to] = [textOfScale(before), textOfScale(after)]
  if (from === to) return []
  const field = after.autoscaling ? 'autoscaling' : 'replicas'
  return [{ path: `services[${service}].${field}`, service, steps: [field], from, to, effect: 'Scale' }]
}

/** What is compared value by value: a restart is no content, and the scale is one change. */
function pathwise(service: ResolvedService): object {
  const { restart: _restart, replicas: _replicas, autoscaling: _autoscaling, ...rest } = service
  return rest
}

interface Difference {
  readonly steps: readonly string[]
  /** Of the steps, as people read them. */
  readonly path: string
  readonly from: unknown
  readonly to: unknown
}

/** Lists whose items are told apart by a member of theirs; of the others the whole list is one value. */
const itemKeys = ['name', 'path', 'source'] as const
/** Lists of which the order counts: the first port is the address, actions run one after the other. */
const ordered = new Set(['ports', 'actions'])
/** Items that are one value: where a variable or a file comes from, and what it says, go together. */
const whole = new Set(['variables', 'files', 'imagePullSecrets'])

function differences(from: unknown, to: unknown, steps: readonly string[], path = ''): Difference[] {
  if (canonical(from ?? null) === canonical(to ?? null)) return []
  const list = isItems(from) || isItems(to)
  if (list && !whole.has(steps.at(-2) ?? '')) return itemDifferences(itemsOf(from), itemsOf(to), steps, path)
  const isWhole = whole.has(steps.at(-2) ?? '') || !isObject(from) || !isObject(to)
  if (isWhole) return [{ steps, path, from, to }]
  const members = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  // How a volume is made is part of it.
  return members.flatMap((name) =>
    differences(from[name], to[name], [...steps, name], name === 'made' ? path : `${path}.${name}`),
  )
}

type Item = Readonly<Record<string, unknown>>

function itemDifferences(
  from: readonly Item[],
  to: readonly Item[],
  steps: readonly string[],
  path: string,
): Difference[] {
  const [before, after] = [from, to].map((items) => new Map(items.map((item) => [keyOf(item), item])))
  const keys = [...new Set([...before!.keys(), ...after!.keys()])]
  const found = keys.flatMap((key) =>
    differences(before!.get(key), after!.get(key), [...steps, key], `${path}[${key}]`),
  )
  if (found.length > 0 || !ordered.has(steps.at(-1) ?? '')) return found
  return [{ steps, path, from: [...before!.keys()], to: [...after!.keys()] }]
}

function keyOf(item: Item): string {
  return itemKeys.map((key) => item[key]).find((value) => typeof value === 'string') ?? ''
}

function isObject(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isItems(value: unknown): value is readonly Item[] {
  return Array.isArray(value) && value.length > 0 && value.every(isObject)
}

function itemsOf(value: unknown): readonly Item[] {
  return isItems(value) ? value : []
}

function changeOf(service: string, difference: Difference): Change {
  const { steps, path, from, to } = difference
  const texts = { ...textAs('from', from, to), ...textAs('to', to, from) }
  // Long ones may differ only where they are cut.
  const told = texts.from === texts.to ? { ...hashAs('from', from), ...hashAs('to', to) } : texts
  const content = contentOf(from, to)
  return {
    path: `services[${service}]${path}`,
    service,
    steps,
    ...told,
    effect: effectOf(difference),
    ...(content !== undefined && { content }),
  }
}

/** What new pods are not needed for: how and in which order they are replaced, what runs besides them, room. */
const besidesPods: readonly RegExp[] = [
  // What follows from them shows in ports and variables.
  /^(type|main)$/,
  /^dependsOn$/,
  /^actions\b/,
  /^rollout (maxSurge|maxUnavailable|progressDeadlineSeconds)$/,
  // Where it alters who shares a node, that is told by itself.
  /^volumes \S+ (accessMode|made \w+)$/,
  /^generatedSecrets \S+ length$/,
]

type Protocol = ResolvedService['ports'][number]['protocol']

function effectOf({ steps, from, to }: Difference): Change['effect'] {
  const way = steps.join(' ')
  const isSameTransport =
    /^ports \S+ protocol$/.test(way) && transportOf(from as Protocol) === transportOf(to as Protocol)
  return isSameTransport || besidesPods.some((each) => each.test(way)) ? 'None' : 'Restart'
}

interface Copied {
  readonly source: string
  readonly key: string
  readonly hash: string
}

function copiedOf(value: unknown): Copied | undefined {
  if (!isObject(value)) return undefined
  return ('source' in value ? value : value['copied']) as Copied | undefined
}

/** The Secret or ConfigMap of which both are copies: its content alone differs. */
function contentOf(from: unknown, to: unknown): string | undefined {
  const [before, after] = [copiedOf(from), copiedOf(to)]
  return before && before.source === after?.source && before.key === after.key ? after.source : undefined
}

const valueLimit = 120

/** What stands there, where `other` stands beside it; of what was copied, its source or, where that is the same, a hash. */
function textAs<Name extends string>(name: Name, value: unknown, other: unknown): Partial<Record<Name, string>> {
  if (value === undefined) return {}
  const copied = copiedOf(value)
  const isSameSource = contentOf(value, other) !== undefined
  const copy = copied && (isSameSource ? `hash ${copied.hash}` : `key '${copied.key}' of ${copied.source}`)
  const text = copy ?? plainText(value)
  return { [name]: shortened(text, valueLimit) } as Partial<Record<Name, string>>
}

function hashAs<Name extends string>(name: Name, value: unknown): Partial<Record<Name, string>> {
  return { [name]: `hash ${shortHash(value, 16)}` } as Partial<Record<Name, string>>
}

/** Of an item whose name stands in the path, the value alone. */
function plainText(value: unknown): string {
  if (typeof value === 'string') return value
  if (isObject(value) && typeof value['content'] === 'string') return value['content']
  if (isObject(value) && 'name' in value && typeof value['value'] === 'string') return value['value']
  return canonical(value)
}
