import { membersOf, type Members } from '../double/json.ts'
import type { Double } from '../double/server.ts'
import { servedKind } from '../double/served.ts'
import { commandOf, pathOf, type Act } from './objects.ts'

/** An action with this program fails. */
export const failingProgram = 'fail'

const jobType = servedKind('Job')

/** What the Job controller does next for a Job, whose pod nobody sees: it begins, and ends; undefined when it has ended, or may not begin. */
export function nextOfJob(double: Double, job: Members): Act | undefined {
  const status = membersOf(job['status'])
  const isHeld = membersOf(job['spec'])['suspend'] === true
  if (isHeld || status['conditions'] !== undefined) return undefined
  const isRunning = status['ready'] !== undefined
  return () => patchStatus(double, job, isRunning ? endOf(job) : { active: 1, ready: 1 })
}

function endOf(job: Members): Members {
  const isFailing = commandOf(job)?.[0] === failingProgram
  const end = isFailing ? { type: 'Failed', reason: 'BackoffLimitExceeded' } : { type: 'Complete' }
  const lastTransitionTime = new Date(0).toISOString()
  return {
    active: 0,
    ready: 0,
    [isFailing ? 'failed' : 'succeeded']: 1,
    conditions: [{ ...end, status: 'True', lastTransitionTime }],
  }
}

function patchStatus(double: Double, job: Members, status: Members): void {
  const question = {
    method: 'PATCH',
    path: `${pathOf(jobType, job)}/status?fieldManager=kube-controller-manager`,
    contentType: 'application/merge-patch+json',
    body: { status },
  }
  double.handle(question, 'world')
}
