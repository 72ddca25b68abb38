import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { writePair, type Authority } from './certificates.ts'
import { cgroupOf } from './cgroups.ts'
import { firstServiceAddress, kubeconfigOf, waitFor, writeComponentKubeconfig, type Start } from './controlPlane.ts'
import { makeImage } from './image.ts'
import { answers, ask, isReady, type Connection, type NodeObject } from './kubeApi.ts'
import type { Layout } from './layout.ts'
import { runInside, type Network } from './network.ts'
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
type NodePaths = Record<(typeof nodeBinaries)[number], string>

const nodeName = 'node-1'
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
function makeNetworkConfig(network: Network): unknown {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: network.podRange }]],
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

function makeKubeletConfig(layout: Layout, network: Network): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(layout.pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(layout.pki, 'kubelet.crt'),
    tlsPrivateKeyFile: join(layout.pki, 'kubelet.key'),
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroupOf(layout),
    failCgroupV1: false,
    failSwapOn: false,
    volumePluginDir: '/var/lib/kubelet/volume-plugins',
    // Nobody answers there, so a look-up fails at once; without an address each pod would bring a warning.
    clusterDNS: [network.nodeAddress],
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
export async function startContainerd(
  layout: Layout,
  paths: NodePaths,
  network: Network,
  holder: Started,
  start: Start,
): Promise<void> {
  const folder = join(layout.folder, 'node')
  const config = join(folder, 'containerd.toml')
  writeFileSync(config, makeContainerdConfig(await chooseSnapshotter(folder)))
  const networkFolder = join(folder, 'containerd', 'net.d')
  mkdirSync(networkFolder, { recursive: true })
  writeFileSync(join(networkFolder, 'appstead.conflist'), JSON.stringify(makeNetworkConfig(network)))
  const containerd = await start('containerd', paths.containerd, ['--config', config])
  await waitFor(layout, containerd, 'containerd', 'containerd answers', async () => {
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

/** Makes the certificates of the node. */
export function writeNodeIdentity(layout: Layout, authority: Authority, server: string, network: Network): void {
  const servedNames = [nodeName, network.nodeAddress]
  writePair(layout.pki, 'kubelet', authority.issue({ commonName: `system:node:${nodeName}`, servedNames }))
  writeComponentKubeconfig(layout, authority, server, {
    component: 'kubelet',
    commonName: `system:node:${nodeName}`,
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
export async function startKubelet(layout: Layout, paths: NodePaths, network: Network, start: Start): Promise<Started> {
  const config = join(layout.folder, 'node', 'kubelet.json')
  writeFileSync(config, JSON.stringify(makeKubeletConfig(layout, network), null, 2))
  const kubelet = await start('kubelet', paths.kubelet, [
    `--config=${config}`,
    `--kubeconfig=${kubeconfigOf(layout, 'kubelet')}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${network.nodeAddress}`,
    '--root-dir=/var/lib/kubelet',
  ])
  await start('kube-proxy', paths['kube-proxy'], [
    `--kubeconfig=${kubeconfigOf(layout, 'kube-proxy')}`,
    `--hostname-override=${nodeName}`,
    '--proxy-mode=nftables',
    // These would be set for the whole machine.
    '--conntrack-max-per-core=0',
  ])
  return kubelet
}

/** Waits until the node takes pods and a Service is reached from this host. */
export async function waitForNode(
  layout: Layout,
  kubelet: Started,
  connection: Connection,
  network: Network,
): Promise<void> {
  await waitFor(layout, kubelet, 'kubelet', `${nodeName} is Ready`, async () => {
    const { body } = await ask(connection, { path: `/api/v1/nodes/${nodeName}` })
    return isReady(body as NodeObject)
  })
  const service = { ...connection, server: `https://${firstServiceAddress(network.serviceRange)}` }
  await waitFor(layout, kubelet, 'kube-proxy', 'the Service kubernetes answers', () => answers(service, '/readyz'))
}
