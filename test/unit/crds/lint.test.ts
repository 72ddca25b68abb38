import { describe, expect, it } from '@jest/globals'
import { conditionTypes } from '../../../operator/api/conditions.ts'
import { kinds } from '../../../operator/api/kinds.ts'
import { makeCrd } from '../../../crds/crd.ts'
import type { JsonObject } from '../../../crds/structural.ts'
import { rulesOf } from '../../support/verdict.ts'

/** The conventions of the Kubernetes API, held by every field of every CRD; exceptions stand here with their reason. */

interface Field {
  readonly kind: string
  readonly path: string
  readonly name: string
  readonly schema: JsonObject
  readonly required: boolean
}

function fieldsOf(kind: string, path: string, schema: JsonObject): readonly Field[] {
  const inner = (schema['items'] as JsonObject | undefined) ?? schema
  const needed = (inner['required'] ?? []) as readonly string[]
  return Object.entries((inner['properties'] ?? {}) as Record<string, JsonObject>).flatMap(([name, child]) => {
    const here = `${path}.${name}`
    return [{ kind, path: here, name, schema: child, required: needed.includes(name) }, ...fieldsOf(kind, here, child)]
  })
}

function schemaOf(crd: JsonObject): JsonObject {
  const [version] = (crd['spec'] as { versions: readonly { schema: { openAPIV3Schema: JsonObject } }[] }).versions
  if (version === undefined) throw new Error('no version')
  return version.schema.openAPIV3Schema
}

const fields = kinds
  .flatMap((kind) => fieldsOf(kind.kind, '', schemaOf(makeCrd(kind, '0.0.0'))))
  .filter(({ path }) => path.startsWith('.spec') || path.startsWith('.status'))
const whereOf = ({ kind, path }: Field): string => kind + path
const nodes = fields.flatMap((field) => {
  const items = field.schema['items'] as JsonObject | undefined
  return [field, ...(items === undefined ? [] : [{ ...field, path: `${field.path}[]`, schema: items }])]
})
const ofType = (type: string) => nodes.filter(({ schema }) => schema['type'] === type)

const bounded = (schema: JsonObject) =>
  schema['maxLength'] !== undefined || schema['enum'] !== undefined || schema['format'] === 'date-time'

/** Enum values in lower case, because users type them and they become values of labels. */
const lowerCaseEnums = ['AppEnv.spec.type', 'App.spec.defaults.envTypes[]', 'AppInstance.status.effective.envType']
/** Its values are paths in a Pod, as Kubernetes writes them. */
const ofPods = /\.fieldPath$/
/** Kinds of which nothing is to be said while all is well. */
const rare = ['AppEnv', 'AppStackRevision']
/** Of these lists the order alone says which item is which. */
const withoutName = /\.(variablesFrom|access|defaults)$/
/** A boolean where there will never be a third answer. */
const booleans = [
  'autoUpgrade',
  'deletionProtection',
  'enabled',
  'fileOnly',
  'main',
  'optional',
  'outdated',
  'readOnlyRootFilesystem',
  'suspend',
  'tcp',
  'whole',
]

