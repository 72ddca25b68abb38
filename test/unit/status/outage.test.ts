import { describe, expect, it } from '@jest/globals'
import type { Situation } from '../../../operator/status/appInstance.ts'
import { instanceVerdicts } from '../../../operator/status/appInstance.ts'
import { conditionsOf } from '../../../operator/status/conditions.ts'
import { transitionsOf } from '../../../operator/status/events.ts'
import { phaseOf } from '../../../operator/status/phase.ts'

const cause = 'the process ended with exit code 3, last line: no database; see kubectl logs -n a-dev web --previous'
const outage = `Nobody is served; service 'web' has too few ready replicas: ${cause}.`
const release = {
  name: 'a-dev-2',
  number: 2,
  isFirst: false,
  isComplete: false,
  wasComplete: true,
  isDeadlineExceeded: false,
  isScaling: false,
  laggard: { service: 'web', reason: 'CrashLoop', cause, look: 'kubectl describe pods' },
  waiting: '',
  action: undefined,
  afterwards: '',
} as const
const crashed: Situation = {
  objection: undefined,
  release,
  failed: undefined,
  serving: 0,
  suspension: undefined,
  contest: '',
  pending: undefined,
  hint: '',
  altered: '',
}
const blocked = { kind: 'blocked', reason: 'AppNotFound', message: "No App 'a'; see kubectl get apps" } as const
const invalid = { kind: 'invalid', reason: 'ImageMissing', message: "services[web] has no image: set 'image'" } as const
const running = { isFailed: false, reason: 'RunningActions', message: "Action 'm' of service 'web' runs" } as const
const migrating = { ...release, wasComplete: false, action: running }

const reasonsTold = (before: Situation, after: Situation): string[] => {
  const [was, is] = [before, after].map((each) => conditionsOf(undefined, instanceVerdicts(each), 1, new Date(0)))
  return transitionsOf(was, is!, instanceVerdicts(after)).map(({ reason }) => reason)
}

describe('that nobody is served any more, and why, is told before', () => {
  it.each([
    ['what is missing', 'Down', { objection: blocked }, blocked.message, 'Reconciling'],
    ['what is wrong with the spec', 'Invalid', { objection: invalid }, invalid.message, 'Stalled'],
    ['a contest', 'Down', { contest: 'x undoes it' }, 'x undoes it', 'Reconciling'],
  ] as const)('%s, which stands after it', (_, phase, over, besides, where) => {
    const verdicts = instanceVerdicts({ ...crashed, ...over })
    const verdict = { reason: 'CrashLoop', message: `${outage} ${besides}` }
    expect(verdicts).toMatchObject({ Ready: { status: 'False', ...verdict }, [where]: { status: 'True', ...verdict } })
    expect(phaseOf(verdicts)).toBe(phase)
    expect(reasonsTold({ ...crashed, ...over, serving: 1 }, { ...crashed, ...over })).toEqual(['CrashLoop'])
  })

  it('what is wrong with the spec, which Accepted goes on telling alone, and an Event', () => {
    const { kind: _, ...verdict } = invalid
    const refused = { ...crashed, objection: invalid }
    expect(instanceVerdicts(refused).Accepted).toEqual({ status: 'False', ...verdict })
    expect(reasonsTold(crashed, refused)).toEqual(['ImageMissing'])
  })

  it('what is missing, which is an Event of its own where it came later', () => {
    const missed = { ...crashed, objection: blocked }
    expect(reasonsTold(crashed, missed)).toEqual(['AppNotFound'])
    expect(reasonsTold(missed, missed)).toEqual([])
    expect(reasonsTold({ ...missed, serving: 1 }, missed)).toEqual(['CrashLoop'])
    const long = { ...missed, objection: { ...blocked, message: 'x'.repeat(2000) } }
    expect(reasonsTold(crashed, long)).toEqual(['AppNotFound'])
    expect(reasonsTold(long, long)).toEqual([])
  })

  it('what somebody undoes, which is an Event of its own where it came later, beside the object, too', () => {
    const hindered = { child: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } } }
    const contested: Situation = { ...crashed, contest: 'x undoes it', hindered }
    const [was, is] = [crashed, contested].map((each) =>
      conditionsOf(undefined, instanceVerdicts(each), 1, new Date(0)),
    )
    expect(transitionsOf(was, is!, instanceVerdicts(contested))).toMatchObject([{ reason: 'Contested', ...hindered }])
    expect(reasonsTold(contested, contested)).toEqual([])
  })

  it('an action that the next release waits for, or that has failed', () => {
    const verdicts = instanceVerdicts({ ...crashed, release: migrating })
    const message = `${outage} Release a-dev-2 is not rolled out yet. ${running.message}`
    expect(verdicts.Ready).toEqual({ status: 'Unknown', reason: 'CrashLoop', message })
    expect(phaseOf(verdicts)).toBe('Deploying')
    const action = { isFailed: true, reason: 'ActionFailed', message: 'exit code 1' } as const
    const failed = instanceVerdicts({ ...crashed, release: { ...migrating, action } })
    expect(failed.Ready).toMatchObject({ status: 'False', reason: 'CrashLoop' })
    expect(failed.Ready?.message).toMatch(/^Nobody is served; .* was not rolled out, .*: exit code 1$/)
    expect(failed.Deployed?.reason).toBe('ActionFailed')
    const served = { ...crashed, serving: 1, release: migrating }
    expect(reasonsTold(served, { ...served, serving: 0 })).toEqual(['CrashLoop'])
  })
})

it.each([
  ['somebody is served', { serving: 1 }],
  ['nobody is to be', { suspension: { isDone: false, command: 'kubectl get pods' } }],
  ['nobody ever was', { release: { ...release, isFirst: true, wasComplete: false } }],
  [
    'no pod tells why',
    { release: { ...release, laggard: { service: 'web', cause: '', look: 'kubectl describe pods' } } },
  ],
  ['nothing is done any more', { objection: { ...blocked, kind: 'failed' } }],
] as const)('an objection alone is told where %s', (_, over) => {
  expect(instanceVerdicts({ ...crashed, objection: blocked, ...over }).Ready).toMatchObject({
    reason: blocked.reason,
    message: blocked.message,
  })
})
