import { RE2JS } from 're2js'
import { z } from 'zod'
import type { Rule } from '../operator/api/kind.ts'

/** From a zod schema to the structural schema of a CRD; what such a schema cannot hold is refused, not dropped. */

export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

/** What a structural schema cannot hold, or what ours must not. */
const refusedKeywords: Readonly<Record<string, string>> = {
  $ref: 'is a reference: drop the id',
  $defs: 'are references: drop the id',
  anyOf: 'is a union: write optional fields and a rule',
  oneOf: 'is a union: write optional fields and a rule',
  allOf: 'is an intersection, or two patterns: write one',
  not: 'cannot be held: write a rule',
  nullable: 'makes the type unknown to clients: write optional()',
  examples: 'cannot be held: write them into the description',
  deprecated: 'cannot be held',
  readOnly: 'cannot be held',
  propertyNames: 'cannot be held',
  patternProperties: 'cannot be held',
  id: 'cannot be held',
}

/** Types of zod schemas that have none below. */
const leaves = new Set(['string', 'number', 'boolean', 'enum'])

const safeInteger = Number.MAX_SAFE_INTEGER
/** The format whose length the API server knows; others mean something else to it than to zod, or nothing. */
const boundedFormat = 'date-time'

/** Thrown by the generator: kind and path of what cannot become a CRD, and why. */
export class SchemaError extends Error {
  override name = 'SchemaError'
}

/**
 * The structural schema of a zod schema.
 * @param where the kind and path it stands at, such as `AppInstance.spec`; named in errors
 * @throws SchemaError when a structural schema cannot hold it, or a bound, a description or a list type is missing
 */
export function toStructural(schema: z.ZodType, where: string): JsonObject {
  requireTwins(schema, where)
  return cleaned(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as JsonObject, where)
}

/** Every refinement must be said by a keyword or a rule of the CRD, and every rule by a refinement. */
function requireTwins(schema: z.ZodType, where: string): void {
  const meta = schema.meta() ?? {}
  const rules = (meta['rules'] ?? []) as readonly Rule[]
  const checked = new Set<string>()
  for (const { twin, rule } of refinementsOf(schema)) {
    const said = (twin !== undefined && twin in meta) || rules.some(({ id }) => id === rule)
    if (!said) throw new SchemaError(`${where}: a refinement that neither a keyword nor a CEL rule of the CRD says`)
    if (rule !== undefined) checked.add(rule)
  }
  for (const { id, rule } of rules) {
    if (!checked.has(id) && !isTransition(rule)) throw new SchemaError(`${where}: rule ${id} has no TypeScript twin`)
  }
  for (const [step, child] of childrenOf(schema, where)) requireTwins(child, `${where}${step}`)
}

/** What the refinements of a schema say about themselves. */
function refinementsOf(schema: z.ZodType): readonly { twin?: string; rule?: string }[] {
  const checks = (schema.def as { checks?: readonly z.core.$ZodCheck[] }).checks ?? []
  return checks
    .map((check) => check._zod.def as { check: string; params?: { twin?: string; rule?: string } })
    .filter((def) => def.check === 'custom')
    .map((def) => def.params ?? {})
}

/** Whether a rule is about changes, and so always holds on creation. */
export function isTransition(rule: string): boolean {
  return /\boldSelf\b/.test(rule)
}

/**
 * The schemas directly below one, with the step that leads there: `.name`, `[]`, `{}`, or nothing for a wrapper.
 * @throws SchemaError at a schema that no structural schema can hold
 */
export function childrenOf(schema: z.ZodType, where: string): readonly (readonly [string, z.ZodType])[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, child]) => [`.${name}`, child])
  }
  if (schema instanceof z.ZodArray) return [['[]', schema.element as z.ZodType]]
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return [['', schema.unwrap() as z.ZodType]]
  if (schema instanceof z.ZodRecord) return [['{}', schema.valueType as z.ZodType]]
  if (leaves.has(schema.def.type)) return []
  throw new SchemaError(`${where}: a structural schema cannot hold ${schema.def.type}; write optional fields and rules`)
}

