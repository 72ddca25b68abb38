import { describe, expect, it } from '@jest/globals'
import { errorOfAnswer } from '../../../operator/kube/errors.ts'
import { leaksIn, makeCanary } from '../../support/canaries.ts'

const canary = makeCanary('a value of a Secret')
const typed = 'failed to create typed patch object (a/b; /v1, Kind='

/** The words of API server 1.36, each as it answered when such a Secret was sent. */
const words: readonly (readonly [string, number, object])[] = [
  [
    'a label',
    422,
    {
      reason: 'Invalid',
      message: `Secret "b" is invalid: metadata.labels: Invalid value: "${canary} !!": a valid label must`,
      details: { causes: [{ reason: 'FieldValueInvalid', field: 'metadata.labels' }] },
    },
  ],
  [
    'a key',
    422,
    {
      reason: 'Invalid',
      message: `Secret "b" is invalid: data[k!]: Invalid value: "${canary}!": a valid config key must`,
      details: { causes: [{ reason: 'FieldValueInvalid', field: 'data[k!]' }] },
    },
  ],
  ['a map', 500, { message: `${typed}Secret): .data: expected map, got &{${canary}}` }],
  ['a list', 500, { message: `${typed}Secret): .stringData: expected map, got &{[${canary}]}` }],
]

describe('the error of a refused Secret', () => {
  it.each(words)('does not repeat %s', (_what, status, body) => {
    for (const call of ['create secrets a/b', 'apply secrets a/b', 'patch secrets a/b']) {
      const { message } = errorOfAnswer(call, status, undefined, JSON.stringify({ kind: 'Status', ...body }))
      expect(leaksIn('the message', message)).toEqual([])
      expect(message).toMatch(`${call}: the message is withheld`)
    }
  })

  it('does not repeat an answer that is no Status', () => {
    const { message } = errorOfAnswer('create secrets a/b', 502, undefined, `bad gateway: ${canary}`)
    expect(leaksIn('the message', message)).toEqual([])
  })

  it('still names field and reason', () => {
    const [, status, body] = words[0]!
    const error = errorOfAnswer('create secrets a/b', status, undefined, JSON.stringify(body))
    expect(error).toMatchObject({ code: 'Invalid', field: 'metadata.labels' })
    expect(error.message).toBe(
      'create secrets a/b: the message is withheld, Invalid, metadata.labels: FieldValueInvalid',
    )
  })

  it('still says who may not', () => {
    const body = { reason: 'Forbidden', message: 'secrets is forbidden: User "x" cannot create' }
    const { message } = errorOfAnswer('create secrets a/b', 403, undefined, JSON.stringify(body))
    expect(message).toBe('create secrets a/b: secrets is forbidden: User "x" cannot create')
  })
})

describe('the error of any refused object', () => {
  it('does not repeat the value that server-side apply could not take', () => {
    const path = '.spec.template.spec.containers[name="c"].env[name="A"].value'
    const message = `${typed}Deployment): ${path}: expected string, got &value.valueUnstructured{Value:"${canary}"}`
    const error = errorOfAnswer('apply deployments a/b', 500, undefined, JSON.stringify({ message }))
    expect(leaksIn('the message', error.message)).toEqual([])
    expect(error.message).toBe(`apply deployments a/b: ${typed}Deployment): ${path}: expected string`)
    expect(error.code).toBe('Invalid')
  })

  it('repeats what does not quote', () => {
    const message = `${typed}Deployment): .spec.template.spec.containers[name="c"].env: duplicate entries for key`
    const error = errorOfAnswer('apply deployments a/b', 500, undefined, JSON.stringify({ message }))
    expect(error.message).toBe(`apply deployments a/b: ${message}`)
  })
})
