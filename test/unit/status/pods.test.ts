import { describe, expect, it } from '@jest/globals'
import { podDigest } from '../../../operator/controllers/digests.ts'
import { worstCause } from '../../../operator/status/pods.ts'

/** The cause that the status of a pod tells, in words. */
function told(status: object, memoryLimit?: string): string | undefined {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-x' }, status }
  return worstCause([{ ...object, ...podDigest(object) }], undefined, memoryLimit)?.message
}

const unscheduled = (message: string): object => ({
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
})

describe('a pod that no node takes', () => {
  it.each([
    '0/2 nodes are available: 2 node(s) were unschedulable. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    '0/2 nodes are available: 2 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
  ])('is told by what keeps it from each, and not that nobody need leave: %s', (message) => {
    expect(told(unscheduled(message))).toBe(
      'no node takes the pod: 0/2 nodes are available: 2 node(s) were unschedulable',
    )
  })

  it('is told in the words of a scheduler that says no more', () => {
    expect(told(unscheduled('0/1 nodes are available: 1 Insufficient cpu.'))).toBe(
      'no node takes the pod: 0/1 nodes are available: 1 Insufficient cpu.',
    )
  })
})

describe('a process that ended as it took too much memory', () => {
  const ended = {
    containerStatuses: [{ state: { running: {} }, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }],
  }

  it.each([
    ['its limit, with the field that has it', '96Mi', ' of 96Mi (resources.limits.memory)'],
    ['a limit that is not of its service, by no field', undefined, ''],
  ])('is told with %s', (_, limit, words) => {
    expect(told(ended, limit)).toBe(
      `the process ended with exit code 137, as it took more memory than its limit${words}`,
    )
  })
})
