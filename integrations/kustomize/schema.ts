/**
 * Which lists kustomize merges by a key, and which kinds take no namespace: what it needs to know of a cluster's types. A
 * custom schema takes the place of the one kustomize has built in, so this has Kubernetes' own types, too.
 */

/** A schema, or a part of one, of an API server's OpenAPI v2. */
interface Schema {
  readonly type?: string
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly [extension: `x-kubernetes-${string}`]: unknown
}

/** What an API server answers on /openapi/v2. */
export interface OpenApi {
  readonly definitions: Readonly<Record<string, Schema>>
  readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>
}

const mergeKey = 'x-kubernetes-patch-merge-key'
const mergeStrategy = 'x-kubernetes-patch-strategy'
const types = 'x-kubernetes-group-version-kind'

/**
 * The schema for `openapi` of a kustomization.
 * In: what an API server with our CRDs answers on /openapi/v2. Out: the same, with nothing left but what kustomize reads.
 */
export function kustomizeSchema({ definitions, paths }: OpenApi): OpenApi {
  const kept = Object.entries(definitions).flatMap(([name, schema]) => {
    const lists = keyedLists(schema, definitions, [name])
    return lists ? [[name, { ...lists, ...(schema[types] !== undefined && { [types]: schema[types] }) }] as const] : []
  })
  return { definitions: Object.fromEntries(kept.toSorted(byName)), paths: scopes(paths) }
}

/** kustomize takes a type for cluster-wide when its objects are read at a path without a namespace. */
function scopes(paths: OpenApi['paths']): OpenApi['paths'] {
  const reads = Object.entries(paths).flatMap(([path, { get }]) => {
    if (get?.['x-kubernetes-action'] !== 'get' || !path.endsWith('/{name}')) return []
    return [[path, { get: { 'x-kubernetes-action': 'get', [types]: get[types] } }] as const]
  })
  return Object.fromEntries(reads.toSorted(byName))
}

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1

/** A schema with nothing but the ways to lists that have a key; undefined when there are none. `seen`: refers to itself. */
function keyedLists(schema: Schema, all: OpenApi['definitions'], seen: readonly string[]): Schema | undefined {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? ''
    const isKept = !seen.includes(name) && all[name] && keyedLists(all[name], all, [...seen, name])
    return isKept ? { $ref: schema.$ref } : undefined
  }
  if (schema.type === 'array') return keyedList(schema, all, seen)
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const lists = keyedLists(child, all, seen)
    return lists ? [[name, lists] as const] : []
  })
  return properties.length === 0 ? undefined : { type: 'object', properties: Object.fromEntries(properties) }
}

/** Kubernetes' own types name the key in kustomize's words, custom ones in those of server-side apply. */
function keyedList(schema: Schema, all: OpenApi['definitions'], seen: readonly string[]): Schema | undefined {
  const [listKey] = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[]
  const key = schema[mergeKey] ?? listKey
  const strategy = schema[mergeStrategy] ?? (key === undefined ? undefined : 'merge')
  if (strategy === undefined) return undefined
  const items = schema.items && keyedLists(schema.items, all, seen)
  return {
    type: 'array',
    ...(key !== undefined && { [mergeKey]: key }),
    [mergeStrategy]: strategy,
    items: items ?? { type: schema.items?.type ?? 'object' },
  }
}
