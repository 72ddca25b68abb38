import * as fc from 'fast-check'
import { toStructural, type JsonObject } from '../../crds/structural.ts'
import { locksName } from '../../operator/api/appLock.ts'
import type { Kind } from '../../operator/api/kind.ts'
import { withoutNul } from '../../operator/api/schema.ts'
import { tidied } from './tidied.ts'

/** Objects of our kinds for fast-check, made from the zod schemas: such as people write, and such as nobody ought to. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** An object as it is sent. */
export interface SentObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: Json
}

/** Objects whose fields are each as their schema wants them; most of them break no rule either. */
export function goodObjects(kind: Kind): fc.Arbitrary<SentObject> {
  return fc
    .tuple(nameFor(kind), valueOf(toStructural(kind.spec, kind.kind)))
    .map(([name, spec]) =>
      objectOf(kind, named(kind, name, spec), kind.kind === 'AppRelease' ? spec : tidied(kind, spec)),
    )
}

/** Good objects with one fault: a wrong type, a bound crossed, an unknown field, a hostile string, an item twice, … */
export function spoiltObjects(kind: Kind): fc.Arbitrary<SentObject> {
  return fc
    .tuple(goodObjects(kind), fc.nat(), fc.constantFrom(...faults), fc.nat())
    .map(([object, where, fault, choice]) => {
      const copy = structuredClone(object) as unknown as { metadata: { name: Json }; spec: Json }
      const places = [...placesIn(copy, 'spec'), ...placesIn(copy.metadata, 'name')]
      const { parent, key } = places[where % places.length]!
      const slot = parent as Record<string | number, Json>
      fault(slot, key, choice)
      return copy as unknown as SentObject
    })
}

function objectOf(kind: Kind, name: string, spec: Json): SentObject {
  return { apiVersion: `${kind.group}/${kind.version}`, kind: kind.kind, metadata: { name }, spec }
}

function nameFor(kind: Kind): fc.Arbitrary<string> {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,12}(-[a-z0-9]{1,8}){0,2}$/)
  if (kind.kind === 'AppLock') return mostly(fc.constant(locksName), label)
  return kind.kind === 'AppInstance' ? mostly(label, fc.constant('x'.repeat(60))) : label
}

function mostly(usual: fc.Arbitrary<string>, seldom: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof({ weight: 6, arbitrary: usual }, { weight: 1, arbitrary: seldom })
}

/** An AppInstance's name begins with its app's. */
function named(kind: Kind, name: string, spec: Json): string {
  const app = (spec as { app?: Json }).app
  return kind.kind === 'AppInstance' && typeof app === 'string' ? `${app}-${name}` : name
}

function valueOf(schema: JsonObject): fc.Arbitrary<Json> {
  const { type, minimum, maximum } = schema
  if (schema['enum'] !== undefined) return fc.constantFrom(...(schema['enum'] as string[]))
  if (type === 'object') return objectValue(schema)
  if (type === 'array') return arrayValue(schema)
  if (type === 'boolean') return fc.boolean()
  if (type === 'integer') return fc.integer({ min: Number(minimum), max: Math.min(Number(maximum), 2 ** 31 - 1) })
  return stringValue(schema)
}

function objectValue(schema: JsonObject): fc.Arbitrary<Json> {
  const fields = Object.entries(schema['properties'] as Record<string, JsonObject>)
  const model = Object.fromEntries(fields.map(([name, field]) => [name, valueOf(field)]))
  const requiredKeys = (schema['required'] ?? []) as string[]
  return fc.record(model, { requiredKeys }) as fc.Arbitrary<Json>
}

function arrayValue(schema: JsonObject): fc.Arbitrary<Json> {
  const [key] = (schema['x-kubernetes-list-map-keys'] ?? []) as string[]
  const item = valueOf(schema['items'] as JsonObject)
  const minLength = Number(schema['minItems'] ?? 0)
  if (key === undefined) return fc.array(item, { minLength, maxLength: 3 })
  const selector = (each: Json) => (each as Record<string, Json>)[key] ?? 'http'
  return fc.uniqueArray(item, { minLength, maxLength: 3, selector })
}

