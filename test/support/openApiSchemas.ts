import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { demand, type Admin } from './apiserver.ts'
import type { Anything } from './hands.ts'

/** JSON Schemas of an API server's types, as kubeconform reads them. */

type Schema = Readonly<Record<string, unknown>>

interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

interface Type {
  readonly group: string
  readonly version: string
  readonly kind: string
}

const typesKey = 'x-kubernetes-group-version-kind'
const reference = '#/components/schemas/'

/**
 * Writes the schema of each of these objects' types into a folder, strict: a field that the type does not have is an error.
 * Returns the place as kubeconform's -schema-location wants it. Types that the server does not know are left out.
 */
export async function writeSchemas(admin: Admin, objects: readonly Anything[], folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const { paths } = await demand<{ paths: Record<string, unknown> }>(admin, { path: '/openapi/v3' })
  for (const apiVersion of new Set(objects.map((object) => object.apiVersion))) {
    const path = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`
    if (!(path in paths)) continue
    const { components } = await demand<OpenApi>(admin, { path: `/openapi/v3/${path}` })
    for (const [name, type] of typesIn(components.schemas, apiVersion)) {
      writeFileSync(join(folder, fileOf(type)), JSON.stringify(schemaOf(name, components.schemas)))
    }
  }
  return join(folder, '{{.ResourceKind}}{{.KindSuffix}}.json')
}

/** The types of an API version, with the names of their schemas. */
function typesIn(schemas: Readonly<Record<string, Schema>>, apiVersion: string): readonly (readonly [string, Type])[] {
  return Object.entries(schemas).flatMap(([name, schema]) =>
    ((schema[typesKey] ?? []) as readonly Type[])
      .filter(({ group, version }) => apiVersion === [group, version].filter(Boolean).join('/'))
      .map((type) => [name, type] as const),
  )
}

/** As kubeconform looks for it: kind, the first part of the group, version. */
function fileOf({ kind, group, version }: Type): string {
  return `${[kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase()}.json`
}

/** One type with all that it is made of. */
function schemaOf(name: string, all: Readonly<Record<string, Schema>>): object {
  const definitions: Record<string, unknown> = {}
  const add = (each: string): void => {
    if (each in definitions) return
    definitions[each] = {}
    definitions[each] = strict(all[each], (used) => add(used))
  }
  add(name)
  return { $ref: `#/definitions/${name}`, definitions }
}

/** The same, with no room for fields that are not named, and with references to definitions; tells of each that is used. */
function strict(value: unknown, uses: (name: string) => void): unknown {
  if (Array.isArray(value)) return value.map((each) => strict(each, uses))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, each]) => {
    // A schema of schemas has a property of this name.
    if (key !== '$ref' || typeof each !== 'string') return [key, strict(each, uses)]
    const name = each.slice(reference.length)
    uses(name)
    return [key, `#/definitions/${name}`]
  })
  const isClosed =
    'properties' in value && !('additionalProperties' in value) && !('x-kubernetes-preserve-unknown-fields' in value)
  return { ...Object.fromEntries(entries), ...(isClosed && { additionalProperties: false }) }
}
