import { describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { EventRecord } from '../../../operator/runtime/controller.ts'
import { Events } from '../../../operator/runtime/events.ts'
import { makeFakeClock, settle, type FakeClock } from './fakeClock.ts'

const box = (more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'engine.test/v1',
  kind: 'Box',
  metadata: { namespace: 'n', name: 'b', uid: 'u', resourceVersion: '5', ...more },
})
const event = (message: string): EventRecord => ({ type: 'Normal', reason: 'Published', action: 'Making', message })

type Posted = KubeObject & { readonly message: string; readonly involvedObject: object }

function makeRig(answer: () => Promise<void> = async () => undefined): {
  events: Events
  posted: Posted[]
  /** Of the log. */
  lines: string[]
  clock: FakeClock
} {
  const posted: Posted[] = []
  const lines: string[] = []
  const clock = makeFakeClock()
  const client = {
    create: async (_type: unknown, object: KubeObject) => {
      posted.push(object as Posted)
      await answer()
      return object
    },
  }
  const events = new Events({
    client,
    controller: 'x.dev/op',
    instance: 'pod-1',
    clock,
    log: pino({ level: 'debug' }, { write: (line) => void lines.push(line) }),
  })
  return { events, posted, lines, clock }
}

describe('events', () => {
  it('are posted once for what they say of an object, and again when the server has forgotten', async () => {
    const { events, posted, clock } = makeRig()
    events.record(box(), event('one'))
    events.record(box({ resourceVersion: '6' }), event('one'))
    events.record(box(), event('two'))
    events.record(box({ uid: 'v' }), event('one'))
    await settle()
    expect(posted.map(({ message }) => message)).toEqual(['one', 'two', 'one'])
    expect(new Set(posted.map(({ metadata }) => metadata.name)).size).toBe(3)
    await clock.pass(3_600_001)
    events.record(box(), event('one'))
    expect(posted).toHaveLength(4)
    expect(posted[3]?.metadata.name).toBe(posted[0]?.metadata.name)
  })

  it('are posted again for what happened again', async () => {
    const { events, posted } = makeRig()
    for (const since of ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00Z'])
      events.record(box(), { ...event('it crashed'), since })
    await settle()
    expect(posted.map(({ message }) => message)).toEqual(['it crashed', 'it crashed'])
    expect(JSON.stringify(posted)).not.toContain('since')
  })

  it('of a cluster-scoped object are in default', () => {
    const { events, posted } = makeRig()
    events.record({ ...box(), metadata: { name: 'b', uid: 'u' } }, event('one'))
    expect(posted[0]?.metadata.namespace).toBe('default')
    expect(posted[0]?.involvedObject).not.toHaveProperty('namespace')
  })

  it('that cannot be posted are tried again when they are recorded again; a taken name is as good as posted', async () => {
    let error = new KubeError('Forbidden', 'namespace is terminating')
    const { events, posted } = makeRig(() => Promise.reject(error))
    events.record(box(), event('one'))
    await events.flush()
    error = new KubeError('AlreadyExists', 'taken')
    events.record(box(), event('one'))
    await events.flush()
    events.record(box(), event('one'))
    expect(posted).toHaveLength(2)
  })

  it('are cut at a character to what the server takes', () => {
    const { events, posted } = makeRig()
    events.record(box({ name: 'x'.repeat(253) }), event('ä€😀'.repeat(400)))
    const [first] = posted
    expect(Buffer.byteLength(first?.message ?? '')).toBeLessThanOrEqual(1024)
    expect(first?.message).toMatch(/^(ä€😀)+(ä|ä€)?…$/u)
    expect(first?.metadata.name.length).toBeLessThanOrEqual(253)
  })

  it('are left out, not piled up, when the server does not answer, and the log says so', () => {
    const { events, posted, lines } = makeRig(() => new Promise(() => undefined))
    for (let index = 0; index < 500; index += 1) events.record(box(), event(`message ${index}`))
    expect(posted).toHaveLength(100)
    expect(lines.filter((line) => line.includes('Left out an event'))).toHaveLength(400)
  })
})
