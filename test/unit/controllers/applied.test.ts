import { describe, expect, it } from '@jest/globals'
import type { Applied } from '../../../operator/apply/execute.ts'
import type { Plan } from '../../../operator/render/plan.ts'
import { conditionOf } from '../../../operator/status/conditions.ts'
import type { Happening } from './instance.ts'
import { reportOf, worldWith } from './instance.ts'

/** What people read about what came of applying. */

const db = { name: 'db', ports: [{ port: 5432, protocol: 'TCP' }], image: 'registry.example/db:1' }
const web = { name: 'web', main: true, ports: [{ port: 8080 }], dependsOn: ['db'] }
const world = worldWith([db, web])

const webIn = (plan: Plan): Plan['stages'][number]['objects'] =>
  plan.stages.flatMap(({ objects }) => objects).filter(({ object }) => object.metadata.name === 'web')
const deploymentIn = (plan: Plan) => webIn(plan).find(({ type }) => type.kind === 'Deployment')!

const fight =
  (paths: readonly string[], manager: string) =>
  (plan: Plan): Partial<Applied> => ({
    contested: [{ desired: deploymentIn(plan), contest: { paths, manager }, retryAfterSeconds: 42 }],
  })
const altered =
  (paths: readonly string[], isNew: boolean) =>
  (plan: Plan): Partial<Applied> => ({
    altered: [{ desired: deploymentIn(plan), paths, isNew }],
  })

async function told(happening: Happening) {
  const { status, events, outcome } = await reportOf({ world, ...happening })
  const of = (type: 'Ready' | 'Reconciling') => conditionOf(status?.conditions, type)
  return { ready: of('Ready'), reconciling: of('Reconciling'), phase: status?.phase, events, outcome }
}

const done = { isComplete: true, ready: 1 }

describe('a service that waits for another', () => {
  it('is named once, whatever objects of it wait, with the other and how far that one is', async () => {
    const { ready, phase } = await told({
      applied: (plan) => ({ waiting: webIn(plan).map((desired) => ({ desired, for: ['db'] })) }),
    })
    expect(phase).toBe('Deploying')
    expect(ready?.message).toMatch(
      /^Release \S+ rolls out; service 'db' is not ready yet\. Service 'web' waits for service 'db' \(dependsOn\): 0\/1 ready\.$/,
    )
  })
})

describe('a fight', () => {
  it('is Degraded while someone is served, names object, paths and the other, and is looked at again in time', async () => {
    const { ready, reconciling, phase, outcome, events } = await told({
      rollout: done,
      applied: fight(['spec.replicas', 'spec.paused'], 'hpa'),
    })
    const message =
      "Deployment 'web': field manager 'hpa' changes spec.replicas, spec.paused each time after it was written; see kubectl get deployment web -n hello-dev -o yaml --show-managed-fields"
    expect(phase).toBe('Degraded')
    expect(ready).toMatchObject({ status: 'False', reason: 'Contested', message })
    expect(reconciling).toMatchObject({ status: 'True', reason: 'Contested', message })
    expect(outcome).toEqual({ kind: 'progressing', reason: 'Contested', message, retryAfterSeconds: 42 })
    expect(events).toContainEqual({ type: 'Warning', reason: 'Contested', action: 'Checking', message })
  })

  it.each([
    [['spec.replicas'], '', "Deployment 'web': somebody who left no name changes spec.replicas"],
    [[], '', "Deployment 'web' is removed or changed each time"],
    [['a', 'b', 'c', 'd', 'e'], 'x', "field manager 'x' changes a, b, c and 2 more"],
  ])('over %j by %j is told', async (paths, manager, text) => {
    expect((await told({ applied: fight(paths, manager) })).ready?.message).toContain(text)
  })

  it('is not told while something else keeps the spec from being acted on', async () => {
    const { ready } = await told({ refusal: 'Forbidden', applied: fight(['a'], 'x') })
    expect(ready?.reason).toBe('Forbidden')
  })
})

describe('drift', () => {
  const advice = 'put back as declared. What is to stay is said in the AppInstance or its stack.'

  it.each([
    [['spec.replicas'], 'kubectl', `Deployment 'web': field manager 'kubectl' changed spec.replicas; ${advice}`],
    [['a'], '', `Deployment 'web': somebody who left no name changed a; ${advice}`],
    [['a', 'b', 'c', 'd', 'e'], 'x', `Deployment 'web': field manager 'x' changed a, b, c and 2 more; ${advice}`],
    [[], '', "Deployment 'web' was deleted; it is made again."],
  ])('at %j by %j is an Event, and leaves Ready as it is', async (paths, manager, message) => {
    const { events, ready } = await told({
      rollout: done,
      applied: (plan) => ({ drifted: [{ desired: deploymentIn(plan), paths, manager }] }),
    })
    expect(events).toContainEqual({ type: 'Normal', reason: 'DriftCorrected', action: 'Repairing', message })
    expect(ready).toMatchObject({ status: 'True', message: 'All services are ready.' })
  })
})

describe('what the API server stores otherwise', () => {
  const text =
    "Deployment 'web': the API server stores spec.replicas otherwise than applied: an admission policy or webhook changes it."

  it('is a Warning when it is new, and a part of the message for as long as it is so', async () => {
    const fresh = await told({ rollout: done, applied: altered(['spec.replicas'], true) })
    expect(fresh.events).toContainEqual({
      type: 'Warning',
      reason: 'ChangedByAdmission',
      action: 'Deploying',
      message: text,
    })
    const later = await told({ rollout: done, applied: altered(['spec.replicas'], false) })
    expect(later.events?.map(({ reason }) => reason)).not.toContain('ChangedByAdmission')
    expect([later.phase, later.ready?.message]).toEqual(['Running', `All services are ready. ${text}`])
  })

  it('is told beside what lags', async () => {
    const { ready } = await told({ applied: altered([], false) })
    expect(ready?.message).toMatch(/is not ready yet\. Deployment 'web': the API server stores it otherwise/)
  })
})