function stringValue(schema: JsonObject): fc.Arbitrary<string> {
  if (schema['format'] === 'date-time') return timeValue
  const { maxLength, minLength = 0, pattern: source } = schema
  const pattern = typeof source === 'string' ? new RegExp(source) : undefined
  const free = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.constantFrom(...hostile),
  )
  const onlyNulRefused = pattern?.source === withoutNul.source
  const base = pattern === undefined || onlyNulRefused ? free : fc.stringMatching(pattern)
  const fits = (text: string) => [...text].length <= Number(maxLength) && [...text].length >= Number(minLength)
  return base.filter((text) => fits(text) && (pattern?.test(text) ?? true))
}

const timeValue: fc.Arbitrary<string> = fc
  .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString())

interface Place {
  readonly parent: unknown
  readonly key: string | number
}

/** Every place in the value, from the root down. */
function placesIn(parent: object, key: string | number): readonly Place[] {
  const value = (parent as Record<string | number, unknown>)[key]
  const below =
    typeof value === 'object' && value !== null ? Object.keys(value).flatMap((step) => placesIn(value, step)) : []
  return [{ parent, key }, ...below]
}

/** Strings that have broken something somewhere: shells, paths, prototypes, unicode, templates. */
const hostile: readonly string[] = [
  '',
  ' ',
  '$(touch /tmp/x)',
  '`id`',
  '; rm -rf /',
  '../../etc/passwd',
  '/etc/../x',
  '/a//b',
  '__proto__',
  'constructor',
  'a\u0000b',
  'a\nb',
  'Ünïcode',
  'данные',
  '🦄🦄',
  '\u202Eabc',
  'a\u0301',
  '%s%n',
  '{{ .Values }}',
  "' OR 1=1",
  '-x',
  'x-',
  'A',
  'a..b',
  'true',
  '0x10',
  '1e3',
  'a'.repeat(64),
  'a'.repeat(300),
  'a'.repeat(9000),
  '🦄'.repeat(100),
]

const wrongTypes: readonly Json[] = [null, true, 'text', 1, 1.5, {}, [], { a: 1 }, ['a'], [null], [{}]]
const numbers: readonly number[] = [
  -1, 0, 1, 5, 6, 10, 11, 15, 16, 128, 129, 3600, 3601, 65535, 65536, 1.5, -2147483649, 1e21,
]

type Fault = (parent: Record<string | number, Json>, key: string | number, choice: number) => void

const pick = <T>(from: readonly T[], choice: number): T => from[choice % from.length]!

const faults: readonly Fault[] = [
  (parent, key, choice) => {
    parent[key] = structuredClone(pick(wrongTypes, choice))
  },
  (parent, key, choice) => {
    parent[key] = pick(hostile, choice)
  },
  (parent, key, choice) => {
    parent[key] = pick(numbers, choice)
  },
  (parent, key) => {
    if (Array.isArray(parent)) parent.splice(Number(key), 1)
    else delete parent[key]
  },
  (parent, key, choice) => {
    const value = parent[key]
    const name = pick(['unknown', 'env', '__proto__', 'constructor', 'Name', ''], choice)
    const target = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : parent
    if (!Array.isArray(target))
      Object.defineProperty(target, name, { value: 'x', enumerable: true, configurable: true, writable: true })
  },
  (parent, key, choice) => {
    const value = parent[key]
    if (Array.isArray(value) && value.length > 0) value.push(structuredClone(pick(value, choice)))
    else if (Array.isArray(parent)) parent.push(structuredClone(value!))
  },
  (parent, key, choice) => {
    const value = parent[key]
    if (typeof value === 'string') parent[key] = value.repeat(2 + (choice % 400)).slice(0, 70_000)
    else if (Array.isArray(value) && value.length > 0)
      parent[key] = Array.from({ length: 1 + (choice % 110) }, () => structuredClone(value[0]!))
  },
  (parent, key, choice) => {
    if (typeof parent[key] === 'string') parent[key] += pick(hostile, choice)
  },
]
