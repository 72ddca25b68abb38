import { describe, expect, it } from '@jest/globals'
import { redact } from '../../../cli/redact.ts'

const secret = 'canary-5f2a'
const none = { secrets: [], names: [] }

describe('a report', () => {
  it.each<[string, object]>([
    ['variables', { spec: { variables: [{ name: 'A', value: secret }] } }],
    ['variables of services', { spec: { services: [{ name: 'web', variables: [{ name: 'A', value: secret }] }] } }],
    ['variables of pods', { spec: { containers: [{ env: [{ name: 'A', value: secret }] }] } }],
    ['words of commands', { spec: { command: ['run', secret], args: [`--password=${secret}`] } }],
    ['contents of files', { spec: { files: [{ path: '/a', content: secret }] } }],
    ['Secrets', { data: { a: secret }, stringData: { b: secret } }],
    [
      'annotations of others',
      { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': secret } } },
    ],
    ['managed fields', { metadata: { managedFields: [{ fieldsV1: { [secret]: {} } }] } }],
    ['what a process said', { status: { lastState: { terminated: { exitCode: 3, message: `no ${secret}` } } } }],
    ['last lines', { status: { message: `exit code 1, last line: ${secret}; see kubectl logs` } }],
  ])('holds nothing of %s', (_, object) => {
    const [first] = redact([object], none)
    expect(JSON.stringify(first)).not.toContain(secret)
  })

  it('holds it not either where another text quotes it', () => {
    const said = { message: `cannot connect to ${secret}:5432` }
    expect(redact([said], { ...none, secrets: [secret] })).toEqual([{ message: 'cannot connect to [redacted]:5432' }])
    const objects = [said, { spec: { variables: [{ name: 'A', value: secret }] } }]
    expect(redact(objects, none)[0]).toEqual({ message: 'cannot connect to [redacted]:5432' })
  })

  it('keeps what everybody knows, and what is needed to understand it', () => {
    const object = {
      metadata: { name: 'shop-prod', annotations: { 'appstead.dev/deploy': 'approved' } },
      spec: {
        env: [
          { name: 'APPSTEAD_INSTANCE', value: 'shop-prod' },
          { name: 'A', valueFrom: { secretKeyRef: { name: 'db', key: 'uri' } } },
        ],
      },
      status: { message: 'exit code 1, last line: x; see kubectl logs -n shop-prod' },
    }
    const [first] = redact([object, { data: { a: 'shop-prod' } }], { ...none, names: ['shop-prod'] })
    expect(first).toEqual({
      ...object,
      status: { message: 'exit code 1, last line: [redacted]; see kubectl logs -n shop-prod' },
    })
  })
})
