import { describe, expect, it } from '@jest/globals'
import { labels } from '../../../operator/api/meta.ts'
import { podDigest, probeDigest } from '../../../operator/controllers/digests.ts'
import { serviceCause } from '../../../operator/status/causes.ts'
import type { ObservedPod, ObservedProbe } from '../../../operator/status/observed.ts'
import { webService as service } from './webService.ts'

const ended = (exitCode: number, seconds: number, reason = 'Error'): object => ({
  exitCode,
  reason,
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString(),
})

function pod(terminated?: object): ObservedPod {
  const containerStatuses = [{ state: { running: {} }, ...(terminated && { lastState: { terminated } }) }]
  const metadata = { name: 'web-x', uid: 'u', labels: { [labels.service]: 'web' } }
  const object = { apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Running', containerStatuses } }
  return { ...object, ...podDigest(object) }
}

function probe(message: string, count: number): ObservedProbe {
  const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: `e-${count}` }, involvedObject: { uid: 'u' } }
  return { ...event, ...probeDigest({ ...event, message, count } as typeof event) }
}

const none = { deployments: new Map(), claims: new Map(), storageClasses: [], early: new Map() }

function told(pods: readonly ObservedPod[], probes: readonly ObservedProbe[], of = service): string | undefined {
  return serviceCause(of, 'hello-dev', { ...none, pods, probes })?.message
}

const startup = (said: string): string => `Startup probe failed: ${said}`
const late =
  'Get "http://10.1.2.3:8080/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
const refused = 'Get "http://10.1.2.3:8080/healthz": dial tcp 10.1.2.3:8080: connect: connection refused'

function mayPass(of: ObservedPod, ...probes: readonly ObservedProbe[]): boolean {
  return serviceCause(service, 'hello-dev', { ...none, pods: [of], probes })?.mayPass === true
}

describe('a health check that fails may be a slow start', () => {
  const readiness = 'Readiness probe failed: HTTP probe failed with statuscode: 503'

  it('as long as the process was never ended for it, and only the startup probe fails', () => {
    expect(mayPass(pod(), probe(startup(refused), 20))).toBe(true)
    expect(mayPass(pod(), probe(startup(refused), 20), probe(readiness, 1))).toBe(true)
    expect(mayPass(pod(), probe(startup(refused), 20), probe(readiness, 2))).toBe(false)
    expect(mayPass(pod(ended(143, 31)), probe(startup(refused), 20))).toBe(false)
  })
})

describe('a health check that fails', () => {
  it.each([
    [startup('HTTP probe failed with statuscode: 500'), 'is answered with status 500'],
    ['Readiness probe failed: HTTP probe failed with statuscode: 503', 'is answered with status 503'],
    [startup(late), 'is not answered within 5 s (healthCheck.timeoutSeconds)'],
    [startup(refused), 'is refused: nothing listens on that port'],
    [startup('something unheard of'), 'is not answered as it should be: something unheard of'],
  ])('%s', (message, words) => {
    expect(told([pod()], [probe(message, 5)])).toBe(`its health check, GET /healthz on port http, ${words}`)
  })

  it('of a command is told by what it said last, without what looks like a secret', () => {
    const healthCheck = { command: ['check'], timeoutSeconds: 5, startupSeconds: 30 }
    const message = startup('looking\npassword=hunter2')
    const words = 'its health check, the command check, fails: password=***'
    expect(told([pod()], [probe(message, 5)], { ...service, healthCheck })).toBe(words)
  })

  it('is nothing to tell while the process may just be starting, nor of another pod, nor without a check', () => {
    expect(told([pod()], [probe(startup(refused), 4)])).toBeUndefined()
    expect(told([{ ...pod(), metadata: { name: 'other', uid: 'o' } }], [probe(startup(refused), 5)])).toBeUndefined()
    const { healthCheck: _, ...unchecked } = service
    expect(told([pod()], [probe(startup(refused), 5)], unchecked)).toBeUndefined()
  })

  it.each([
    ['told to end', ended(143, 31)],
    ['killed', ended(137, 60)],
    ['and well-behaved', ended(0, 30, 'Completed')],
  ])('is the cause of a process that was ended for it: %s', (_, exit) => {
    expect(told([pod(exit)], [probe(startup(refused), 1)])).toContain('is refused')
  })

  it.each([
    ['with a code of its own', ended(1, 31), 'exit code 1'],
    ['before the kubelet would have ended it', ended(0, 2, 'Completed'), 'exit code 0'],
    ['for want of memory', ended(137, 31, 'OOMKilled'), 'exit code 137, as it took more memory than its limit'],
  ])('is not the cause of a process that ended %s', (_, exit, words) => {
    expect(told([pod(exit)], [probe(startup(refused), 9)])).toContain(words)
  })
})
