import { describe, expect, it } from '@jest/globals'
import { errorOfAnswer, errorOfStatus, isKubeError, KubeError } from '../../../operator/kube/errors.ts'

const status = (reason: string, more: object = {}): string =>
  JSON.stringify({ kind: 'Status', reason, message: `${reason}!`, ...more })

describe('errors', () => {
  it.each([
    [400, 'BadRequest', 'BadRequest', false],
    [401, 'Unauthorized', 'Unauthorized', true],
    [403, 'Forbidden', 'Forbidden', false],
    [404, 'NotFound', 'NotFound', false],
    [409, 'Conflict', 'Conflict', true],
    [409, 'AlreadyExists', 'AlreadyExists', false],
    [410, 'Expired', 'Gone', true],
    [413, 'RequestEntityTooLarge', 'TooLarge', false],
    [422, 'Invalid', 'Invalid', false],
    [429, 'TooManyRequests', 'TooManyRequests', true],
    [500, 'InternalError', 'Unavailable', true],
    [503, 'ServiceUnavailable', 'Unavailable', true],
    [504, 'Timeout', 'Timeout', true],
    [418, 'Teapot', 'Unknown', false],
  ])('%d %s is %s', (code, reason, expected, isTransient) => {
    const error = errorOfAnswer('get pods a/b', code, undefined, status(reason))
    expect(error).toMatchObject({
      code: expected,
      reason,
      status: code,
      isTransient,
      message: `get pods a/b: ${reason}!`,
    })
  })

  it('carries how long to wait, from the header or from the body', () => {
    expect(errorOfAnswer('x', 429, '7', status('TooManyRequests'))).toMatchObject({ retryAfterSeconds: 7 })
    expect(errorOfAnswer('x', 500, undefined, status('', { details: { retryAfterSeconds: 3 } }))).toMatchObject({
      retryAfterSeconds: 3,
    })
    expect(errorOfAnswer('x', 503, 'Wed, 21 Oct', '').retryAfterSeconds).toBeUndefined()
  })

  it('names the first field the server refused', () => {
    const details = { causes: [{ field: 'spec.replicas', message: 'too many' }, { field: 'spec.image' }] }
    expect(errorOfAnswer('x', 422, undefined, status('Invalid', { details }))).toMatchObject({ field: 'spec.replicas' })
  })

  it.each(['', 'upstream connect error', 'null', '[1]', '"text"', '{"message":null}'])(
    'survives an answer of %j',
    (body) => {
      expect(errorOfAnswer('get pods a/b', 502, undefined, body)).toMatchObject({ code: 'Unavailable', status: 502 })
    },
  )

  it('reads the Status of a watch event', () => {
    expect(errorOfStatus('watch pods', 0, { code: 410, reason: 'Gone', message: 'old' })).toMatchObject({
      code: 'Gone',
      status: 410,
    })
  })

  it('is told apart by its code', () => {
    const error = new KubeError('NotFound', 'x')
    expect([
      isKubeError(error),
      isKubeError(error, 'Gone', 'NotFound'),
      isKubeError(error, 'Gone'),
      isKubeError(new Error('x')),
    ]).toEqual([true, true, false, false])
  })
})
