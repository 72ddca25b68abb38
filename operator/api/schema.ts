import { z } from 'zod'
import { conditionSchema } from './conditions.ts'
import { says, type Rule } from './kind.ts'

/**
 * The pieces that our kinds are made of. Each check here has a counterpart in the CRD: a keyword that zod emits, or a
 * refinement whose `params` name the keyword (`twin`) or the CEL rule (`rule`) that says the same; the generator refuses others.
 */

/** T as it is read: nobody may change what came from the cache. */
export type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T

/** Ends the description of what only a deployment brings to the replicas. */
export const next = 'Takes effect with the next deployment.'

/** A DNS label (RFC 1123) as namespaces and label values allow it. */
export const dnsLabel = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/
/** A DNS label that begins with a letter, as names of Services must. */
export const dnsLabelFromLetter = /^[a-z]([a-z0-9-]*[a-z0-9])?$/
/** A name of an object: DNS labels joined by dots. */
export const dnsSubdomain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
/** A container image reference, without spaces and other characters no registry knows. */
export const imageReference = /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/
/** Text that a process can be given: anything but NUL. */
export const withoutNul = /^[^\x00]*$/

interface TextOptions {
  readonly max: number
  readonly min?: number
  readonly pattern?: RegExp
}

/** A string of min to max characters; counted as the API server does, in code points. */
export function text(description: string, { max, min = 0, pattern }: TextOptions) {
  const plain = pattern === undefined ? z.string() : z.string().regex(pattern)
  const bounded = plain.refine((value) => [...value].length <= max, {
    params: { twin: 'maxLength' },
    error: `must have at most ${max} characters`,
  })
  if (min === 0) return bounded.meta({ description, maxLength: max })
  return bounded
    .refine((value) => [...value].length >= min, {
      params: { twin: 'minLength' },
      error: `must have at least ${min} characters`,
    })
    .meta({ description, maxLength: max, minLength: min })
}

/** metadata.uid of an object, as the API server makes them. */
export function objectUid(description: string) {
  return text(description, { max: 36, min: 36, pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ })
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/

/** A time as the API server writes and reads them, such as 2026-11-21T09:30:00Z. */
export function time(description: string) {
  return z
    .string()
    .refine((value) => rfc3339.test(value) && !Number.isNaN(Date.parse(value)), {
      error: 'no time such as 2026-11-21T09:30:00Z',
      params: { twin: 'format' },
    })
    .meta({ format: 'date-time', description })
}

/** A whole number from min to max. */
export function integer(description: string, min: number, max: number) {
  return z.int().min(min).max(max).meta({ description })
}

/** A metadata.generation: no upper bound but its 64 bits. */
export function generation(description: string) {
  return z.int().min(-1).meta({ description, format: 'int64' })
}

/** A list of named items: apply merges it item by item, and no two may have the same key. */
export function listMap<Item extends z.ZodObject>(
  description: string,
  item: Item,
  { key, max, min = 0 }: { key: string; max: number; min?: number },
) {
  const list = min === 0 ? z.array(item).max(max) : z.array(item).min(min).max(max)
  return list
    .refine((items) => new Set(items.map((each) => (each as Record<string, unknown>)[key])).size === items.length, {
      params: { twin: 'x-kubernetes-list-type' },
      error: `two items have the same ${key}`,
    })
    .meta({ description, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] })
}

/** A list of min to max items that is replaced as a whole. */
export function listAtomic<Item extends z.ZodType>(description: string, item: Item, max: number, min = 0) {
  const list = min === 0 ? z.array(item).max(max) : z.array(item).min(min).max(max)
  return list.meta({ description, 'x-kubernetes-list-type': 'atomic' })
}

/** The schema with CEL rules at its place; the rules' TypeScript twins are checked when zod parses. */
export function withRules<Schema extends z.ZodType>(schema: Schema, rules: readonly Rule<z.output<Schema>>[]): Schema {
  let checked: z.ZodType = schema
  for (const rule of rules) {
    if (rule.holds === undefined) continue
    checked = checked.refine((value) => rule.holds?.(value as z.output<Schema>) !== false, {
      params: { rule: rule.id },
      error: rule.message,
    })
  }
  return checked.meta({ ...schema.meta(), rules }) as Schema
}

/** A rule that keeps a field as it was when the object was created. */
export function immutable(id: string, field: string): Rule<never> {
  return {
    id,
    rule: 'self == oldSelf',
    message: `${field} may not be changed; make a new object with another one`,
    messageExpression: says(`${field} '%s' may not be changed to '%s'; make a new object for that`, 'oldSelf', 'self'),
    reason: 'FieldValueForbidden',
  }
}

/** status.observedGeneration, of every kind with a status. */
export const observedGeneration = generation(
  'metadata.generation this status describes. -1: the operator has not seen the object yet.',
)

/** status.conditions, of every kind with a status. */
export const conditionList = listMap(
  'How it stands, one condition per question. Programs read these; REFERENCE.md lists the types and reasons.',
  conditionSchema,
  { key: 'type', max: 32 },
).optional()
