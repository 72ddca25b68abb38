import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from '../cluster/cluster.ts'
import { layoutOf } from '../cluster/layout.ts'
import { startPostgres, type Binding, type PostgresServer } from '../cluster/postgres.ts'
import type { Report } from '../cluster/progress.ts'
import type { DemoImages } from './images.ts'
import type { Instance } from './hello.ts'
import type { Kubectl } from './kubectl.ts'
import { sayOutput } from './texts.ts'
import { waitFor } from './wait.ts'

/** What examples/shop needs of a platform team: databases, the Secrets that say where they are, and shared volumes. */

/** The instances of examples/shop. */
export const shops = ['shop-prod', 'shop-staging', 'shop-dev'] as const
type Shop = (typeof shops)[number]

/** Where a shop is prepared. */
export interface Ground {
  readonly cluster: Cluster
  readonly kubectl: Kubectl
  readonly images: DemoImages
  /** The namespace of the App and its instances. */
  readonly project: string
  readonly report: Report
  /** Makes up a password: of what it is told to. */
  readonly makePassword: (what: string) => string
}

/** The databases of the shops, and the server they are on. */
export interface Databases {
  readonly server: PostgresServer
  readonly of: Readonly<Record<Shop, Binding>>
}

/** Takes away what a shop of before has left: instances, their namespaces, the App and its stack, volumes. */
export async function removeShop({ kubectl, project }: Pick<Ground, 'kubectl' | 'project'>): Promise<void> {
  const gone = ['--ignore-not-found', '--timeout=120s']
  // That of an environment of type prod is protected.
  const lift = ['--type=merge', '-p', '{"spec":{"deletionProtection":false}}']
  for (const shop of shops) await kubectl.ask('-n', project, 'patch', 'appinstance', shop, ...lift)
  await kubectl.ask('-n', project, 'delete', 'appinstance', ...shops, ...gone)
  await kubectl.ask('delete', 'namespace', ...shops, ...gone)
  await kubectl.ask('-n', project, 'delete', 'appsteadapp,appstack', 'shop', ...gone)
  await kubectl.ask('delete', 'persistentvolume', ...shops.map(volumeName), ...gone)
}

/** Makes databases, Secrets and volumes for all three; resolves to where the databases are. */
export async function prepareShop(ground: Ground): Promise<Databases> {
  const { cluster, kubectl, project, report, makePassword } = ground
  const server = await startPostgres(cluster, makePassword('superuser'), report)
  const of = {} as Record<Shop, Binding>
  for (const shop of shops) {
    of[shop] = await server.createDatabase(shop.replace('-', '_'), makePassword(shop))
    await kubectl.apply(JSON.stringify(secretFor(shop, of[shop])), project)
    await kubectl.apply(JSON.stringify(volumeFor(cluster, shop)))
  }
  return { server, of }
}

/** Applies a file of examples/shop, with the images of this cluster; returns what kubectl said. */
export function applyShop(
  { kubectl, images, project }: Pick<Ground, 'kubectl' | 'images' | 'project'>,
  file: string,
): Promise<string> {
  const text = readFileSync(join(import.meta.dirname, '../../examples/shop', file), 'utf8')
  const image = (version: string): string => `image: ${images.shop(version === '1' ? '1' : '2')}`
  return kubectl.apply(
    text.replaceAll(/image: \S+:([12])/g, (_, version: string) => image(version)),
    project,
  )
}

const secretFor = (shop: Shop, binding: Binding): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: `${shop}-pg`,
    labels: { 'appstead.dev/allow': 'true' },
    annotations: { 'appstead.dev/allow-apps': 'shop', 'appstead.dev/allow-instances': shop },
  },
  stringData: binding,
})

const volumeName = (shop: Shop): string => `${shop}-uploads`

/** The node is this machine: what a storage class would make is a folder of it. */
function volumeFor(cluster: Cluster, shop: Shop): object {
  const path = join(layoutOf(cluster.name).folder, 'uploads', shop)
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o777)
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName(shop) },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteMany'],
      storageClassName: 'shared',
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { namespace: shop, name: 'web-uploads' },
      hostPath: { path },
    },
  }
}

