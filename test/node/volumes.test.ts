import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { conditionOf, onNode, podsOf, project, startNodeWorld, untilInstance, type NodeWorld } from './world.ts'

/** A volume that is bound only when a pod needs it, and that all replicas of a service share. */

let world: NodeWorld
const instance = 'shelf-dev'
const file = '/data/lines'
/** On the node, in memory. */
const folder = '/run/test-shelf'

const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'test-shelf' },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
}
const volume = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'test-shelf' },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteMany'],
    storageClassName: 'test-shelf',
    persistentVolumeReclaimPolicy: 'Retain',
    hostPath: { path: folder, type: 'Directory' },
  },
}
const app = {
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'App',
  metadata: { name: 'shelf' },
  spec: {
    stack: {
      services: [
        {
          name: 'web',
          ports: [{ port: 8080 }],
          healthCheck: { path: '/healthz' },
          volumes: [
            { name: 'data', path: '/data', size: '1Gi', accessMode: 'ReadWriteMany', storageClassName: 'test-shelf' },
          ],
        },
      ],
    },
  },
}

const declared = (): object => ({
  apiVersion: 'appstead.dev/v1alpha1',
  kind: 'AppInstance',
  metadata: { name: instance },
  spec: { app: 'shelf', env: 'dev', image: world.images.hello('1'), replicas: 2 },
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
  await world.kubectl.text(
    'delete',
    'persistentvolume,storageclass',
    'test-shelf',
    '--ignore-not-found',
    '--timeout=90s',
  )
  await onNode(world, 'rm', '-rf', folder)
  await onNode(world, 'mkdir', '-m', '0777', folder)
}, 900_000)

afterAll(async () => {
  if (world === undefined) return
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
  await world.kubectl.ask('delete', 'persistentvolume,storageclass', 'test-shelf', '--wait=false')
}, 60_000)

describe('a volume that all replicas share', () => {
  it('is waited for as long as there is none, said by the scheduler, and mounted as soon as there is one', async () => {
    await apply(storageClass, app, declared())
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
    await apply(volume)
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
