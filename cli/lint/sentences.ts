import { z } from 'zod'
import * as patterns from '../../operator/api/schema.ts'
import { hintOf } from '../../operator/api/similar.ts'
import { variableName } from '../../operator/api/service/variables.ts'
import { unwrapped, type Objection, type Path } from './objection.ts'

/** What zod found, in words for whoever wrote the file: the value, and what would be right. */

/** One or more objections of an issue. In: the object it was found in, and the schema of that. */
export function sentencesOf(issue: z.core.$ZodIssue, object: unknown, schema: z.ZodType): readonly Objection[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      isUnknown: true,
      message: `is no field here: ${unknownField(key, fieldsOf(schema, path))}`,
    }))
  }
  if (issue.code === 'custom') return [{ path, message: refused(object, path, issue.message) }]
  const value = valueAt(object, path)
  if (value === undefined) return [{ path, message: `is missing: ${wanted(issue, schema, path)}` }]
  return [{ path, message: `${shown(value)} ${complaint(issue, schema, path)}` }]
}

/** What a rule says of the value at a path. */
export function refused(object: unknown, path: Path, message: string): string {
  const value = valueAt(object, path)
  return value === undefined || typeof value === 'object' ? message : `${shown(value)} is refused: ${message}`
}

/** Fields of other APIs that people write here by habit. */
const habits: Readonly<Record<string, string>> = { env: 'variables', envFrom: 'variablesFrom', scale: 'replicas' }

function unknownField(name: string, fields: readonly string[]): string {
  const meant = Object.hasOwn(habits, name) ? habits[name] : undefined
  if (meant !== undefined && fields.includes(meant)) return `did you mean '${meant}'?`
  return fields.length === 0 ? 'remove it' : hintOf(name, fields)
}

function complaint(issue: z.core.$ZodIssue, schema: z.ZodType, path: Path): string {
  if (issue.code === 'too_big') return `is too much: at most ${amount(issue.maximum, issue.origin)}`
  if (issue.code === 'too_small') return `is too little: at least ${amount(issue.minimum, issue.origin)}`
  const complained = issue.code === 'invalid_type' ? 'is of another type' : 'is refused'
  return `${complained}: ${wanted(issue, schema, path)}`
}

function amount(limit: number | bigint, origin: string): string {
  if (origin === 'array') return `${limit} items`
  return origin === 'string' ? `${limit} characters` : `${limit}`
}

/** What would be right, and what the field is for. */
function wanted(issue: z.core.$ZodIssue, schema: z.ZodType, path: Path): string {
  const about = descriptionOf(schema, path)
  return [expected(issue), ...(about === '' ? [] : [about])].join('. ')
}

function expected(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `it must be ${typeNames[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') return `it must be ${issue.values.map((each) => shown(each)).join(' or ')}`
  if (issue.code !== 'invalid_format') return issue.message
  const pattern = issue['pattern'] ?? issue.format
  return `it must be ${formats.get(pattern) ?? `as ${pattern} says`}`
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text (quote what YAML takes for something else)',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a set of fields',
  record: 'a set of fields',
  array: 'a list',
}

const formats: ReadonlyMap<string, string> = new Map(
  (
    [
      [patterns.dnsLabel, 'lower-case letters, digits and -, without - at either end'],
      [patterns.dnsLabelFromLetter, 'lower-case letters, digits and -, from a letter to a letter or digit'],
      [patterns.dnsSubdomain, 'lower-case letters, digits, - and ., from a letter or digit to a letter or digit'],
      [patterns.imageReference, 'the reference of an image, such as ghcr.io/acme/shop:1.4'],
      [patterns.withoutNul, 'text without NUL'],
      [variableName, 'letters, digits and _, not from a digit'],
    ] as const
  ).map(([pattern, words]) => [String(pattern), words]),
)

/** Of a long value only its beginning. */
const shownCharacters = 60

function shown(value: unknown): string {
  if (typeof value === 'string') {
    const characters = [...value]
    const text = characters.slice(0, shownCharacters).join('')
    return `'${text.replaceAll(/[\x00-\x1f\x7f]/g, '�')}${characters.length > shownCharacters ? '…' : ''}'`
  }
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'object' && value !== null ? 'a set of fields' : String(value)
}

function valueAt(object: unknown, path: Path): unknown {
  let value = object
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let found: z.ZodType | undefined = schema
  for (const step of path) {
    const inner: z.ZodType | undefined = found && unwrapped(found)
    if (inner instanceof z.ZodObject) found = (inner.shape as Record<string, z.ZodType>)[step]
    else if (inner instanceof z.ZodArray) found = inner.element as z.ZodType
    else return undefined
  }
  return found
}

function fieldsOf(schema: z.ZodType, path: Path): readonly string[] {
  const found = schemaAt(schema, path)
  const inner = found && unwrapped(found)
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : []
}

/** The first sentence of what the field is for; '' where nobody says. */
function descriptionOf(schema: z.ZodType, path: Path): string {
  const found = schemaAt(schema, path)
  const description = found?.meta()?.description ?? (found && unwrapped(found).meta()?.description) ?? ''
  return /^[^.]*(?:\.\S[^.]*)*/.exec(description)?.[0] ?? ''
}
