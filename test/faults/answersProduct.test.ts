import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { makeApp, makeInstance } from '../apiserver/product/world.ts'
import { stopCluster } from '../cluster/cluster.ts'
import { auditMark, requestsOf } from '../support/auditLog.ts'
import { makeProject, productCluster, type ProductCluster, type Project } from '../support/productCluster.ts'
import { startOperator, type SteppedOperator } from '../support/steppedOperator.ts'
import { startProxy, type Proxy } from './proxy.ts'
import { chaos, withSeed, type Action } from './proxyRules.ts'

/** Faults D28 and D34 of the catalogue (README.md) for the whole product: what it makes is what it makes undisturbed. */
const name = 'test-faults-product'
let world: ProductCluster
let proxy: Proxy
let operator: SteppedOperator | undefined

beforeAll(async () => {
  world = await productCluster(name)
  proxy = await startProxy(world.operatorKubeconfig)
}, 120_000)
afterEach(async () => {
  proxy.clear()
  await operator?.stop()
})
afterAll(async () => {
  await proxy.close()
  await stopCluster({ name, report: () => undefined })
}, 60_000)

const faults: readonly Action[] = [
  { kind: 'status', code: 500 },
  { kind: 'status', code: 503 },
  { kind: 'dropBefore' },
  { kind: 'dropAfter' },
  { kind: 'truncate', bytes: 30, ending: 'reset' },
  { kind: 'truncate', bytes: 30, ending: 'clean' },
]

const nameless = (text: string | undefined): string => (text ?? '').replaceAll(/[0-9a-f]{5,}/g, 'x')

/** What the operator made and deleted since `mark`, without the random parts of names; Events are not counted. */
function made(mark: number): readonly string[] {
  const answered = requestsOf(world.cluster, world.operatorUser, mark)
  return answered
    .filter(({ verb, responseStatus: { code } }) => code === 201 || (verb === 'delete' && code < 300))
    .filter(({ objectRef }) => objectRef?.resource !== 'events')
    .map(({ verb, objectRef }) => {
      const what = verb === 'delete' ? 'deleted' : 'made'
      return `${what} ${objectRef?.resource} ${nameless(objectRef?.namespace)}/${nameless(objectRef?.name)}`
    })
    .toSorted()
}

async function imageOf({ instance }: Project): Promise<string | undefined> {
  const deployment = await world.hands.find('Deployment', { namespace: instance, name: 'web' })
  return deployment?.['spec'].template.spec.containers[0].image
}

/** An instance is created, and its image changed. Returns what the operator made for it. */
async function play(): Promise<readonly string[]> {
  const project = await makeProject(world.hands)
  operator = await startOperator({ ...world, operatorKubeconfig: proxy.kubeconfig })
  const mark = auditMark(world.cluster)
  const has =
    (image: string): (() => Promise<boolean>) =>
    async () =>
      (await imageOf(project)) === image
  await world.hands.apply(makeApp(project))
  await world.hands.apply(makeInstance(project))
  await operator.until('the first image', has('hello:1'), 40)
  await world.hands.apply(makeInstance(project, { image: 'hello:2' }))
  await operator.until('the second image', has('hello:2'), 40)
  proxy.clear()
  await operator.settle()
  return made(mark)
}

describe('the product', () => {
  it.each([1, 2, 3])(
    'makes the same with a quarter of its calls broken as undisturbed (D28, D34, seed %d)',
    (seed) =>
      withSeed(seed, async () => {
        const undisturbed = await play()
        await operator?.stop()
        const broken = proxy.rule(chaos(seed, 0.25, ({ isWatch }) => !isWatch, faults))
        expect(await play()).toEqual(undisturbed)
        expect(undisturbed.length).toBeGreaterThan(5)
        expect(broken.hits).toBeGreaterThan(3)
        expect(operator?.log.filter(({ thrown }) => thrown === 'bug')).toEqual([])
      }),
    120_000,
  )
})
