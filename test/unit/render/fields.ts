import { z } from 'zod'
import type { Kind } from '../../../operator/api/kind.ts'

/** Walks a kind's spec, so that a new field is met by itself. */

function unwrapped(schema: z.ZodType): z.ZodType {
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
  return isWrapped ? unwrapped(schema.unwrap() as z.ZodType) : schema
}

/** A place in a spec: keys of objects, and 0 for the first item of a list. */
export type Path = readonly (string | 0)[]

/** Every field that holds a plain value, or a list of plain values. */
export function leavesOf(kind: Kind): readonly Path[] {
  return leavesBelow(kind.spec, [])
}

function leavesBelow(schema: z.ZodType, path: Path): readonly Path[] {
  const inner = unwrapped(schema)
  if (inner instanceof z.ZodArray) return leavesBelow(inner.element as z.ZodType, [...path, 0])
  if (!(inner instanceof z.ZodObject)) return [path]
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, field]) =>
    leavesBelow(field, [...path, key]),
  )
}

/** `services[].ports[].port`. */
export function textOf(path: Path): string {
  return path
    .map((step) => (step === 0 ? '[]' : `.${step}`))
    .join('')
    .slice(1)
}

type Json = Record<string | number, unknown>

/**
 * Every spec that differs from `spec` in that one field and is valid, as it is asked for; none when the field is not set.
 * `words` are tried too, where a text must be one that something else has.
 */
export function* changedAt(kind: Kind, spec: unknown, path: Path, words: readonly string[]): Iterable<unknown> {
  for (const steps of holdersOf(spec, path)) {
    const value = steps.reduce<unknown>((at, step) => (at as Json)[step], spec)
    for (const other of othersThan(kind, path, value, words)) {
      const copy = structuredClone(spec) as Json
      const holder = steps.slice(0, -1).reduce<Json>((at, step) => at[step] as Json, copy)
      holder[steps.at(-1)!] = other
      if (textOf(path).endsWith('services[].type')) retype(holder, other === 'Web')
      if (textOf(path).endsWith('healthCheck.tcp')) Object.assign(holder, { path: '/', tcp: undefined })
      if (kind.spec.safeParse(copy).success) yield copy
    }
  }
}

/** The places in the value that the path means: it may be set in any item of a list. */
function holdersOf(value: unknown, path: Path): (string | number)[][] {
  const [step, ...rest] = path
  if (step === undefined) return value === undefined ? [] : [[]]
  if (typeof value !== 'object' || value === null) return []
  const keys = step === 0 ? Object.keys(value).map(Number) : [step]
  return keys.flatMap((key) => holdersOf((value as Json)[key], rest).map((below) => [key, ...below]))
}

/** A Web service has ports and a Worker has none, so the type never changes alone. */
function retype(service: Json, isWeb: boolean): void {
  service['ports'] = isWeb ? [{ name: 'http', port: 8080, protocol: 'HTTP' }] : []
  delete service['healthCheck']
  delete service['from']
}

function othersThan(kind: Kind, path: Path, value: unknown, words: readonly string[]): readonly unknown[] {
  if (typeof value === 'boolean') return [!value]
  if (typeof value === 'number') return [value + 1, value - 1]
  const text = String(value)
  const field = path.reduce<z.ZodType>((schema, step) => {
    const inner = unwrapped(schema)
    return inner instanceof z.ZodArray ? (inner.element as z.ZodType) : (inner as z.ZodObject).shape[step]!
  }, kind.spec)
  const inner = unwrapped(field)
  if (inner instanceof z.ZodEnum) return inner.options.filter((option) => option !== value)
  const digit = text.replace(/[0-9]/, (each) => String((Number(each) + 1) % 10))
  return [`${text}x`, digit, text.replace(/.$/, 'a'), ...words].filter((other) => other !== text)
}
