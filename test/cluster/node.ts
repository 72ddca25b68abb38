import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { writePair, type Authority } from './certificates.ts'
import { kubeconfigOf, waitFor, writeComponentKubeconfig, type Start } from './controlPlane.ts'
import { makeImage } from './image.ts'
import { ask, isReady, type Connection, type NodeObject } from './kubeApi.ts'
import type { Layout, NodeLayout } from './layout.ts'
import { runInside, type NodeAddresses } from './network.ts'
import { pluginFolders } from './packages.ts'
import { tryRun, type Started } from './process.ts'

export const nodeBinaries = [
  'kube-scheduler',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'kubelet',
  'kube-proxy',
  'pause',
] as const
export type NodePaths = Record<(typeof nodeBinaries)[number], string>

/** A node while it is brought up. */
export interface Machine {
  layout: Layout
  node: NodeLayout
  addresses: NodeAddresses
  /** The process that holds its namespaces. */
  holder: Started
  /** Starts a process in there. */
  start: Start
}

const pauseImage = 'appstead.local/pause:1'
const networkConfigFolder = '/var/lib/containerd/net.d'
const socket = '/run/containerd/containerd.sock'

/** An overlay cannot lie on another one, as it would inside a container. */
async function chooseSnapshotter(folder: string): Promise<string> {
  const overlayMagic = 0x794c7630
  return (await statfs(folder)).type === overlayMagic ? 'native' : 'overlayfs'
}

function makeContainerdConfig(snapshotter: string): string {
  return `version = 3
root = '/var/lib/containerd'
state = '/run/containerd'

[grpc]
  address = '${socket}'

[plugins.'io.containerd.cri.v1.images']
  snapshotter = '${snapshotter}'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '${pauseImage}'

# Root of a container or a small virtual machine may not lower the score of a process; without this no pod starts there.
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = [${pluginFolders.map((folder) => `'${folder}'`).join(', ')}]
  conf_dir = '${networkConfigFolder}'

# Nothing of a test cluster must survive a power cut.
[plugins.'io.containerd.metadata.v1.bolt']
  no_sync = true

[plugins.'io.containerd.internal.v1.opt']
  path = '/var/lib/containerd/opt'

[plugins.'io.containerd.nri.v1.nri']
  disable = true
`
}

/**
 * Every pod has a link of its own to the node and no bridge: all traffic between pods is routed,
 * so that Services and whoever enforces NetworkPolicies see it, whatever kernel modules there are.
 */
function makeNetworkConfig({ podRange }: NodeAddresses): unknown {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: podRange }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  return {
    cniVersion: '1.0.0',
    name: 'appstead',
    plugins: [
      { type: 'ptp', ipMasq: false, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
}

function makeKubeletConfig({ layout, node, addresses }: Machine): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(layout.pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(layout.pki, `${node.process('kubelet')}.crt`),
    tlsPrivateKeyFile: join(layout.pki, `${node.process('kubelet')}.key`),
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: node.cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    volumePluginDir: '/var/lib/kubelet/volume-plugins',
    // Nobody answers there, so a look-up fails at once; without an address each pod would bring a warning.
    clusterDNS: [addresses.nodeAddress],
    clusterDomain: 'cluster.local',
    resolvConf: '',
    // A full disk of the developer's machine must not evict the pods of a test.
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
    },
    imageGCHighThresholdPercent: 100,
    maxPods: 250,
    serializeImagePulls: false,
    readOnlyPort: 0,
  }
}

