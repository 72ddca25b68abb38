import { afterEach, describe, expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import {
  childWrites,
  conditionsOf,
  create,
  createRunning,
  getInstance,
  makeInstance,
  messageOf,
  releasesOf,
  useWorld,
} from './world.ts'

const world = useWorld()

const apiVersion = 'admissionregistration.k8s.io/v1'
const policies = [
  { kind: 'MutatingAdmissionPolicyBinding', path: `/apis/${apiVersion}/mutatingadmissionpolicybindings` },
  { kind: 'MutatingAdmissionPolicy', path: `/apis/${apiVersion}/mutatingadmissionpolicies` },
] as const
const [binding, policy] = policies

afterEach(async () => {
  for (const { path } of policies) await world.hands.admin({ method: 'DELETE', path: `${path}/change-${world.app}` })
})

const deployment = () => ({ namespace: world.instance, name: 'web' })

/** A policy of the platform that sets `path` of each Deployment in this test's namespaces; resolves when it is in force. */
async function changeDeployments(path: string, value: number | boolean): Promise<void> {
  const { hands, app, operator } = world
  const metadata = { name: `change-${app}` }
  const resourceRules = [
    { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
  ]
  const expression = `[JSONPatch{op: "add", path: "${path}", value: ${value}}]`
  await post(policy, {
    metadata,
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: { resourceRules },
      matchConditions: [{ name: 'here', expression: `request.namespace.startsWith('${app}')` }],
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
    },
  })
  await post(binding, { metadata, spec: { policyName: metadata.name } })
  await hands.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: `${app}-probe` } })
  await operator.until('the policy is in force', () => isChanging(path, value))
  await hands.remove('Namespace', { namespace: '', name: `${app}-probe` })
}

async function post({ kind, path }: (typeof policies)[number], object: object): Promise<void> {
  const { status, body } = await world.hands.admin({ method: 'POST', path, body: { apiVersion, kind, ...object } })
  if (status > 299) throw new Error(JSON.stringify(body))
}

async function isChanging(path: string, value: number | boolean, namespace = `${world.app}-probe`): Promise<boolean> {
  const matchLabels = { a: 'b' }
  const template = { metadata: { labels: matchLabels }, spec: { containers: [{ name: 'a', image: 'a:1' }] } }
  const body = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'probe' },
    // Not what the server would make of it without the policy.
    spec: { replicas: 3, selector: { matchLabels }, template },
  }
  const where = `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`
  const { body: answer } = await world.hands.admin({ method: 'POST', path: where, body })
  const found = path
    .slice(1)
    .split('/')
    .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], answer)
  return found === value
}

const deploymentWrites = (): readonly string[] => childWrites(world).filter((each) => each === 'apply Deployment web')

describe('an admission policy that changes what is applied', () => {
  const path = '/spec/template/spec/terminationGracePeriodSeconds'
  const told =
    "Deployment 'web': the API server stores spec.template.spec.terminationGracePeriodSeconds otherwise than applied: an admission policy or webhook changes it."

  it('is told once, and the instance runs; nothing is written again, but once after a restart', async () => {
    const { hands, operator, instance, namespace } = world
    await changeDeployments(path, 77)
    await create(world)
    await rollOut(hands, operator, instance)
    const running = await getInstance(world)
    expect(running['status'].phase).toBe('Running')
    expect(messageOf(running, 'Ready')).toBe(`All services are ready. ${told}`)
    expect(conditionsOf((await releasesOf(world))[0]!)).toEqual({ Succeeded: 'True RolledOut' })
    expect(deploymentWrites()).toHaveLength(1)
    expect((await hands.get('Deployment', deployment()))['spec'].template.spec.terminationGracePeriodSeconds).toBe(77)
    const events = (await hands.list('Event', namespace)).filter((event) => event['reason'] === 'ChangedByAdmission')
    expect(events.map(({ type, message, count }) => [type, message, count])).toEqual([['Warning', told, 1]])

    await world.whileDown(() => Promise.resolve())
    await world.operator.settle()
    expect(deploymentWrites()).toHaveLength(1)
    expect((await getInstance(world))['status']).toEqual(running['status'])
    world.operator.writes.splice(0)
    await hands.patch('Deployment', deployment(), { metadata: { annotations: { foreign: 'x' } } })
    await world.operator.settle()
    expect(childWrites(world)).toEqual([])
  }, 60_000)

  it('is no leave for a hand to change the same, and the next release goes through', async () => {
    const { hands, operator, instance } = world
    await changeDeployments(path, 77)
    await create(world)
    await rollOut(hands, operator, instance)
    await hands.patch('Deployment', deployment(), {
      spec: { template: { spec: { containers: [{ name: 'web', image: 'evil:1' }] } } },
    })
    await operator.settle()
    const { spec } = await hands.get('Deployment', deployment())
    expect([spec.template.spec.containers[0].image, deploymentWrites().length]).toEqual(['hello:1', 2])
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 2 } })
    expect(deploymentWrites()).toHaveLength(3)
  }, 60_000)

  it('by which fewer replicas run than declared leaves the instance not ready, and says why', async () => {
    const { hands, operator, instance } = world
    await changeDeployments('/spec/replicas', 1)
    await create(world, { spec: { replicas: 2 } })
    await rollOut(hands, operator, instance)
    const short = await getInstance(world)
    expect(conditionsOf(short)['Ready']).toBe('Unknown RollingOut')
    expect(messageOf(short, 'Ready')).toContain("Deployment 'web': the API server stores spec.replicas otherwise")
    expect(short['status'].counts.summary).toBe('1/2')
    expect(deploymentWrites()).toHaveLength(1)
  }, 60_000)
})

