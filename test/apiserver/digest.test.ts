import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import type { ResolvedService } from '../../operator/api/service/resolvedService.ts'
import { apiVersionOf, deploymentType, horizontalPodAutoscalerType, namespaceType } from '../../operator/api/builtin.ts'
import { fieldManager, refOf } from '../../operator/api/meta.ts'
import type { KubeObject } from '../../operator/api/meta.ts'
import { compareQuantities, cpuQuantity, memoryQuantity } from '../../operator/api/quantity.ts'
import { desiredDigest, ownedDigest } from '../../operator/apply/digest.ts'
import type { Applied } from '../../operator/apply/execute.ts'
import { execute } from '../../operator/apply/execute.ts'
import { Fights } from '../../operator/apply/fights.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient, type PooledKubeClient } from '../../operator/kube/restClient.ts'
import { objectPath } from '../../operator/kube/paths.ts'
import { makeDeployment } from '../../operator/render/deployment.ts'
import type { Desired, Plan } from '../../operator/render/plan.ts'
import { canonicalQuantity } from '../../operator/render/quantity.ts'
import type { Writer } from '../../operator/runtime/controller.ts'
import { cases, objectsOf } from '../render/cases.ts'
import { decide, withRevisions } from '../render/world.ts'
import { apiServer, demand, dropNamespace, makeNamespace } from '../support/apiserver.ts'
import { nothing } from '../unit/apply/server.ts'
import type { Admin } from '../support/apiserver.ts'

jest.setTimeout(120_000)

/** Is what we rendered what the real server holds? If it ever seemed not to be, we would write again for ever. */

let admin: Admin
let kube: PooledKubeClient
const namespaces: string[] = []

beforeAll(async () => {
  const server = await apiServer()
  admin = server.admin
  kube = makeKubeClient(loadKubeConfig(server.cluster.kubeconfig))
}, 300_000)

afterAll(async () => {
  for (const name of namespaces) await dropNamespace(admin, name)
  await kube?.close()
})

const live = (desired: Desired): Promise<KubeObject> => kube.get(desired.type, refOf(desired.object))
const isEqual = (desired: Desired, object: KubeObject): boolean => ownedDigest(object) === desiredDigest(desired.object)

/** The plan of a golden case for an instance, and so a namespace, of a name that nothing else has. */
async function planOf(name: string): Promise<Plan> {
  const suffix = Math.random().toString(36).slice(2, 8)
  const renamed = JSON.stringify(objectsOf(name)).replaceAll(/"(hello|shop)-dev"/g, `"$1-x${suffix}"`)
  const { plan } = decide(await withRevisions(JSON.parse(renamed) as KubeObject[]))
  namespaces.push(plan!.stages[0]!.objects[0]!.object.metadata.name)
  return { ...plan!, stages: plan!.stages.map((stage) => ({ ...stage, objects: stage.objects.map(withValues) })) }
}

/** A copy has values, which stand in no plan. */
function withValues(desired: Desired): Desired {
  const values = desired.copy?.values.map(({ key }) => [key, Buffer.from('{}').toString('base64')]) ?? []
  return desired.copy ? { ...desired, values: { reveal: () => Object.fromEntries(values) } } : desired
}

const writer = {
  create: (type, object) => kube.create(type, object),
  apply: (type, object) => kube.apply(type, object),
  delete: (type, ref, uid) => kube.delete(type, ref, uid),
  getLive: (type, ref) => kube.get(type, ref),
} as Writer
/** What `execute` sees of the server as it is now. */
async function executeOn(plan: Plan): Promise<Applied> {
  const owned = []
  for (const desired of plan.stages.flatMap(({ objects }) => objects)) {
    const object = await live(desired).catch(() => undefined)
    if (object) owned.push({ type: desired.type, object, digest: ownedDigest(object) })
  }
  // Of each call its own: many hands in a minute would be a fight.
  const fights = new Fights()
  const jobs = new Set(owned.filter(({ type }) => type.kind === 'Job').map(({ object }) => object.metadata.name))
  const recordOf = (job: string): 'Succeeded' | undefined => (jobs.has(job) ? 'Succeeded' : undefined)
  const always = {
    isRolledOut: () => true,
    wasInPlace: () => false,
    mayRun: true,
    isIdle: () => false,
    isToScale: () => false,
  }
  return execute(writer, plan, owned, { fights, now: new Date(), of: 'r1', recordOf, ...always })
}

/** Until nothing waits for a Job any more; each of them has succeeded as soon as it is there. Out: what was created. */
async function executeAll(plan: Plan): Promise<readonly Desired[]> {
  const { created, altered, waiting } = await executeOn(plan)
  expect(altered).toEqual([])
  return waiting.length === 0 ? created : [...created, ...(await executeAll(plan))]
}

const kept = (plan: Plan): Desired[] =>
  plan.stages.flatMap(({ objects }) => objects).filter(({ mode }) => !['once', 'run', 'copy'].includes(mode))

