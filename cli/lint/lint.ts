import { kinds } from '../../operator/api/kinds.ts'
import { apiVersion, group } from '../../operator/api/meta.ts'
import { hintOf } from '../../operator/api/similar.ts'
import { membersOf, readDocuments, type Member, type Place, type Source } from './documents.ts'
import type { Path } from './objection.ts'
import { verdictOn } from './verdict.ts'

/** What is wrong, and where. */
export interface Finding extends Place {
  readonly file: string
  /** Such as `AppInstance shop-prod`; '' where it is not even known what it is. */
  readonly object: string
  /** Such as `spec.services[0].ports`; '' for the object as a whole. */
  readonly field: string
  readonly message: string
}

/** What was looked at. */
export interface Linted {
  readonly findings: readonly Finding[]
  /** Objects of our kinds. */
  readonly looked: number
  /** Objects of others, about which nothing is known here. */
  readonly others: number
}

/** Looks at what stands in a file: what the API server would refuse, where it stands and what would be right. Pure. */
export function lintFile(file: string, text: string): Linted {
  const results = readDocuments(text).flatMap((source) => lintSource(file, source))
  return {
    findings: results.flatMap(({ findings }) => findings.toSorted(byPlace)),
    looked: results.filter(({ isOurs }) => isOurs === true).length,
    others: results.filter(({ isOurs }) => isOurs === false).length,
  }
}

/** A finding in one line, its place painted. */
export function sentenceOf(finding: Finding, paint = (place: string): string => place): string {
  const { file, line, column, object, field, message } = finding
  return `${paint(`${file}:${line}:${column}:`)} ${[object, field, message].filter((each) => each !== '').join(': ')}`
}

function byPlace(a: Finding, b: Finding): number {
  return a.line - b.line || a.column - b.column
}

interface Result {
  readonly findings: readonly Finding[]
  /** undefined: it is no object, or an empty document. */
  readonly isOurs?: boolean
}

function lintSource(file: string, source: Source): readonly Result[] {
  const { faults } = source
  if (faults.length > 0) {
    return [{ findings: faults.map((fault) => ({ file, object: '', field: '', ...fault })) }]
  }
  return membersOf(source).map((member) => lintMember(file, source, member))
}

function lintMember(file: string, source: Source, { value, path: at }: Member): Result {
  const note = (path: Path, message: string, { object = nameOf(value), isUnknown = false } = {}): Finding => ({
    file,
    ...source.placeOf([...at, ...path], isUnknown ? 'key' : 'value'),
    object,
    field: textOf(path),
    message,
  })
  if (!isFields(value)) return { findings: [note([], 'is no object of Kubernetes: it has no fields', { object: '' })] }
  const { apiVersion: given, kind: named } = value
  if (typeof given !== 'string') return { findings: [note(['apiVersion'], 'is missing, or no text')] }
  if (given !== group && !given.startsWith(`${group}/`)) return { findings: [], isOurs: false }
  if (given !== apiVersion) {
    return { findings: [note(['apiVersion'], `'${given}' is not known: it must be '${apiVersion}'`)], isOurs: true }
  }
  const kind = kinds.find((each) => each.kind === named)
  if (!kind) {
    const names = kinds.map((each) => each.kind)
    return { findings: [note(['kind'], `'${String(named)}' is no kind of ${group}: ${hintOf(String(named), names)}`)] }
  }
  const findings = verdictOn(kind, value).map(({ path, message, isUnknown }) =>
    note(path, message, isUnknown ? { isUnknown } : {}),
  )
  return { findings, isOurs: true }
}

function nameOf(value: unknown): string {
  const { kind, metadata } = value as { kind?: unknown; metadata?: { name?: unknown; generateName?: unknown } | null }
  const name = metadata?.name ?? metadata?.generateName
  return [kind, name].filter((each) => typeof each === 'string').join(' ')
}

/** A path as the API server writes it, such as `spec.services[0].ports`. */
function textOf(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('')
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