describe('every field of the CRDs', () => {
  it('is described, in a first sentence of at most 120 characters', () => {
    const bad = fields.filter(({ schema }) => {
      const [first] = ((schema['description'] as string | undefined) ?? '').split(/\.(?: |$)/)
      return !first || first.length > 120 || !(schema['description'] as string).endsWith('.')
    })
    expect(bad.map(whereOf)).toEqual([])
  })

  it('says in spec when it takes effect, or that it is permanent, or is part of one that does', () => {
    const silent = fields.filter(({ kind, path, schema }) => {
      const above = fields.filter((each) => each.kind === kind && path.startsWith(`${each.path}.`))
      const says = [schema, ...above.map((each) => each.schema)].some((each) =>
        /takes effect|permanent|counts only|next deployment|publishes/i.test(each['description'] as string),
      )
      return path.startsWith('.spec.') && !says
    })
    expect(silent.map(whereOf)).toEqual([])
  })

  it('names its default in its description', () => {
    const silent = fields.filter(({ name, schema }) => {
      const value = schema['default']
      return (
        value !== undefined &&
        name !== 'status' &&
        !(schema['description'] as string).includes(`Default ${value as string}`)
      )
    })
    expect(silent.map(whereOf)).toEqual([])
  })

  it('has bounds: strings a length, lists a number of items, numbers both ends', () => {
    expect(
      ofType('string')
        .filter(({ schema }) => !bounded(schema))
        .map(whereOf),
    ).toEqual([])
    expect(
      ofType('array')
        .filter(({ schema }) => schema['maxItems'] === undefined)
        .map(whereOf),
    ).toEqual([])
    const open = ofType('integer').filter(
      ({ schema }) => schema['minimum'] === undefined || schema['maximum'] === undefined,
    )
    // A generation is only ever copied from metadata.
    expect(open.filter(({ name }) => !/[gG]eneration$/.test(name)).map(whereOf)).toEqual([])
  })

  it('is no float, no map, no union, not nullable and no reference', () => {
    const types = new Set(nodes.map(({ schema }) => schema['type'] as string))
    expect(types).toEqual(new Set(['array', 'boolean', 'integer', 'object', 'string']))
    const refused = [
      'nullable',
      'anyOf',
      'oneOf',
      'allOf',
      'not',
      '$ref',
      'additionalProperties',
      'x-kubernetes-preserve-unknown-fields',
    ]
    expect(nodes.filter(({ schema }) => refused.some((keyword) => keyword in schema)).map(whereOf)).toEqual([])
  })

  it('says how a list is merged: by key where items have names', () => {
    const lists = fields.filter(({ schema }) => schema['type'] === 'array')
    const wrong = lists.filter((each) => {
      const { schema } = each
      const { type } = schema['items'] as JsonObject
      const isMap = type === 'object' && !withoutName.test(whereOf(each))
      return schema['x-kubernetes-list-type'] !== (isMap ? 'map' : 'atomic')
    })
    expect(wrong.map(whereOf)).toEqual([])
  })

  it('has a default only where it is optional', () => {
    expect(fields.filter(({ schema, required }) => required && schema['default'] !== undefined).map(whereOf)).toEqual(
      [],
    )
  })

  it('is named as conventions say: camelCase, durations in Seconds, no timestamps', () => {
    expect(fields.filter(({ name }) => !/^[a-z][A-Za-z0-9]*$/.test(name)).map(whereOf)).toEqual([])
    expect(fields.filter(({ name }) => /timestamp|duration|timeout$|deadline$/i.test(name)).map(whereOf)).toEqual([])
  })

  it('has enum values in CamelCase, and few booleans', () => {
    const enums = nodes.filter(({ schema }) =>
      ((schema['enum'] ?? []) as readonly string[]).some((value) => !/^[A-Z][A-Za-z]*$/.test(value)),
    )
    expect(enums.map(whereOf).filter((where) => !ofPods.test(where))).toEqual(lowerCaseEnums)
    expect([...new Set(ofType('boolean').map(({ name }) => name))].toSorted()).toEqual(booleans)
  })
})

describe('every kind', () => {
  it('with a status has conditions as metav1.Condition, by type, first in status, and observedGeneration', () => {
    for (const kind of kinds.filter(({ status }) => status !== null)) {
      const { status } = schemaOf(makeCrd(kind, '0.0.0'))['properties'] as Record<string, JsonObject>
      const properties = status?.['properties'] as Record<string, JsonObject>
      expect(Object.keys(properties)[0]).toBe('conditions')
      expect(properties['conditions']).toMatchObject({
        'x-kubernetes-list-map-keys': ['type'],
        'x-kubernetes-list-type': 'map',
      })
      const item = properties['conditions']?.['items'] as JsonObject
      expect(Object.keys(item['properties'] as object).toSorted()).toEqual([
        'lastTransitionTime',
        'message',
        'observedGeneration',
        'reason',
        'status',
        'type',
      ])
      expect(status?.['default']).toEqual(rare.includes(kind.kind) ? undefined : { observedGeneration: -1 })
    }
  })

  it('ends its columns with AGE, and has no spaces in their titles', () => {
    for (const { columns } of kinds) {
      expect(columns.at(-1)?.name).toBe('Age')
      expect(columns.filter(({ name }) => name.includes(' '))).toEqual([])
    }
  })

  it('shows only conditions that there are', () => {
    const shown = kinds.flatMap(({ columns }) =>
      columns.flatMap(({ jsonPath }) => /type=="(\w+)"/.exec(jsonPath)?.[1] ?? []),
    )
    expect([...new Set(shown)].filter((type) => !(type in conditionTypes))).toEqual([])
  })

  it('has at most eight selectable fields, and begins with App', () => {
    expect(kinds.filter(({ selectableFields }) => selectableFields.length > 8)).toEqual([])
    expect(kinds.filter(({ kind }) => !kind.startsWith('App'))).toEqual([])
  })

  it('says in its rules what must be, never only that something is wrong', () => {
    const messages = kinds.flatMap((kind) => rulesOf(kind).map(({ rule }) => rule.message))
    expect(messages.filter((text) => /should|invalid|<=|>=/.test(text))).toEqual([])
    expect(messages.filter((text) => !/must|may|stand/.test(text))).toEqual([])
  })

  it('gives each of its rules an id of its own at each place', () => {
    for (const kind of kinds) {
      const ids = rulesOf(kind).map(({ path, rule }) => `${path} ${rule.id}`)
      expect(new Set(ids).size).toBe(ids.length)
    }
  })
})