describe('what was written is as rendered, and is not written again', () => {
  it.each(cases)('every object of the golden case %s', async (name) => {
    const plan = await planOf(name)
    const objects = plan.stages.flatMap(({ objects: each }) => each)
    expect(await executeAll(plan)).toHaveLength(objects.length)
    for (const desired of kept(plan)) {
      expect([desired.type.kind, isEqual(desired, await live(desired))]).toEqual([desired.type.kind, true])
    }
    expect(await executeOn(plan)).toEqual(nothing)
  })

  it('a namespace, of which only the metadata is watched, created and later applied', async () => {
    const [desired] = (await planOf('hello')).stages[0]!.objects
    const metadataOnly = async (): Promise<KubeObject> =>
      demand(admin, {
        path: objectPath(namespaceType, refOf(desired!.object)),
        accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
      })
    await kube.create(namespaceType, desired!.object)
    expect(isEqual(desired!, await metadataOnly())).toBe(true)
    await kube.apply(namespaceType, desired!.object)
    expect(isEqual(desired!, await metadataOnly())).toBe(true)
  })
})

/** As kubectl does it: another field manager. */
async function patchByHand(desired: Desired, patch: unknown, contentType: 'merge' | 'strategic-merge' = 'merge') {
  const path = `${objectPath(desired.type, refOf(desired.object))}?fieldManager=kubectl-edit`
  return demand(admin, { method: 'PATCH', path, body: patch, contentType: `application/${contentType}-patch+json` })
}

describe('a change by another hand', () => {
  let plan: Plan
  beforeAll(async () => {
    plan = await planOf('web-and-worker')
    await executeOn(plan)
  })

  it('of a label of ours is seen on every object, changed or removed, and mended by one write', async () => {
    for (const value of ['other', null]) {
      for (const desired of kept(plan)) {
        const edited = await patchByHand(desired, { metadata: { labels: { 'appstead.dev/env': value } } })
        expect([desired.type.kind, value, isEqual(desired, edited)]).toEqual([desired.type.kind, value, false])
      }
      expect((await executeOn(plan)).changed).toHaveLength(kept(plan).length)
      expect((await executeOn(plan)).changed).toEqual([])
    }
  })

  it.each([
    ['Deployment', { spec: { replicas: 7 } }],
    ['Deployment', { spec: { template: { spec: { terminationGracePeriodSeconds: 60 } } } }],
    ['Deployment', { spec: { template: { spec: { containers: [{ name: 'web', image: 'registry.example/evil' }] } } } }],
    ['Deployment', { spec: { template: { spec: { containers: [{ name: 'web', command: null }] } } } }],
    ['Service', { spec: { selector: { 'appstead.dev/service': 'other' } } }],
    ['Service', { spec: { ports: [{ port: 8080, targetPort: 1 }] } }],
    ['PodDisruptionBudget', { spec: { maxUnavailable: 2 } }],
    ['NetworkPolicy', { spec: { ingress: [{}] } }],
    ['NetworkPolicy', { spec: { podSelector: { matchLabels: { a: 'b' } } } }],
    ['ServiceAccount', { automountServiceAccountToken: true }],
  ])('of a field of ours in a %s is seen and mended: %j', async (kind, patch) => {
    const desired = kept(plan).find(({ type }) => type.kind === kind)!
    expect(isEqual(desired, await patchByHand(desired, patch, 'strategic-merge'))).toBe(false)
    expect((await executeOn(plan)).changed).toEqual([desired])
    expect(isEqual(desired, await live(desired))).toBe(true)
  })

  it('of what scales a service is seen and mended; a number that another owns is left to him', async () => {
    const scaled = await planOf('autoscaling')
    await executeOn(scaled)
    const autoscaler = kept(scaled).find(({ type }) => type === horizontalPodAutoscalerType)!
    expect(isEqual(autoscaler, await patchByHand(autoscaler, { spec: { maxReplicas: 9 } }))).toBe(false)
    expect((await executeOn(scaled)).changed).toEqual([autoscaler])
    const deployment = kept(scaled).find(({ type }) => type === deploymentType)!
    const { replicas: _replicas, ...spec } = (deployment.object as unknown as { spec: { replicas?: number } }).spec
    const left = { ...deployment, object: { ...deployment.object, spec } as KubeObject }
    const edited = await patchByHand(deployment, { spec: { replicas: 5 } })
    expect([isEqual(deployment, edited), isEqual(left, edited)]).toEqual([false, true])
    expect(await kube.apply(deploymentType, left.object)).toMatchObject({ spec: { replicas: 5 } })
  })

  it('of what is not ours is left alone: a label, an annotation, a finalizer', async () => {
    const metadata = { labels: { foreign: 'x' }, annotations: { foreign: 'x' } }
    for (const desired of kept(plan)) {
      expect([desired.type.kind, isEqual(desired, await patchByHand(desired, { metadata }))]).toEqual([
        desired.type.kind,
        true,
      ])
    }
  })

  it.each([
    { containers: [{ name: 'sidecar', image: 'registry.example/mesh' }] },
    { containers: [{ name: 'web', env: [{ name: 'FOREIGN', value: '1' }] }] },
    { containers: [{ name: 'web', resources: { limits: { 'example.com/device': '1' } } }] },
    { containers: [{ name: 'web', volumeMounts: [{ name: 'tmp', mountPath: '/foreign' }] }] },
    { nodeSelector: { pool: 'large' } },
  ])('of what is not ours in a pod is left alone: %j', async (spec) => {
    const desired = kept(plan).find(({ type, object }) => type === deploymentType && object.metadata.name === 'web')!
    const edited = await patchByHand(desired, { spec: { template: { spec } } }, 'strategic-merge')
    expect(isEqual(desired, edited)).toBe(true)
  })
})

