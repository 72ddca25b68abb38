import { isMembers, membersOf, type Json, type Members } from './json.ts'

/** How server-side apply sees a value: what is merged, by which keys, and what is one piece. */
export type Shape =
  | {
      readonly kind: 'map'
      readonly fields: Readonly<Record<string, Shape>>
      /** Of the members that are not in `fields`. */
      readonly rest: Shape
      /** Whether these too are names of the schema, and not of the users' choice. */
      readonly isClosed: boolean
    }
  /** A list of objects, each named by its keys. */
  | {
      readonly kind: 'keyed'
      readonly keys: readonly string[]
      /** What a key is when it is not given. */
      readonly presets: Members
      readonly item: Shape
    }
  | { readonly kind: 'set' }
  | { readonly kind: 'atomic' }

export const atomic: Shape = { kind: 'atomic' }
const set: Shape = { kind: 'set' }

const freeMap: Shape = { kind: 'map', fields: {}, rest: atomic, isClosed: false }

/** Maps of which users choose the names, in built-in kinds and metadata. */
const freeNames = ['labels', 'annotations', 'data', 'binaryData', 'stringData', 'limits', 'requests', 'hard']

/** A shape in which the names of fields tell all, at any depth: what is not named is merged if it is an object. */
function byName(fields: (self: Shape) => Readonly<Record<string, Shape>>): Shape {
  const free = Object.fromEntries(freeNames.map((name) => [name, freeMap]))
  const self = { kind: 'map', fields: {}, rest: atomic, isClosed: true } as const
  return Object.assign(self, { rest: self, fields: { ...free, ...fields(self) } })
}

const keyed = (item: Shape, ...keys: string[]): Shape => ({ kind: 'keyed', keys, presets: { protocol: 'TCP' }, item })

const atomicNames = [
  'selector',
  'labelSelector',
  'podSelector',
  'namespaceSelector',
  'nodeSelector',
  'secretKeyRef',
  'configMapKeyRef',
  'fieldRef',
  'resourceFieldRef',
  'involvedObject',
]

const common = (self: Shape): Record<string, Shape> => ({
  ...Object.fromEntries(atomicNames.map((name) => [name, atomic])),
  finalizers: set,
  ownerReferences: keyed(atomic, 'uid'),
  conditions: keyed(self, 'type'),
  containers: keyed(self, 'name'),
  initContainers: keyed(self, 'name'),
  env: keyed(self, 'name'),
  volumes: keyed(self, 'name'),
  volumeMounts: keyed(self, 'mountPath'),
  imagePullSecrets: keyed(self, 'name'),
  topologySpreadConstraints: keyed(self, 'topologyKey', 'whenUnsatisfiable'),
})

const builtinShape = byName((self) => ({ ...common(self), ports: keyed(self, 'containerPort', 'protocol') }))
const serviceShape = byName((self) => ({ ...common(self), ports: keyed(self, 'port', 'protocol') }))
const metadataShape = byName(() => ({ finalizers: set, ownerReferences: keyed(atomic, 'uid') }))

/** The shape of a built-in kind. */
export function shapeOfBuiltin(kind: string): Shape {
  return kind === 'Service' ? serviceShape : builtinShape
}

/** The shape of a custom kind, as its OpenAPI schema says. */
export function shapeOfKind(schema: Members): Shape {
  const shape = shapeOfSchema(schema)
  if (shape.kind !== 'map') return shape
  return { ...shape, fields: { ...shape.fields, metadata: metadataShape } }
}

function shapeOfSchema(schema: Members): Shape {
  if (schema['type'] === 'array') {
    const items = membersOf(schema['items'])
    if (schema['x-kubernetes-list-type'] === 'set') return set
    if (schema['x-kubernetes-list-type'] !== 'map') return atomic
    const keys = schema['x-kubernetes-list-map-keys'] as string[]
    const fields = membersOf(items['properties'])
    const presets = Object.fromEntries(keys.map((key) => [key, membersOf(fields[key])['default']]))
    return { kind: 'keyed', keys, presets, item: shapeOfSchema(items) }
  }
  if (schema['type'] !== 'object' || schema['x-kubernetes-map-type'] === 'atomic') return atomic
  const fields = Object.entries(membersOf(schema['properties'])).map(
    ([name, below]) => [name, shapeOfSchema(below as Members)] as const,
  )
  const { additionalProperties } = schema
  return {
    kind: 'map',
    fields: Object.fromEntries(fields),
    rest: isMembers(additionalProperties) ? shapeOfSchema(additionalProperties) : atomic,
    isClosed: false,
  }
}

/** The shape of a member. */
export function shapeAt(shape: Shape & { readonly kind: 'map' }, name: string): Shape {
  return Object.hasOwn(shape.fields, name) ? shape.fields[name]! : shape.rest
}

/** Whether the name of a member is one of the schema. */
export function isNamed(shape: Shape, name: string): boolean {
  return shape.kind === 'map' && (shape.isClosed || Object.hasOwn(shape.fields, name))
}

/** The shape of what a path element leads to. */
export function shapeBelow(shape: Shape, element: string): Shape {
  if (shape.kind === 'map') return shapeAt(shape, element.slice(2))
  return shape.kind === 'keyed' ? shape.item : atomic
}

/** The `k:` or `v:` path element of a list's item. */
export function elementOf(shape: Shape & { readonly kind: 'keyed' | 'set' }, item: Json): string {
  if (shape.kind === 'set') return `v:${JSON.stringify(item)}`
  const values = membersOf(item)
  const valueOf = (key: string): Json => values[key] ?? shape.presets[key]
  return `k:${JSON.stringify(Object.fromEntries(shape.keys.toSorted().map((key) => [key, valueOf(key)])))}`
}

/** `value` with the defaults of its OpenAPI schema; the same value when it lacks none. */
export function withDefaults(value: Json, schema: Members): Json {
  if (Array.isArray(value)) {
    const items = membersOf(schema['items'])
    const made = value.map((item: Json) => withDefaults(item, items))
    return made.every((item, index) => item === value[index]) ? value : made
  }
  if (!isMembers(value)) return value
  let made: Members = value
  for (const [name, below] of Object.entries(membersOf(schema['properties']))) {
    const given = value[name] ?? (below as Members)['default']
    if (given === undefined) continue
    const whole = withDefaults(given, below as Members)
    if (whole !== value[name]) made = { ...made, [name]: whole }
  }
  return made
}
