import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../../operator/api/meta.ts'
import type { Blame, Verdicts } from '../../../operator/status/conditions.ts'
import { conditionsOf } from '../../../operator/status/conditions.ts'
import { blamedBy, transitionsOf } from '../../../operator/status/events.ts'

const child: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', uid: 'd' } }
const what = { reason: 'HealthCheckFailed', message: 'GET /healthz is answered with status 500' } as const
const rollingOut = (blame: Blame): Verdicts => ({
  Ready: { status: 'Unknown', ...what, blame },
  Reconciling: { status: 'True', ...what, blame },
})
const good: Verdicts = {
  Ready: { status: 'True', reason: 'AllReady', message: 'All services are ready.' },
  Deployed: { status: 'True', reason: 'RolledOut', message: 'Release 2 is rolled out.' },
}

/** What is told when the verdicts follow each other, and who is blamed after them. */
function told(before: Verdicts, after: Verdicts): { readonly reasons: string[]; readonly children: unknown[] } {
  const [was, is] = [before, after].map((each) => conditionsOf(undefined, each, 1, new Date(0)))
  const events = transitionsOf(was, is!, after)
  return {
    reasons: events.map(({ reason }) => reason),
    children: [...events.flatMap((event) => event.child ?? []), ...blamedBy(is!, after)],
  }
}

describe('what holds up a roll-out', () => {
  it('is told beside the object it is of, which is blamed', () => {
    expect(told({}, rollingOut({ child }))).toEqual({ reasons: ['HealthCheckFailed'], children: [child, child] })
  })

  it('is not told while it may be a slow start, but as soon as it is none, although it reads the same', () => {
    const slow = rollingOut({ child, mayPass: true })
    expect(told({}, slow)).toEqual({ reasons: [], children: [] })
    expect(told(slow, rollingOut({ child })).reasons).toEqual(['HealthCheckFailed'])
  })

  it('is told once of its release, whatever Ready said before', () => {
    const stuck = rollingOut({ child })
    const down: Verdicts = { Ready: { status: 'False', reason: 'CrashLoop', message: 'it crashes' } }
    const first = conditionsOf(undefined, down, 1, new Date(0))
    const second = conditionsOf(first, stuck, 1, new Date(1000))
    const events = [
      ...transitionsOf(first, second, stuck),
      ...transitionsOf(second, conditionsOf(second, stuck, 1, new Date(2000)), stuck),
    ]
    expect(events.map(({ reason }) => reason)).toContain('HealthCheckFailed')
    expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(1)
  })

  it('goes into no condition as an object', () => {
    const [ready] = conditionsOf(undefined, rollingOut({ child }), 1, new Date(0))
    expect(Object.keys(ready ?? {})).not.toContain('blame')
  })
})

it('an outage is told beside the object it is of, and nothing besides blames it', () => {
  const down: Verdicts = { Ready: { status: 'False', ...what, blame: { child } } }
  expect(told(good, down)).toEqual({ reasons: ['HealthCheckFailed'], children: [child, child] })
  expect(told(down, down)).toEqual({ reasons: [], children: [child] })
})

it('that all is well again, or a release rolled out, ends what was blamed', () => {
  const down: Verdicts = { Ready: { status: 'False', ...what } }
  const [was, is] = [down, good].map((each) => conditionsOf(undefined, each, 1, new Date(0)))
  expect(transitionsOf(was, is!)).toMatchObject([
    { reason: 'RolledOut', endsBlame: true },
    { reason: 'AllReady', endsBlame: true },
  ])
})

it('an object that is refused during an outage is blamed beside the one that is down', () => {
  const refusal = { reason: 'RefusedByServer', message: 'Deployment jobs is refused' } as const
  const jobs: KubeObject = { ...child, metadata: { name: 'jobs', uid: 'j' } }
  const both: Verdicts = {
    Ready: { status: 'False', ...what, blame: { child } },
    Accepted: { status: 'False', ...refusal, blame: { child: jobs } },
  }
  expect(told(good, both).children).toEqual([jobs, child, child, jobs])
})

it('a suspension ends what was blamed: nothing of it runs any more', () => {
  const still: Verdicts = { Suspended: { status: 'True', reason: 'Suspended', message: 'Nothing runs.' } }
  const [was, is] = [good, still].map((each) => conditionsOf(undefined, each, 1, new Date(0)))
  expect(transitionsOf(was, is!)).toMatchObject([{ reason: 'Suspended', endsBlame: true }])
})