describe('a policy that makes pods of the kind that Pod Security forbids', () => {
  it('is told in its words while the old ones serve, and the next image without it heals', async () => {
    const { hands, operator, instance, app } = world
    await createRunning(world)
    const path = '/spec/template/spec/securityContext/runAsNonRoot'
    await changeDeployments(path, false)
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    const words = 'violates PodSecurity "restricted:latest": runAsNonRoot != true'
    await operator.until('it is told', async () => messageOf(await getInstance(world), 'Ready').includes(words))
    await operator.settle()
    const refused = await getInstance(world)
    expect(conditionsOf(refused)).toMatchObject({
      Ready: 'Unknown Forbidden',
      Available: 'True Serving',
      Reconciling: 'True Forbidden',
    })
    expect(messageOf(refused, 'Ready')).toContain(`kubectl describe replicasets -n ${instance}`)
    const writes = deploymentWrites().length
    for (const label of ['a', 'b', 'c']) {
      await hands.patch('Deployment', deployment(), { metadata: { labels: { foreign: label } } })
      await operator.settle()
    }
    expect(deploymentWrites()).toHaveLength(writes)
    for (const each of policies) await hands.admin({ method: 'DELETE', path: `${each.path}/change-${app}` })
    await operator.until('the policy is not in force', async () => !(await isChanging(path, false, instance)))
    await hands.apply(makeInstance(world, { image: 'hello:3' }))
    await operator.settle()
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 3 } })
  }, 60_000)
})

/** It wants seven replicas, and says so whenever it sees another number. */
async function contest(): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${world.instance}/deployments/web`
  const { spec } = await world.hands.get('Deployment', deployment())
  if (spec.replicas === 7) return
  await world.hands.admin({ method: 'PATCH', path: `${path}?fieldManager=rival`, body: { spec: { replicas: 7 } } })
}

describe('a controller that undoes each of our writes', () => {
  it('is told by the name of its field manager, and is not answered without end', async () => {
    const { hands, operator, instance } = world
    await create(world)
    await rollOut(hands, operator, instance)
    operator.writes.splice(0)
    await operator.until('the fight is told', async () => {
      await contest()
      return conditionsOf(await getInstance(world))['Ready'] === 'False Contested'
    })
    await operator.settle()
    const fighting = await getInstance(world)
    expect(conditionsOf(fighting)['Reconciling']).toBe('True Contested')
    expect(fighting['status'].phase).toBe('Degraded')
    expect(messageOf(fighting, 'Ready')).toBe(
      `Deployment 'web': field manager 'rival' changes spec.replicas each time after it was written; see kubectl get deployment web -n ${instance} -o yaml --show-managed-fields`,
    )
    const count = deploymentWrites().length
    expect(count).toBeLessThanOrEqual(5)
    // Whatever else happens, it is not written now.
    for (const label of ['a', 'b', 'c']) {
      await hands.patch('Deployment', deployment(), { metadata: { labels: { foreign: label } } })
      await operator.settle()
    }
    expect(deploymentWrites()).toHaveLength(count)
    expect((await getInstance(world))['status'].conditions).toEqual(fighting['status'].conditions)
    // Another release is a new beginning.
    await hands.apply(makeInstance(world, { image: 'hello:2' }))
    await operator.settle()
    expect((await hands.get('Deployment', deployment()))['spec']).toMatchObject({ replicas: 1 })
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', currentRelease: { number: 2 } })
  }, 60_000)

  it('and then stops, finds our value there half a minute later', async () => {
    const { hands, operator, instance } = world
    await create(world)
    await rollOut(hands, operator, instance)
    await operator.until('the fight is told', async () => {
      await contest()
      return conditionsOf(await getInstance(world))['Ready'] === 'False Contested'
    })
    const isOurs = async () => (await hands.get('Deployment', deployment()))['spec'].replicas === 1
    expect(await isOurs()).toBe(false)
    await operator.until('it is as declared', isOurs, 45)
    // Until it has stood for a minute, nobody knows whether it will.
    await operator.settle()
    expect(conditionsOf(await getInstance(world))['Ready']).toBe('False Contested')
  }, 90_000)
})
