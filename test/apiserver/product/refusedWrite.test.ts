import { afterEach, describe, expect, it } from '@jest/globals'
import { generatedSecretName } from '../../../operator/render/names.ts'
import { rollOut } from '../../support/kubelet.ts'
import { conditionsOf, createRunning, getInstance, makeApp, makeInstance, messageOf, useWorld, web } from './world.ts'

const world = useWorld()
const policyApi = 'admissionregistration.k8s.io/v1'
const policyKinds = ['ValidatingAdmissionPolicyBinding', 'ValidatingAdmissionPolicy']

afterEach(async () => {
  for (const kind of policyKinds) {
    const ref = { namespace: '', name: `refuse-${world.app}` }
    if (await world.hands.find(kind, ref)) await world.hands.remove(kind, ref)
  }
})

/** A policy of the platform that refuses Deployments in the instance's namespace; resolves when it is in force. */
async function refuseDeployments(reason: string): Promise<void> {
  const { hands, instance } = world
  const metadata = { name: `refuse-${world.app}` }
  const resourceRules = [
    { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
  ]
  await hands.apply({
    apiVersion: policyApi,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules },
      matchConditions: [{ name: 'here', expression: `request.namespace == '${instance}'` }],
      validations: [{ expression: 'false', message: 'no Deployments on Sundays', reason }],
    },
  })
  await hands.apply({
    apiVersion: policyApi,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: metadata.name, validationActions: ['Deny'] },
  })
  await world.operator.until('the policy is in force', isRefusing)
}

async function allowDeployments(): Promise<void> {
  for (const kind of policyKinds) await world.hands.remove(kind, { namespace: '', name: `refuse-${world.app}` })
  await world.operator.until('the policy is not in force any more', async () => !(await isRefusing()))
}

async function isRefusing(): Promise<boolean> {
  const { hands, instance } = world
  const matchLabels = { a: 'b' }
  const template = { metadata: { labels: matchLabels }, spec: { containers: [{ name: 'a', image: 'a:1' }] } }
  const probe = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: instance, name: 'probe' } }
  const path = `/apis/apps/v1/namespaces/${instance}/deployments?dryRun=All`
  const reply = await hands.admin({
    method: 'POST',
    path,
    body: { ...probe, spec: { selector: { matchLabels }, template } },
  })
  return JSON.stringify(reply.body).includes('on Sundays')
}

describe('a write that the API server refuses', () => {
  it.each(['Invalid', 'Forbidden', 'RequestEntityTooLarge'])(
    'as %s is told in the status with its own words, what runs goes on, and it is tried again when it may work',
    async (reason) => {
      const { hands, operator, instance } = world
      await createRunning(world)
      await refuseDeployments(reason)
      await hands.apply(makeInstance(world, { image: 'hello:2' }))
      await operator.settle()
      const refused = await getInstance(world)
      expect(messageOf(refused, 'Ready')).toContain("Deployment 'web'")
      expect(messageOf(refused, 'Ready')).toContain('no Deployments on Sundays')
      expect(conditionsOf(refused)).toMatchObject({ Available: 'True Serving' })
      expect(conditionsOf(refused)['Ready']).not.toMatch(/^True/)
      await allowDeployments()
      // Any change wakes it; without one it tries again by itself, later.
      await hands.apply(makeInstance(world, { image: 'hello:3' }))
      await operator.until('the image is there', async () => {
        const { spec } = await hands.get('Deployment', { namespace: instance, name: 'web' })
        return spec.template.spec.containers[0].image === 'hello:3'
      })
      await operator.settle()
      await rollOut(hands, operator, instance)
      expect((await getInstance(world))['status'].phase).toBe('Running')
    },
    60_000,
  )

  it('since a Secret of the name is there already lets the roll-out go on with that one, unchanged', async () => {
    const { hands, operator, instance } = world
    await createRunning(world)
    const metadata = { namespace: instance, name: generatedSecretName('web', 'TOKEN') }
    const foreign = await hands.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { value: 'mine' } })
    await hands.apply(makeApp(world, [{ ...web, generatedSecrets: [{ name: 'TOKEN' }] }]))
    await operator.settle()
    const { latest } = (await getInstance(world))['status'].stack
    await hands.apply(makeInstance(world, { stack: { revision: latest } }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 2 } })
    const after = await hands.get('Secret', metadata)
    expect([after.metadata.resourceVersion, after['data']]).toEqual([foreign.metadata.resourceVersion, foreign['data']])
  }, 30_000)
})
