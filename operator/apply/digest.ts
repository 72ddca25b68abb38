import { createHash } from 'node:crypto'
import { canonical } from '../api/canonical.ts'
import { fieldManager } from '../api/meta.ts'
import type { KubeObject } from '../api/meta.ts'
import { sharedText } from '../runtime/sharedText.ts'

/**
 * Is an object on the server what we rendered? Compared are only the values at the paths our field manager owns, so
 * that what the server defaults and others add never counts, and a hand edit (which takes a path from us) always does.
 * The digest of the live object is taken as it arrives, before managedFields are dropped.
 */

type Json = unknown
/** A fieldsV1 set. */
export type Fields = Readonly<Record<string, Json>>

interface ManagedFields {
  readonly manager?: string
  readonly operation?: string
  readonly subresource?: string
  readonly time?: string
  readonly fieldsV1?: Fields
}

/** Who wrote what in a live object; empty for one from the cache. */
export function managedFieldsOf(object: KubeObject): readonly ManagedFields[] {
  return (object.metadata as { managedFields?: readonly ManagedFields[] }).managedFields ?? []
}

/** Digests of what was rendered, by what tells the objects of one source apart. */
type Digests = Map<string, string>

/** Of a source (or of an object that has none) for as long as it is there. */
const known = new WeakMap<object, Digests>()
/** What a rendered object was rendered from: each is asked for its digest several times in a reconcile. */
const origins = new WeakMap<KubeObject, { readonly source: object; readonly id: string }>()

/** Digest of what we render: everything but what names the object. */
export function desiredDigest(object: KubeObject): string {
  const { source, id } = origins.get(object) ?? { source: object, id: '' }
  const digests = known.get(source) ?? new Map<string, string>()
  const digest = digests.get(id) ?? sharedText(digestOf(object))
  known.set(source, digests.set(id, digest))
  return digest
}

/**
 * Lets objects that are rendered again and again from one and the same source be hashed once: hashing is what a reconcile
 * that changes nothing mostly does. Only digests are kept, and as long as the source is. The source must be all that the
 * object depends on, and must never change; `id` tells the objects of a source apart.
 */
export function hashedOnce(source: object, id: string, object: KubeObject): void {
  origins.set(object, { source, id: sharedText(id) })
}

function digestOf(object: KubeObject): string {
  const { name: _name, namespace: _namespace, ...metadata } = object.metadata
  const { apiVersion: _apiVersion, kind: _kind, ...rest } = object
  return hash({ ...rest, metadata })
}

/**
 * Digest of the values our field manager owns in a live object with managedFields; '' when it owns none.
 * What was applied counts; what was created by POST only until the first apply, which takes over what is still rendered.
 */
export function ownedDigest(object: KubeObject): string {
  const values = ownedValues(object)
  return values === undefined ? '' : hash(values)
}

/** Those values themselves, as an object that names nothing; undefined when there are none. */
export function ownedValues(object: KubeObject): Fields | undefined {
  const ours = managedFieldsOf(object).filter(({ manager, subresource }) => manager === fieldManager && !subresource)
  const fields = (ours.find(({ operation }) => operation === 'Apply') ?? ours[0])?.fieldsV1
  return fields && (extract(object, fields) as Fields)
}

function hash(value: Json): string {
  return createHash('sha1').update(canonical(value)).digest('base64url')
}

/** The part of a live value that a fieldsV1 set names: `f:` members, `k:` list elements by key, `v:` set elements. */
function extract(value: Json, fields: Fields): Json {
  const keys = Object.keys(fields).filter((key) => key !== '.')
  if (keys.length === 0 || value === null || typeof value !== 'object') return value
  return Array.isArray(value) ? extractElements(value, fields, keys) : extractMembers(value as Fields, fields, keys)
}

function extractMembers(value: Fields, fields: Fields, keys: readonly string[]): Json {
  const members = keys
    .filter((key) => key.startsWith('f:') && key.slice(2) in value)
    .map((key) => [key.slice(2), extract(value[key.slice(2)], fields[key] as Fields)])
  return Object.fromEntries(members)
}

/** In the order of the live list, which is the order we applied. */
function extractElements(list: readonly Json[], fields: Fields, keys: readonly string[]): Json {
  const byKey = keys
    .filter((key) => key.startsWith('k:'))
    .map((key) => ({ match: JSON.parse(key.slice(2)) as Fields, fields: fields[key] as Fields }))
  const values = new Set(keys.filter((key) => key.startsWith('v:')).map((key) => canonical(JSON.parse(key.slice(2)))))
  return list.flatMap((element) => {
    const owner = byKey.find(({ match }) => matches(element, match))
    if (owner) return [extract(element, owner.fields)]
    return values.has(canonical(element)) ? [element] : []
  })
}

function matches(element: Json, match: Fields): boolean {
  if (typeof element !== 'object' || element === null) return false
  return Object.entries(match).every(([key, value]) => canonical((element as Fields)[key]) === canonical(value))
}
