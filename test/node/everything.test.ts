import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { waitUntil } from '../cluster/kubeApi.ts'
import { helloImage } from '../../examples/hello/image.ts'
import { makeCanary } from '../support/canaries.ts'
import { environment, everything, instanceOf, rootMount, run, user, volumeNames } from './everythingApp.ts'
import { startRegistry, type Registry } from './registry.ts'
import {
  conditionOf,
  foreign,
  onNode,
  podsOf,
  project,
  removeForeignClaims,
  signalProcessOf,
  startNodeWorld,
  untilInstance,
  type Instance,
  type NodeWorld,
} from './world.ts'

/** One app whose services say nearly all that a service may say; its processes are asked what came of it. In order. */

let world: NodeWorld
const instance = 'everything-dev'
/** On the node, in memory. */
const folder = '/run/test-everything'
const [given, own] = volumeNames
let registry: Registry

/** Of the project, and allowed to the app. */
const allowed = (kind: string, name: string, content: object): object => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    name,
    labels: { 'appstead.dev/allow': 'true' },
    annotations: { 'appstead.dev/allow-apps': 'everything' },
  },
  ...content,
})

const volume = (name: string, accessMode: string): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: [accessMode],
    storageClassName: name,
    persistentVolumeReclaimPolicy: 'Retain',
    hostPath: { path: `${folder}/${name}`, type: 'Directory' },
  },
})

const apply = (items: readonly object[], namespace = project): Promise<string> =>
  world.kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), namespace)

const isRelease =
  (number: number) =>
  ({ status }: Instance): boolean =>
    status.phase === 'Running' && status.currentRelease?.number === number

/** The lines of a file on one of the volumes; none where it is not there yet. */
async function linesOf(name: string, file: string): Promise<readonly string[]> {
  const text = await onNode(world, 'find', `${folder}/${name}`, '-name', file, '-exec', 'cat', '{}', ';')
  return text.split('\n').filter((line) => line !== '')
}

/** Resolves when just these have run, in this order: an instance runs before what comes after its deployment has ended. */
async function untilActions(names: readonly string[]): Promise<void> {
  await waitUntil('the actions', 60, async () => (await linesOf(given, 'actions')).length >= names.length)
  expect(await linesOf(given, 'actions')).toEqual(names)
}

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly creationTimestamp: string }
  readonly spec: { readonly nodeName: string }
  readonly status: {
    readonly podIP: string
    readonly hostIP: string
    readonly conditions: readonly { readonly type: string; readonly lastTransitionTime: string }[]
  }
}

/** The one living pod of a service. */
async function podOf(service: string): Promise<Pod> {
  const [pod, ...others] = await podsOf(world, instance, `appstead.dev/service=${service},!appstead.dev/action`)
  expect(others).toEqual([])
  return pod as unknown as Pod
}

interface Seen {
  readonly uid: number
  readonly env: Readonly<Record<string, string>>
  readonly files: readonly { readonly content: string; readonly mode: string }[]
  readonly root: string
  readonly temporary: string
  readonly changed: string
}

const addressOf = (service: string): Promise<string> =>
  world.kubectl.text('-n', instance, 'get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}')

async function askWeb(): Promise<Seen> {
  const response = await fetch(`http://${await addressOf('web')}:8080/`, { signal: AbortSignal.timeout(10_000) })
  return (await response.json()) as Seen
}

beforeAll(async () => {
  world = await startNodeWorld()
  // Of a content of its own: an image that the node has is not pulled again.
  registry = await startRegistry(world, helloImage('appstead.local/web:1', crypto.randomUUID()), makeCanary('registry'))
  // Of a run before: its volume goes when its claim has gone.
  await world.kubectl.text('delete', 'persistentvolume', ...volumeNames, '--ignore-not-found', '--timeout=90s')
  await onNode(world, 'rm', '-rf', folder)
  await onNode(world, 'mkdir', folder)
  for (const name of volumeNames) await onNode(world, 'mkdir', '-m', '0777', `${folder}/${name}`)
}, 900_000)

afterAll(async () => {
  await registry?.stop()
  if (world === undefined) return
  await world.kubectl.ask('delete', 'namespace', project, '--wait=false')
  await world.kubectl.ask('delete', 'appenv', 'everything', '--wait=false')
  await removeForeignClaims(world.kubectl)
  await world.kubectl.ask('delete', 'persistentvolume', ...volumeNames, '--wait=false')
}, 60_000)