function cleaned(json: JsonObject, where: string): JsonObject {
  const { rules, additionalProperties, ...rest } = json
  for (const [keyword, why] of Object.entries(refusedKeywords)) {
    if (keyword in rest) throw new SchemaError(`${where}: ${keyword} ${why}`)
  }
  const node: JsonObject = { ...rest, ...celRules(rules) }
  const clean = cleaners[node['type'] as string]
  if (clean === undefined) throw new SchemaError(`${where}: type ${JSON.stringify(node['type'])} cannot be held`)
  return clean(node, where, additionalProperties)
}

const cleaners: Readonly<Record<string, (node: JsonObject, where: string, values: Json | undefined) => JsonObject>> = {
  object: cleanedObject,
  array: cleanedArray,
  string: cleanedString,
  integer: cleanedInteger,
  boolean: (node) => node,
}

function celRules(rules: Json | undefined): JsonObject {
  if (rules === undefined) return {}
  return { 'x-kubernetes-validations': (rules as unknown as readonly Rule[]).map(celRule) }
}

/** A rule as x-kubernetes-validations has it. */
export function celRule({ rule, message, messageExpression, fieldPath, reason, optionalOldSelf }: Rule): JsonObject {
  return {
    rule,
    message,
    ...(messageExpression === undefined ? {} : { messageExpression }),
    ...(fieldPath === undefined ? {} : { fieldPath }),
    ...(reason === undefined ? {} : { reason }),
    ...(optionalOldSelf === undefined ? {} : { optionalOldSelf }),
  }
}

function cleanedObject(node: JsonObject, where: string, additionalProperties: Json | undefined): JsonObject {
  const properties = node['properties'] as Record<string, JsonObject> | undefined
  if (properties === undefined) {
    if (typeof additionalProperties !== 'object') throw new SchemaError(`${where}: an object without properties`)
    if (node['maxProperties'] === undefined) throw new SchemaError(`${where}: maxProperties is missing`)
    return { ...node, additionalProperties: cleaned(additionalProperties as JsonObject, `${where}{}`) }
  }
  const entries = Object.entries(properties).map(([name, property]) => {
    const clean = cleaned(property, `${where}.${name}`)
    if (!property['description']) throw new SchemaError(`${where}.${name}: the description is missing`)
    return [name, clean] as const
  })
  return { ...node, properties: Object.fromEntries(entries) }
}

function cleanedArray(node: JsonObject, where: string): JsonObject {
  if (node['maxItems'] === undefined) throw new SchemaError(`${where}: maxItems is missing`)
  if (node['x-kubernetes-list-type'] === undefined) throw new SchemaError(`${where}: the list type is missing`)
  return { ...node, items: cleaned(node['items'] as JsonObject, `${where}[]`) }
}

function cleanedString(node: JsonObject, where: string): JsonObject {
  const { maxLength, pattern, format } = node
  if (format !== undefined && format !== boundedFormat) {
    throw new SchemaError(
      `${where}: format ${JSON.stringify(format)} is not the same to the API server: write a pattern`,
    )
  }
  const bounded = maxLength !== undefined || node['enum'] !== undefined || format !== undefined
  if (!bounded) throw new SchemaError(`${where}: maxLength is missing`)
  if (typeof pattern === 'string') requireRe2(pattern, where)
  return node
}

function requireRe2(pattern: string, where: string): void {
  try {
    RE2JS.compile(pattern)
  } catch (error) {
    throw new SchemaError(`${where}: pattern ${pattern} is not RE2: ${String(error)}`, { cause: error })
  }
}

/** The bounds of a safe integer, which zod adds by itself, say nothing; a real one must be there, or `format: int64`. */
function cleanedInteger({ minimum, maximum, ...node }: JsonObject, where: string): JsonObject {
  const low = minimum !== undefined && Number(minimum) > -safeInteger
  const high = maximum !== undefined && Number(maximum) < safeInteger
  if (!low) throw new SchemaError(`${where}: minimum is missing`)
  if (!high && node['format'] !== 'int64') throw new SchemaError(`${where}: maximum is missing`)
  return { ...node, minimum, ...(high ? { maximum } : {}) }
}