/** Starts containerd and waits until it takes requests. */
export async function startContainerd(machine: Machine, paths: NodePaths): Promise<void> {
  const { layout, addresses, holder, start } = machine
  const { folder, process } = machine.node
  const config = join(folder, 'containerd.toml')
  writeFileSync(config, makeContainerdConfig(await chooseSnapshotter(folder)))
  const networkFolder = join(folder, 'containerd', 'net.d')
  mkdirSync(networkFolder, { recursive: true })
  writeFileSync(join(networkFolder, 'appstead.conflist'), JSON.stringify(makeNetworkConfig(addresses)))
  const containerd = await start('containerd', paths.containerd, ['--config', config])
  await waitFor(layout, containerd, process('containerd'), 'containerd answers', async () => {
    const { pid } = holder
    const enter = ['--target', String(pid), '--mount', '--net', '--', paths.ctr, 'version']
    return existsSync(`/proc/${pid}/root${socket}`) && (await tryRun('nsenter', enter)).status === 0
  })
  const archive = join(folder, 'pause.tar')
  await makeImage({ name: pauseImage, files: { '/pause': paths.pause }, entrypoint: ['/pause'] }, archive)
  await importImage(holder, paths.ctr, archive)
}

/** Loads an image file into containerd, where the kubelet finds it. */
export async function importImage(holder: Started, ctr: string, archive: string): Promise<void> {
  await runInside(holder, ctr, ['--namespace', 'k8s.io', 'images', 'import', archive])
}

/** Loads into a node the images that another one has; they pass through this file, which is not kept. */
export async function copyImages(from: Started, to: Started, ctr: string, archive: string): Promise<void> {
  const images = ['--namespace', 'k8s.io', 'images']
  const names = (await runInside(from, ctr, [...images, 'list', '--quiet'])).trim().split('\n')
  // Each image is also known by its digest.
  const tagged = names.filter((name) => !name.startsWith('sha256:'))
  // By ctr itself (--local): what containerd streams to it may be cut, as ctr ends before it has written all of it.
  await runInside(from, ctr, [...images, 'export', '--local', archive, ...tagged])
  await importImage(to, ctr, archive)
  rmSync(archive)
}

/** Makes the certificates of a node. */
export function writeNodeIdentity({ layout, node, addresses }: Machine, authority: Authority, server: string): void {
  const component = node.process('kubelet')
  const commonName = `system:node:${node.name}`
  writePair(layout.pki, component, authority.issue({ commonName, servedNames: [node.name, addresses.nodeAddress] }))
  writeComponentKubeconfig(layout, authority, server, {
    component,
    commonName,
    organization: 'system:nodes',
  })
}

/** Starts the scheduler, which the levels kwok and node have. */
export async function startScheduler(layout: Layout, path: string, start: Start): Promise<void> {
  await start('kube-scheduler', path, [
    `--kubeconfig=${kubeconfigOf(layout, 'kube-scheduler')}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=5000',
    '--kube-api-burst=6000',
  ])
}

/** Starts the kubelet and kube-proxy. The socket of containerd must be there: the kubelet ends without it. */
export async function startKubelet(machine: Machine, paths: NodePaths): Promise<Started> {
  const { layout, node, addresses, start } = machine
  const config = join(node.folder, 'kubelet.json')
  writeFileSync(config, JSON.stringify(makeKubeletConfig(machine), null, 2))
  const kubelet = await start('kubelet', paths.kubelet, [
    `--config=${config}`,
    `--kubeconfig=${kubeconfigOf(layout, node.process('kubelet'))}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${addresses.nodeAddress}`,
    '--root-dir=/var/lib/kubelet',
  ])
  await start('kube-proxy', paths['kube-proxy'], [
    `--kubeconfig=${kubeconfigOf(layout, 'kube-proxy')}`,
    `--hostname-override=${node.name}`,
    '--proxy-mode=nftables',
    // These would be set for the whole machine.
    '--conntrack-max-per-core=0',
  ])
  return kubelet
}

/** Waits until the node takes pods. */
export async function waitForNode({ layout, node }: Machine, kubelet: Started, connection: Connection): Promise<void> {
  await waitFor(layout, kubelet, node.process('kubelet'), `${node.name} is Ready`, async () => {
    const { body } = await ask(connection, { path: `/api/v1/nodes/${node.name}` })
    return isReady(body as NodeObject)
  })
}
