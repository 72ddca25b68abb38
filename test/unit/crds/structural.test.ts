import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { makeCrd } from '../../../crds/crd.ts'
import { SchemaError, toStructural } from '../../../crds/structural.ts'
import { appEnvKind } from '../../../operator/api/appEnv.ts'
import { integer, listAtomic, listMap, text, withRules } from '../../../operator/api/schema.ts'

const word = text('A word.', { max: 5 })
const holding = (field: z.ZodType) => () => toStructural(z.strictObject({ field }), 'Thing.spec')

describe('toStructural', () => {
  it('makes what a CRD can hold: bounds, list types, defaults, rules', () => {
    const named = z.strictObject({ name: word, size: integer('Size, 1 to 3.', 1, 3).default(2) })
    const schema = withRules(listMap('Things.', named, { key: 'name', max: 4 }), [
      { id: 'some', rule: 'size(self) > 0', message: 'one must be there', holds: (list) => list.length > 0 },
    ])
    expect(toStructural(z.strictObject({ things: schema.optional() }), 'Thing.spec')).toEqual({
      type: 'object',
      properties: {
        things: {
          type: 'array',
          description: 'Things.',
          maxItems: 4,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          'x-kubernetes-validations': [{ rule: 'size(self) > 0', message: 'one must be there' }],
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string', description: 'A word.', maxLength: 5 },
              size: { type: 'integer', description: 'Size, 1 to 3.', minimum: 1, maximum: 3, default: 2 },
            },
          },
        },
      },
    })
  })

  it.each([
    ['a field without description', z.boolean(), /Thing\.spec\.field: the description is missing/],
    ['a string without length', z.string().meta({ description: 'x' }), /Thing\.spec\.field: maxLength is missing/],
    ['a number without end', z.int().min(1).meta({ description: 'x' }), /Thing\.spec\.field: maximum is missing/],
    ['a number without beginning', z.int().max(1).meta({ description: 'x' }), /Thing\.spec\.field: minimum is missing/],
    [
      'a float',
      z.number().min(0).max(1).meta({ description: 'x' }),
      /Thing\.spec\.field: type "number" cannot be held/,
    ],
    [
      'a list without end',
      z.array(word).meta({ description: 'x', 'x-kubernetes-list-type': 'atomic' }),
      /field: maxItems is missing/,
    ],
    ['a list of unknown type', z.array(word).max(1).meta({ description: 'x' }), /field: the list type is missing/],
    ['a map without end', z.record(z.string(), word).meta({ description: 'x' }), /field: maxProperties is missing/],
    [
      'a union',
      z.union([word, z.boolean()]).meta({ description: 'x' }),
      /field: a structural schema cannot hold union/,
    ],
    ['a nullable field', word.nullable().meta({ description: 'x' }), /field: a structural schema cannot hold nullable/],
    ['a date', z.date().meta({ description: 'x' }), /field: a structural schema cannot hold date/],
    ['an id, which makes a reference', z.boolean().meta({ description: 'x', id: 'shared' }), /field: (id|\$ref)/],
    ['examples', z.boolean().meta({ description: 'x', examples: [true] }), /field: examples cannot be held/],
    [
      'two patterns',
      z.string().regex(/a/).regex(/b/).meta({ description: 'x', maxLength: 1 }),
      /field: allOf is an intersection/,
    ],
    ['a pattern that is not RE2', text('x', { max: 5, pattern: /^(?!a)b$/ }), /field: pattern .* is not RE2/],
    [
      'an email, whose format the server reads in its own way',
      z.email().max(5).meta({ description: 'x' }),
      /field: format "email"/,
    ],
    [
      'a refinement without a twin',
      word.refine((value) => value !== 'x'),
      /field: a refinement that neither a keyword nor a CEL rule/,
    ],
    [
      'one deep in a list',
      listAtomic(
        'x',
        word.refine(() => true),
        3,
      ),
      /field\[\]: a refinement/,
    ],
    [
      'a rule without a twin',
      withRules(word, [{ id: 'lonely', rule: "self != ''", message: 'must not be empty' }]),
      /field: rule lonely has no TypeScript twin/,
    ],
  ])('refuses %s, naming its place', (_, field, message) => {
    expect(holding(field)).toThrow(SchemaError)
    expect(holding(field)).toThrow(message)
  })

  it('needs no twin for a rule about changes', () => {
    const schema = withRules(word, [{ id: 'fixed', rule: 'self == oldSelf', message: 'may not be changed' }])
    expect(holding(schema)).not.toThrow()
  })
})

describe('makeCrd', () => {
  it('refuses a rule at the root without a twin, naming the kind', () => {
    const kind = { ...appEnvKind, rules: [{ id: 'lonely', rule: 'true', message: 'must be' }] }
    expect(() => makeCrd(kind, '0.0.0')).toThrow('AppEnv: rule lonely has no TypeScript twin')
  })
})
