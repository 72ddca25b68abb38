import { canonical } from '../api/canonical.ts'
import { fieldManager } from '../api/meta.ts'
import type { KubeObject } from '../api/meta.ts'
import type { Fields } from './digest.ts'
import { managedFieldsOf } from './digest.ts'

/** Where a live object is not what was rendered, and who made it so: for messages; decisions are made by digests. */

/** A member's name, or an element of a list by its key (or its place, when it has none). */
type Step = string | { readonly key: string; readonly value: unknown } | number

export type Path = readonly Step[]

/** By what elements of a list are told apart; the first that an element has counts. */
const elementKeys = ['mountPath', 'name', 'port', 'containerPort'] as const

/** The paths of the rendered values that are otherwise, or not at all, in the live object; in the order of the rendered one. */
export function differingPaths(desired: KubeObject, live: KubeObject): Path[] {
  const { name: _name, namespace: _namespace, uid: _uid, ...metadata } = desired.metadata
  const { apiVersion: _apiVersion, kind: _kind, ...rest } = desired
  return differing({ ...rest, metadata }, live, [])
}

function differing(desired: unknown, live: unknown, path: Path): Path[] {
  if (Array.isArray(desired) && Array.isArray(live)) return differingElements(desired, live, path)
  if (isObject(desired) && isObject(live)) {
    return Object.entries(desired).flatMap(([name, value]) => differing(value, live[name], [...path, name]))
  }
  return canonical(desired ?? null) === canonical(live ?? null) ? [] : [path]
}

function differingElements(desired: readonly unknown[], live: readonly unknown[], path: Path): Path[] {
  if (!desired.every(isObject)) return canonical(desired) === canonical(live) ? [] : [path]
  return desired.flatMap((element, index) => {
    const key = elementKeys.find((each) => element[each] !== undefined)
    if (key === undefined) return differing(element, live[index], [...path, index])
    const match = live.find((each) => isObject(each) && each[key] === element[key])
    return differing(element, match, [...path, { key, value: element[key] }])
  })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `spec.template.spec.containers[web].image`. */
export function textOfPath(path: Path): string {
  const steps = path.map((step) => {
    if (typeof step === 'string') return /^[\w-]+$/.test(step) ? `.${step}` : `[${step}]`
    return typeof step === 'number' ? `[${step}]` : `[${String(step.value)}]`
  })
  return steps.join('').replace(/^\./, '')
}

/**
 * The field manager that last wrote one of the paths in a live object with managedFields.
 * Out: its name; '' when nobody but us is known to have written there (a field that was taken away has no owner).
 */
export function foreignManagerOf(live: KubeObject, paths: readonly Path[]): string {
  const writers = managedFieldsOf(live)
    .filter(({ manager, subresource }) => manager !== fieldManager && subresource !== 'status')
    .filter(({ fieldsV1 = {} }) => paths.some((path) => holds(fieldsV1, path)))
    .toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))
  return writers[0]?.manager ?? ''
}

/** Whether we applied a value at this path that is there still, whatever it is now: nobody else has written there since. */
export function isOurs(live: KubeObject, path: Path): boolean {
  return managedFieldsOf(live).some(({ manager, fieldsV1 = {} }) => manager === fieldManager && holds(fieldsV1, path))
}

/** Whether a fieldsV1 set names the path, or something above it as a whole. */
function holds(fields: Fields, [step, ...rest]: Path): boolean {
  const names = Object.keys(fields).filter((name) => name !== '.')
  if (step === undefined || names.length === 0) return true
  const name = names.find((each) => isStep(each, step))
  return name !== undefined && holds(fields[name] as Fields, rest)
}

function isStep(name: string, step: Step): boolean {
  if (typeof step === 'string') return name === `f:${step}`
  if (typeof step === 'number') return name === `i:${step}`
  return name.startsWith('k:') && (JSON.parse(name.slice(2)) as Record<string, unknown>)[step.key] === step.value
}