const service: ResolvedService = {
  name: 'web',
  type: 'Web',
  main: true,
  image: 'registry.example/web:1',
  ports: [1, 2, 3].map((each) => ({ name: `p${each}`, port: each, protocol: 'TCP' as const })),
  variables: ['A', 'B', 'C', 'D'].map((name) => ({ name, value: name })),
  files: ['/a', '/b', '/c'].map((path) => ({ path, content: path })),
  resources: {},
  replicas: 1,
  rollout: { progressDeadlineSeconds: 300, drainSeconds: 0, terminationGracePeriodSeconds: 30 },
  generatedSecrets: [],
}

describe('a Deployment', () => {
  let namespace: string
  const desiredOf = (more: Partial<ResolvedService>): Desired =>
    makeDeployment(
      { app: 'a', env: 'e', project: 'p', instance: namespace },
      { ...service, ...more, asked: service.replicas },
    )
  const applied = async (more: Partial<ResolvedService>): Promise<boolean> => {
    const desired = desiredOf(more)
    return isEqual(desired, await kube.apply(deploymentType, desired.object))
  }

  beforeAll(async () => {
    namespace = await makeNamespace(admin, 'digest')
    namespaces.push(namespace)
  })

  it('is as rendered whatever the order its lists had before', async () => {
    const { ports, variables, files } = service
    expect(await applied({})).toBe(true)
    expect(await applied({ variables: variables.toReversed() })).toBe(true)
    expect(await applied({ variables: [variables[2]!, variables[0]!, { name: 'N', value: '' }, variables[3]!] })).toBe(
      true,
    )
    expect(await applied({ ports: ports.toReversed() })).toBe(true)
    expect(await applied({ ports: [ports[1]!, ports[0]!] })).toBe(true)
    expect(await applied({ files: files.toReversed() })).toBe(true)
  })

  it('is as rendered with empty lists and empty amounts', async () => {
    expect(await applied({ command: [], args: [] })).toBe(true)
    expect(await applied({ command: [''], args: ['', '$(X)', '$$'] })).toBe(true)
    expect(await applied({ resources: { limits: {}, requests: {} } })).toBe(true)
    expect(await applied({ resources: { limits: {}, requests: { cpu: '0' } } })).toBe(true)
  })

  it('of which another manager set amounts that we do not render is as rendered', async () => {
    expect(await applied({ resources: {} })).toBe(true)
    const containers = [{ name: 'web', resources: { limits: { cpu: '1' } } }]
    const body = { spec: { template: { spec: { containers } } } }
    const edited = await patchByHand(desiredOf({}), body, 'strategic-merge')
    expect(isEqual(desiredOf({ resources: {} }), edited)).toBe(true)
  })

  it('keeps every amount as it is rendered, and it is the amount that was asked for', async () => {
    const amount = fc.record({ cpu: fc.stringMatching(cpuQuantity), memory: fc.stringMatching(memoryQuantity) })
    const property = fc.asyncProperty(fc.array(amount, { minLength: 40, maxLength: 40 }), async (written) => {
      const rendered = written.map(({ cpu, memory }) => ({
        cpu: canonicalQuantity(cpu),
        memory: canonicalQuantity(memory),
      }))
      expect(await storedAmounts(namespace, rendered)).toEqual(rendered)
      for (const [index, { cpu, memory }] of (await storedAmounts(namespace, written)).entries()) {
        expect([written[index], compareQuantities(cpu, rendered[index]!.cpu)]).toEqual([written[index], 0])
        expect([written[index], compareQuantities(memory, rendered[index]!.memory)]).toEqual([written[index], 0])
      }
    })
    await fc.assert(property, { numRuns: 10 })
  })
})

interface Amounts {
  readonly cpu: string
  readonly memory: string
}

function deploymentWith(namespace: string, amounts: readonly Amounts[]) {
  const labels = { a: 'b' }
  const containers = amounts.map((requests, index) => ({ name: `c${index}`, image: 'i', resources: { requests } }))
  return {
    apiVersion: apiVersionOf(deploymentType),
    kind: 'Deployment',
    metadata: { name: 'amounts', namespace },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  }
}

/** The amounts as the server would store them. */
async function storedAmounts(namespace: string, amounts: readonly Amounts[]): Promise<Amounts[]> {
  const path = `${objectPath(deploymentType, { namespace, name: 'amounts' })}?fieldManager=${fieldManager}&dryRun=All&force=true`
  const body = deploymentWith(namespace, amounts)
  const contentType = 'application/apply-patch+yaml'
  const answer = await demand<typeof body>(admin, { method: 'PATCH', path, body, contentType })
  return answer.spec.template.spec.containers.map(({ resources }) => resources.requests)
}