describe('an app that says all that a service may say', () => {
  it('runs, on a claim that others make in its namespace', async () => {
    await apply([
      volume(given, 'ReadWriteOnce'),
      volume(own, 'ReadWriteOncePod'),
      allowed('ConfigMap', 'config', { data: { COLOUR: 'red', WINS: 'config' } }),
      allowed('Secret', 'secret', { stringData: { PIN: '0815' } }),
      allowed('Secret', 'login', registry.login),
      environment,
      everything(world.images.hello('1'), 'first'),
      instanceOf(instance, `${registry.host}/web:1`),
    ])
    await waitUntil(
      'its namespace',
      30,
      async () => (await world.kubectl.ask('get', 'serviceaccount', 'default', '-n', instance)).status === 0,
    )
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'given', labels: foreign },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: given,
        resources: { requests: { storage: '1Gi' } },
      },
    }
    await apply([claim], instance)
    await untilInstance(world, instance, isRelease(1), 120)
    // A node hears up to a second late of who serves.
    await waitUntil('web answers', 30, () =>
      askWeb().then(
        () => true,
        () => false,
      ),
    )
  }, 180_000)

  it('gives its process the variables, the files, the user and the file system that were declared', async () => {
    const seen = await askWeb()
    const { metadata, spec, status } = await podOf('web')
    expect(seen.env).toMatchObject({
      POD: metadata.name,
      NAMESPACE: instance,
      UID: metadata.uid,
      NODE: spec.nodeName,
      HOST_IP: status.hostIP,
      POD_IP: status.podIP,
      POD_IPS: status.podIP,
      COLOUR: 'red',
      S_PIN: '0815',
      WINS: 'variable',
      OF_ENV: 'ENV',
      OF_APP: 'APP',
      OF_INSTANCE: 'INSTANCE',
      OF_ALL: 'INSTANCE',
      APPSTEAD_INSTANCE: instance,
    })
    expect(seen.env['TOKEN']).toHaveLength(40)
    expect(seen.uid).toBe(user)
    expect(seen).toMatchObject({ root: 'rw', temporary: 'written', changed: 'EACCES' })
    expect(seen.files).toEqual([
      { content: 'costs $(POD) 5$$\n', mode: '644' },
      { content: '0815', mode: '644' },
      { content: 'red', mode: '644' },
    ])
    const asked = run(`process.stdout.write(${rootMount})`)
    expect(await world.kubectl.text('-n', instance, 'exec', (await podOf('first')).metadata.name, '--', ...asked)).toBe(
      'ro',
    )
  }, 60_000)

  it('starts the service that others depend on first, and the others once it can serve', async () => {
    const first = await podOf('first')
    const ready = first.status.conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? ''
    expect(Date.parse(ready) - Date.parse(first.metadata.creationTimestamp)).toBeGreaterThanOrEqual(3000)
    expect(Date.parse((await podOf('web')).metadata.creationTimestamp)).toBeGreaterThanOrEqual(Date.parse(ready))
  }, 30_000)

  it('answers a datagram through its Service', async () => {
    const socket = createSocket('udp4')
    try {
      const answer = once(socket, 'message', { signal: AbortSignal.timeout(10_000) })
      socket.send('lamp', 5353, await addressOf('web'))
      expect(String((await answer)[0])).toBe('heard lamp')
    } finally {
      socket.close()
    }
  }, 30_000)

  it('has a replica that hangs taken out of the Service, and then started anew', async () => {
    const pod = await podOf('web')
    const { metadata } = pod
    const stateOf = (path: string): Promise<string> =>
      world.kubectl.text('-n', instance, 'get', 'pod', metadata.name, '-o', `jsonpath={.status.${path}}`)
    signalProcessOf(pod, 'SIGSTOP')
    await waitUntil('it is out of the Service', 60, async () => {
      return (await stateOf('conditions[?(@.type=="Ready")].status')) === 'False'
    })
    const lacking = await untilInstance(world, instance, ({ status }) => status.phase === 'Down', 30)
    process.stderr.write(`${conditionOf(lacking, 'Ready').state}: ${conditionOf(lacking, 'Ready').message}\n`)
    expect(conditionOf(lacking, 'Ready').message).toContain("service 'web'")
    await waitUntil('it is started anew', 120, async () => (await stateOf('containerStatuses[0].restartCount')) === '1')
    await untilInstance(world, instance, isRelease(1), 60)
    await waitUntil('it answers', 30, async () => (await askWeb()).env['POD'] === metadata.name)
  }, 240_000)

  it('has its image from a registry that asks for a login', () => {
    const answers = registry.answers()
    expect(answers.filter((line) => line.startsWith('401 ')).length).toBeGreaterThan(0)
    for (const part of ['manifests', 'blobs']) {
      expect(answers).toContainEqual(expect.stringMatching(new RegExp(`^200 GET /v2/web/${part}/`)))
    }
  })

  it('lets nobody start a privileged pod in its namespace', async () => {
    const overrides = JSON.stringify({
      spec: { containers: [{ name: 'x', image: 'x', securityContext: { privileged: true } }] },
    })
    const { status, stderr } = await world.kubectl.ask(
      '-n',
      instance,
      'run',
      'privileged',
      '--image=x',
      `--overrides=${overrides}`,
    )
    expect(status).not.toBe(0)
    expect(stderr).toContain('violates PodSecurity "restricted')
    expect(stderr).toContain('privileged')
  }, 30_000)

  it('runs its actions after a deployment one by one, and that for upgrades only after an upgrade', async () => {
    const deployed = [`one ${user}`, `two ${user}`]
    const upgraded = [`one ${user}`, `upgraded ${user}`, `two ${user}`]
    const { TOKEN } = (await askWeb()).env
    await untilActions(deployed)
    await apply([everything(world.images.hello('1'), 'second')])
    await untilInstance(world, instance, isRelease(2), 120)
    await untilActions([...deployed, ...upgraded])
    const patch = JSON.stringify({ spec: { variables: [{ name: 'MORE', value: 'yes' }] } })
    await world.kubectl.text('-n', project, 'patch', 'appinstance', instance, '--type=merge', '-p', patch)
    await untilInstance(world, instance, isRelease(3), 120)
    await untilActions([...deployed, ...upgraded, ...deployed])
    await waitUntil('the new web answers', 30, async () => (await askWeb()).env['MORE'] === 'yes')
    expect((await askWeb()).env['TOKEN']).toBe(TOKEN)
  }, 300_000)

  it('never has two pods on a volume for one: the next one starts when the last one has ended', async () => {
    expect(await linesOf(own, 'life')).toEqual([
      'start first',
      'end first',
      'start second',
      'end second',
      'start second',
    ])
  }, 30_000)
})
