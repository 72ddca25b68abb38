import { describe, expect, it } from '@jest/globals'
import type { AppInstance } from '../../../operator/api/appInstance.ts'
import type { Failure } from '../../../operator/status/errored.ts'
import { erroredMessage } from '../../../operator/status/errored.ts'

const instance = { metadata: { name: 'a-dev', namespace: 'team', uid: 'u', generation: 2 }, spec: {} } as AppInstance

const failure: Failure = {
  class: 'Creation',
  reason: 'CreationDeadlineExceeded',
  message: '',
  task: 'a-dev-create-1',
  failedStep: 'release',
  since: '2026-01-02T03:04:05Z',
  generation: 1,
  attempt: 1,
}
const annotate = 'kubectl annotate appinstance a-dev -n team --overwrite appstead.dev'

describe('what is told of an Errored instance', () => {
  it.each([
    ['no quota', ''],
    ['no quota; see kubectl describe resourcequota -n a-dev', 'To see more: kubectl describe resourcequota -n a-dev; '],
  ])('is a cause in a sentence, and commands that can be copied: %s', (message, look) => {
    const told = erroredMessage(instance, { ...failure, message }, false)
    const retry = `${look === '' ? 'To' : `${look}to`} try again: ${annotate}/retry=attempt-2`
    expect(told).toBe(
      `Creation failed at step 'release': no quota. Generation 2 is stored, not acted on. Nothing was removed. ${retry}; to give up: kubectl delete appinstance a-dev -n team`,
    )
  })

  it('is the same of a removal', () => {
    const message = 'it may not be deleted; see kubectl get validatingadmissionpolicy keep -o yaml'
    const told = erroredMessage(instance, { ...failure, class: 'Cleanup', failedStep: 'namespace', message }, false)
    expect(told).toBe(
      `Removal failed at step 'namespace': it may not be deleted. It goes on by itself, and is tried again every 5 minutes. To see more: kubectl get validatingadmissionpolicy keep -o yaml; to let the instance go and leave the rest behind: ${annotate}/force-delete=u`,
    )
  })

  it('lifts the protection first where the instance is protected from deletion', () => {
    const told = erroredMessage(instance, { ...failure, message: 'no quota' }, true)
    const lift = `kubectl patch appinstance a-dev -n team --type=merge -p '{"spec":{"deletionProtection":false}}'`
    expect(told).toContain(`; to give up: ${lift} && kubectl delete appinstance a-dev -n team`)
  })

  it('keeps its commands where the cause is a long story', () => {
    const message = `${'so '.repeat(1000)}; see kubectl get pods`
    const told = erroredMessage(instance, { ...failure, message }, true)
    expect(told).toMatch(/…\. .*To see more: kubectl get pods; to try again: .*; to give up: \S.*$/s)
    expect(told.length).toBeLessThan(1024)
  })
})
