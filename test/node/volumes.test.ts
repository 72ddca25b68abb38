import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { waitUntil } from '../cluster/kubeApi.ts'
import { conditionOf, onNode, podsOf, project, startNodeWorld, untilInstance, type NodeWorld } from './world.ts'

/** A volume that is bound only when a pod needs it, and that all replicas of a service share; and one that is made at once. */

let world: NodeWorld
const instance = 'shelf-dev'
const file = '/data/lines'
/** On the node, in memory. */
const folder = '/run/test-shelf'
const classes = ['test-shelf', 'test-drawer']

const storageClass = (name: string, volumeBindingMode: string): object => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode,
})
/** Of the class of that name. */
const volume = (name: string, claimRef?: object): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteMany'],
    storageClassName: name,
    persistentVolumeReclaimPolicy: 'Retain',
    hostPath: { path: folder, type: 'Directory' },
    ...(claimRef && { claimRef }),
  },
})
const app = (name: string, storageClassName: string): object => ({
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'App',
  metadata: { name },
  spec: {
    stack: {
      services: [
        {
          name: 'web',
          ports: [{ port: 8080 }],
          healthCheck: { path: '/healthz' },
          volumes: [{ name: 'data', path: '/data', size: '1Gi', accessMode: 'ReadWriteMany', storageClassName }],
        },
      ],
    },
  },
})

const declared = (name: string): object => ({
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'AppInstance',
  metadata: { name: `${name}-dev` },
  spec: { app: name, env: 'dev', image: world.images.hello('1'), replicas: 2 },
})

const apply = (...items: readonly object[]): Promise<string> =>
  world.kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), project)

/** Has each replica run this, and returns what each printed, by its pod. */
async function inEach(program: string): Promise<ReadonlyMap<string, string>> {
  const pods = await podsOf(world, instance, 'appstead.dev/service=web')
  const printed = pods.map(async ({ metadata: { name } }) => {
    const text = await world.kubectl.text('-n', instance, 'exec', name, '--', 'node', '--eval', program)
    return [name, text] as const
  })
  return new Map(await Promise.all(printed))
}

async function linesSeen(): Promise<readonly (readonly string[])[]> {
  const printed = await inEach(`process.stdout.write(fs.readFileSync('${file}'))`)
  return [...printed.values()].map((text) => text.trim().split('\n').toSorted())
}

beforeAll(async () => {
  world = await startNodeWorld()
  // Of a run before: its volume goes when its claim has gone.
  await world.kubectl.text('delete', 'persistentvolume,storageclass', ...classes, '--ignore-not-found', '--timeout=90s')
  await onNode(world, 'rm', '-rf', folder)
  await onNode(world, 'mkdir', '-m', '0777', folder)
}, 900_000)

afterAll(async () => {
  if (world === undefined) return
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
  await world.kubectl.ask('delete', 'persistentvolume,storageclass', ...classes, '--wait=false')
}, 60_000)

describe('a volume that all replicas share', () => {
  it('is waited for as long as there is none, said by the scheduler, and mounted as soon as there is one', async () => {
    await apply(storageClass('test-shelf', 'WaitForFirstConsumer'), app('shelf', 'test-shelf'), declared('shelf'))
    const waiting = await untilInstance(
      world,
      instance,
      (each) => conditionOf(each, 'Ready').state.includes('ClaimUnbound'),
      60,
    )
    const { message } = conditionOf(waiting, 'Ready')
    process.stderr.write(`${message}\n`)
    expect(message).toContain("claim 'web-data' (storage class 'test-shelf') is not bound: ")
    expect(message).toContain("didn't find available persistent volumes to bind")
    expect(message).toContain(`see kubectl describe pvc web-data -n ${instance}`)
    await apply(volume('test-shelf'))
    const running = await untilInstance(world, instance, ({ status }) => status.phase === 'Running')
    expect(running.status.counts?.summary).toBe('2/2')
    expect(conditionOf(running, 'ZeroDowntime').state).toBe('True NoInterruption')
  }, 180_000)

  it('has what either replica wrote for both, and for those after them', async () => {
    const before = await inEach(`fs.appendFileSync('${file}', os.hostname() + '\\n')`)
    const names = [...before.keys()].toSorted()
    expect(names).toHaveLength(2)
    expect(await linesSeen()).toEqual([names, names])
    const patch = JSON.stringify({ spec: { image: world.images.hello('2') } })
    await world.kubectl.text('-n', project, 'patch', 'appinstance', instance, '--type=merge', '-p', patch)
    const after = await untilInstance(world, instance, ({ status }) => status.phase === 'Running')
    expect(after.status).toMatchObject({ counts: { summary: '2/2' }, currentRelease: { number: 2 } })
    const replaced = await podsOf(world, instance, 'appstead.dev/service=web')
    expect(replaced.filter(({ metadata }) => names.includes(metadata.name))).toEqual([])
    expect(await linesSeen()).toEqual([names, names])
  }, 180_000)
})

describe('a volume that is made at once', () => {
  it('takes a moment, of which the scheduler complains and the instance does not', async () => {
    const { kubectl } = world
    await apply(storageClass('test-drawer', 'Immediate'), app('drawer', 'test-drawer'), declared('drawer'))
    const conditions = '{.items[*].status.conditions[?(@.type=="PodScheduled")].message}'
    await waitUntil('the scheduler complains', 30, async () =>
      (await kubectl.text('-n', 'drawer-dev', 'get', 'pods', '-o', `jsonpath=${conditions}`)).includes('unbound'),
    )
    const claim = await kubectl.json<{ metadata: { uid: string } }>('-n', 'drawer-dev', 'get', 'pvc', 'web-data')
    const { uid } = claim.metadata
    // As a driver that makes volumes does it.
    await apply(volume('test-drawer', { namespace: 'drawer-dev', name: 'web-data', uid }))
    await untilInstance(world, 'drawer-dev', ({ status }) => status.phase === 'Running')
    const events = ['events', '--field-selector', 'involvedObject.name=drawer-dev', '--no-headers']
    const told = await kubectl.text('-n', project, 'get', ...events)
    process.stderr.write(told)
    expect(told).toContain('RolledOut')
    expect(told).not.toContain('Warning')
  }, 120_000)
})
