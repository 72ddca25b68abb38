import { describe, expect, it } from '@jest/globals'
import type { ActionSight } from '../../../operator/status/actions.ts'
import { pendingOf, recordOf } from '../../../operator/status/actions.ts'
import type { ObservedJob, ObservedPod } from '../../../operator/status/observed.ts'

const failedAt = '2026-01-02T03:04:05Z'
const now = new Date('2026-01-02T03:05:00Z')
const job = (more: Partial<ObservedJob> = {}): ObservedJob => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'web-migrate-r2-abcde' },
  digest: 'd',
  isHeld: false,
  hasBegun: true,
  end: '',
  reason: '',
  failedAt: '',
  ...more,
})
const pod = (more: Partial<ObservedPod> = {}): ObservedPod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-migrate-r2-abcde-x' },
  service: '',
  template: '',
  run: { job: 'web-migrate-r2-abcde', failure: '' },
  phase: 'Running',
  isReady: false,
  waiting: null,
  lastExit: null,
  unschedulable: '',
  ...more,
})
const sight = (more: Partial<ActionSight> = {}): ActionSight => ({
  service: 'web',
  name: 'migrate',
  timeoutSeconds: 900,
  job: 'web-migrate-r2-abcde',
  namespace: 'hello-dev',
  record: undefined,
  observed: job(),
  pods: [],
  ...more,
})
const who = { service: 'web', name: 'migrate', job: 'web-migrate-r2-abcde' }
const running = { ...who, state: 'Running' } as const
const failure = { end: 'Failed', reason: 'BackoffLimitExceeded', failedAt } as const
const logs = 'see kubectl logs -n hello-dev job/web-migrate-r2-abcde'
const description = 'see kubectl describe job -n hello-dev web-migrate-r2-abcde'
const messageOf = (more: Partial<ActionSight>, at = now): string | undefined => recordOf(sight(more), at)?.message

describe('what is recorded of an action', () => {
  it('is nothing before its Job is there, and how it goes then', () => {
    expect(recordOf(sight({ observed: undefined }), now)).toBeUndefined()
    expect(recordOf(sight(), now)).toEqual(running)
    expect(recordOf(sight({ observed: job({ end: 'Complete' }) }), now)).toEqual({ ...who, state: 'Succeeded' })
  })

  it('stays once it has ended, whatever becomes of the Job; one that is gone before has failed', () => {
    const succeeded = { ...who, state: 'Succeeded' } as const
    expect(recordOf(sight({ record: succeeded, observed: undefined }), now)).toBe(succeeded)
    expect(recordOf(sight({ record: succeeded, observed: job(failure) }), now)).toBe(succeeded)
    const message = "Action 'migrate' of service 'web' failed: its Job was deleted before it ended"
    expect(recordOf(sight({ record: running, observed: undefined }), now)).toEqual({ ...who, state: 'Failed', message })
  })

  it('names exit code and last line, and waits a little for the pod that tells them', () => {
    const observed = job(failure)
    const pods = [pod({ phase: 'Failed', lastExit: { code: 3, line: 'no such column', seconds: 1 } })]
    expect(messageOf({ observed, pods })).toBe(
      `Action 'migrate' of service 'web' failed: exit code 3, last line: no such column; ${logs}`,
    )
    const soon = new Date(Date.parse(failedAt) + 1000)
    expect(recordOf(sight({ observed, pods: [pod()] }), soon)).toEqual(running)
    expect(messageOf({ observed })).toBe(
      `Action 'migrate' of service 'web' failed: its pod failed (BackoffLimitExceeded); ${description}`,
    )
    expect(messageOf({ observed, pods: [pod({ run: { job: who.job, failure: 'Evicted' } })] })).toContain('(Evicted)')
  })

  it('says of one that took too long for how long it might, and why it did not even start', () => {
    const killed = pod({
      run: { job: who.job, failure: 'DeadlineExceeded' },
      lastExit: { code: 137, line: 'step 4', seconds: 1 },
    })
    expect(messageOf({ observed: job(failure), pods: [killed] })).toBe(
      `Action 'migrate' of service 'web' failed: it did not end within 900 seconds, last line: step 4; ${logs}`,
    )
    const waiting = { reason: 'ImagePullBackOff', message: 'not found' }
    const unstarted = pod({ run: { job: who.job, failure: 'DeadlineExceeded' }, waiting })
    expect(messageOf({ observed: job(failure), pods: [unstarted] })).toBe(
      `Action 'migrate' of service 'web' failed: it did not end within 900 seconds: the image cannot be pulled: not found; ${description}`,
    )
    expect(messageOf({ observed: job({ ...failure, reason: 'DeadlineExceeded' }) })).toBe(
      `Action 'migrate' of service 'web' failed: it did not end within 900 seconds; ${description}`,
    )
  })
})

describe('what holds up a roll-out', () => {
  it('is told with its cause while the action runs', () => {
    expect(pendingOf(sight(), undefined)).toEqual({
      isFailed: false,
      reason: 'RunningActions',
      message: `Action 'migrate' of service 'web' runs; ${description}`,
      blame: { child: sight().observed },
    })
    const pods = [pod({ phase: 'Pending', waiting: { reason: 'ErrImagePull', message: 'not found' } })]
    expect(pendingOf(sight({ pods }), undefined)).toMatchObject({
      reason: 'ImagePullFailed',
      message:
        "Action 'migrate' of service 'web': the image cannot be pulled: not found; see kubectl describe pods -n hello-dev -l batch.kubernetes.io/job-name=web-migrate-r2-abcde",
    })
  })

  it('is an action of an earlier release, with how to end it, only while its own is not started', () => {
    const own = sight({ observed: undefined })
    const other = { name: 'web-migrate-r1-12345', namespace: 'hello-dev', task: undefined }
    expect(pendingOf(own, other).message).toBe(
      "Action 'migrate' of service 'web' waits for an action of an earlier release, which still runs; see kubectl logs -n hello-dev job/web-migrate-r1-12345; to end it: kubectl delete job -n hello-dev web-migrate-r1-12345",
    )
    expect(pendingOf(sight({ record: running }), other).message).toContain('runs; see')
    const task = { namespace: 'shop', name: 'seed-1' }
    expect(pendingOf(own, { ...other, task }).message).toContain(
      "waits for the action of AppTask 'seed-1', which still runs; see kubectl logs -n hello-dev job/web-migrate-r1-12345; to end it: kubectl delete apptask -n shop seed-1",
    )
  })

  it('is for good what was recorded as failed', () => {
    const record = { ...who, state: 'Failed', message: 'why' } as const
    expect(pendingOf(sight({ record }), undefined)).toEqual({
      isFailed: true,
      reason: 'ActionFailed',
      message: 'why',
      blame: { child: sight().observed },
    })
  })
})