/**
 * The story of examples/shop, told to the reader: prod on version 1.0 of the stack, then 1.1 with staging and dev, and an
 * order that the worker packs. In: a cluster of this machine, whose pods and host reach each other.
 */
export async function walkShop(stage: Omit<Ground, 'makePassword' | 'project'>): Promise<void> {
  const ground = { ...stage, project: 'default', makePassword: () => randomBytes(16).toString('hex') }
  const { kubectl, report } = ground
  await removeShop(ground)
  await prepareShop(ground)
  for (const [file, names] of [
    ['shop.yaml', ['shop-prod']],
    ['shop-1.1.yaml', ['shop-staging', 'shop-dev']],
  ] as const) {
    report(`  $ kubectl apply -f examples/shop/${file}`)
    sayOutput(await applyShop(ground, file), report)
    for (const name of names) await untilReady(ground, name, 1)
  }
  report('')
  sayOutput(await kubectl.text('get', 'appinstances'), report)
  await sayOrder(ground)
  await sayTokens(ground)
}

async function untilReady(
  { kubectl, report }: Pick<Ground, 'kubectl' | 'report'>,
  name: string,
  release: number,
): Promise<void> {
  await waitFor(`${name} to be ready`, 20, 180, report, async () => {
    const { metadata, status } = await kubectl.json<Instance>('get', 'appinstance', name)
    const ready = status.conditions?.find(({ type }) => type === 'Ready')
    const isSeen = status.observedGeneration === metadata.generation
    if (!isSeen) return { isDone: false, text: 'the operator has not looked at it yet' }
    const isDone = ready?.status === 'True' && status.currentRelease?.number === release
    return { isDone, text: `${status.phase}: ${ready?.message}` }
  })
}

/** Web writes the order to the database; the worker packs it, and leaves the receipt on the volume that web reads. */
async function sayOrder({ kubectl, report }: Pick<Ground, 'kubectl' | 'report'>): Promise<void> {
  const { spec } = await kubectl.json<Service>('-n', 'shop-prod', 'get', 'service', 'web')
  const url = `http://${spec.clusterIP}:8080`
  const ask = async (path: string, method = 'GET'): Promise<string> => {
    const response = await fetch(`${url}${path}`, { method, signal: AbortSignal.timeout(10_000) })
    return (await response.text()).trim()
  }
  report(`\n  $ curl -X POST "${url}/orders?item=lamp"`)
  const order = await ask('/orders?item=lamp', 'POST')
  report(`  > ${order}`)
  await waitFor('the worker to pack it', 1, 30, report, async () => {
    const text = await ask(`/orders/${order}`)
    return { isDone: text.startsWith('packed'), text }
  })
  report(`  $ curl ${url}\n  > ${await ask('/')}`)
}

/** By annotations: one replaces the replicas, one deploys what was changed and waits for it. */
async function sayTokens({ kubectl, images, report }: Pick<Ground, 'kubectl' | 'images' | 'report'>): Promise<void> {
  const say = async (...words: readonly string[]): Promise<void> => {
    report(`  $ kubectl ${words.map((word) => (/[{ ]/.test(word) ? `'${word}'` : word)).join(' ')}`)
    sayOutput(await kubectl.text(...words), report)
  }
  const annotate = (name: string, token: string): Promise<void> =>
    say('annotate', 'appinstance', name, '--overwrite', `appstead.dev/${token}`)
  report('')
  await annotate('shop-dev', 'restart=new certificates')
  await untilReady({ kubectl, report }, 'shop-dev', 2)
  const byHand = JSON.stringify({ spec: { image: images.shop('2'), deploy: { trigger: 'Manual' } } })
  await say('patch', 'appinstance', 'shop-staging', '--type=merge', '-p', byHand)
  await untilReady({ kubectl, report }, 'shop-staging', 1)
  await annotate('shop-staging', 'deploy=reviewed')
  await untilReady({ kubectl, report }, 'shop-staging', 2)
}

interface Service {
  readonly spec: { readonly clusterIP: string }
}
