import { isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Tags } from 'yaml'
import type { Path } from './objection.ts'

/** Files of YAML, with the places where things stand in them. */

/** From 1, as editors count. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** One document of a file. */
export interface Source {
  /** What it holds, as kubectl would read it; undefined when it cannot be read, or is empty. */
  readonly value: unknown
  /** Why it cannot be read. */
  readonly faults: readonly (Place & { readonly message: string })[]
  /** Where the value at a path stands, or the key of it; of what is missing, the nearest that is there. */
  placeOf(path: Path, what: 'key' | 'value'): Place
}

/**
 * What kubectl reads into: YAML 1.1 (yes and on are true, merge keys), but no sexagesimal numbers, times or sets.
 */
const asKubectl = (tags: Tags): Tags =>
  tags.filter((tag) => typeof tag === 'string' || !('format' in tag && tag.format === 'TIME')).filter(isPlain)

function isPlain(tag: Tags[number]): boolean {
  return typeof tag === 'string' || !/:(timestamp|omap|pairs|set|binary)$/.test(tag.tag)
}

/** The documents of a file. In: its text. Never throws: what is no YAML is a fault of the document. */
export function readDocuments(text: string): readonly Source[] {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter, version: '1.1', customTags: asKubectl })
  if (!Array.isArray(documents)) return []
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    return { line, column: col }
  }
  return documents.map((document) => sourceOf(document as Document, placeAt))
}

/** A value in a document, and where. */
export interface Member {
  readonly value: unknown
  readonly path: Path
}

/** The objects of a document: itself, or what a `v1 List` holds, such as kubectl writes; none of an empty one. */
export function membersOf({ value }: Pick<Source, 'value'>): readonly Member[] {
  if (value === undefined || value === null) return []
  const { apiVersion, kind, items } = value as { apiVersion?: unknown; kind?: unknown; items?: unknown }
  if (apiVersion !== 'v1' || kind !== 'List' || !Array.isArray(items)) return [{ value, path: [] }]
  return items.flatMap((item: unknown, index) =>
    membersOf({ value: item }).map((member) => ({ ...member, path: ['items', index, ...member.path] })),
  )
}

function sourceOf(document: Document, placeAt: (offset: number) => Place): Source {
  const broken = document.errors.map(({ message, pos: [offset] }) => ({
    ...placeAt(offset),
    message: message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '',
  }))
  const { value, fault } = valueOf(document, broken.length > 0)
  const faults = fault === undefined ? broken : [...broken, { ...placeAt(document.range?.[0] ?? 0), message: fault }]
  return { value, faults, placeOf: (path, what) => placeAt(offsetOf(document, path, what)) }
}

/** An alias to nothing, or too many of them, is only found out when the value is made. */
function valueOf(document: Document, isBroken: boolean): { value: unknown; fault?: string } {
  if (isBroken) return { value: undefined }
  try {
    return { value: document.toJS({ mapAsMap: false }) as unknown }
  } catch (error) {
    return { value: undefined, fault: (error as Error).message }
  }
}

function offsetOf(document: Document, path: Path, what: 'key' | 'value'): number {
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const [index, step] of path.entries()) {
    const isLast = index === path.length - 1
    const next: { key?: unknown; value: unknown } | undefined = childOf(node, step)
    if (next === undefined) return offset
    const from = isLast && what === 'key' ? (next.key ?? next.value) : next.value
    const place = isNode(from) && from.range ? from : next.key
    if (isNode(place) && place.range) offset = place.range[0]
    node = next.value
  }
  return offset
}

function childOf(node: unknown, step: string | number): { key?: unknown; value: unknown } | undefined {
  if (isSeq(node)) {
    const value: unknown = node.items[Number(step)]
    return value === undefined ? undefined : { value }
  }
  if (!isMap(node)) return undefined
  return node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step))
}
