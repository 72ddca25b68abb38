import { mkdirSync, rmSync } from 'node:fs'
import process from 'node:process'
import { binaryPath, ensureBinaries, type Binary } from './binaries.ts'
import { makeCgroups, removeCgroups } from './cgroups.ts'
import {
  controlPlaneBinaries,
  firstServiceAddress,
  serverUrl,
  startApiServer,
  startControllerManager,
  waitFor,
  waitForControllers,
  writeIdentities,
  writeUserKubeconfig,
  type Start,
} from './controlPlane.ts'
import { kwokBinaries, startKwok, waitForKwok } from './kwok.ts'
import { answers, type Connection } from './kubeApi.ts'
import { cgroupOf, nodeOf, type Layout } from './layout.ts'
import { holderOf, launchInside, makeNamespaces } from './namespaces.ts'
import { connect, disconnect, type Network } from './network.ts'
import {
  importImage,
  nodeBinaries,
  startContainerd,
  startKubelet,
  startScheduler,
  waitForNode,
  writeNodeIdentity,
  type Machine,
} from './node.ts'
import { ensurePackages, nodePackages } from './packages.ts'
import { findFreePorts } from './ports.ts'
import { isRunning, killAll, launch, marked, recorded } from './process.ts'
import { withProgress, type Report } from './progress.ts'
import { connectionTo, writeState, type Addresses, type Level, type State } from './state.ts'

/** Whether a cluster that came up still runs: every process of it, and its API server answers. */
export async function isUp(layout: Layout, state: State): Promise<boolean> {
  const processes = recorded(layout.folder)
  if (processes.size === 0) return false
  for (const started of processes.values()) if (!(await isRunning(started))) return false
  return answers(connectionTo(layout, state.server), '/readyz')
}

/** The binaries that a level needs, and no more: the first build of each takes minutes. */
export const binariesOf = {
  control: controlPlaneBinaries,
  kwok: [...controlPlaneBinaries, ...kwokBinaries],
  node: [...controlPlaneBinaries, ...nodeBinaries],
} as const satisfies Record<Level, readonly Binary[]>

async function loopbackAddresses(layout: Layout): Promise<Addresses> {
  const [apiServerPort = 0, etcdPort = 0, etcdPeerPort = 0] = await findFreePorts(layout.id, 3)
  return { host: '127.0.0.1', apiServerPort, etcdPort, etcdPeerPort, serviceRange: '10.96.0.0/16' }
}

/** The network is the cluster's own, so the ports can be the usual ones. */
const nodeAddresses = (network: Network): Addresses => ({
  host: network.nodeAddress,
  apiServerPort: 6443,
  etcdPort: 2379,
  etcdPeerPort: 2380,
  serviceRange: network.serviceRange,
})

/** Brings up a local cluster in an empty folder. Throws when a part of it does not come up; its logs stay. */
export async function startLocal(layout: Layout, level: Level, report: Report): Promise<State> {
  if (level === 'node') await ensurePackages(nodePackages, report)
  await ensureBinaries(binariesOf[level], report)
  mkdirSync(layout.folder, { recursive: true, mode: 0o700 })
  const addresses = await startParts(layout, level, report)
  writeUserKubeconfig(layout, addresses)
  const state: State = { level, provider: 'local', server: serverUrl(addresses), addresses }
  writeState(layout, state)
  return state
}

async function startParts(layout: Layout, level: Level, report: Report): Promise<Addresses> {
  try {
    return level === 'node' ? await startNodeLevel(layout, report) : await startLoopbackLevel(layout, level, report)
  } catch (error) {
    await endProcesses(layout)
    throw error
  }
}

async function startLoopbackLevel(layout: Layout, level: Level, report: Report): Promise<Addresses> {
  const paths = await ensureBinaries(controlPlaneBinaries, report)
  const addresses = await loopbackAddresses(layout)
  writeIdentities(layout, addresses)
  const start: Start = (name, command, args) => launch({ name, command, args, folder: layout.folder })
  const isKwok = level === 'kwok'
  const what = `starting the control plane${isKwok ? ' and nodes of kwok' : ''}`
  await withProgress(report, what, isKwok ? 10 : 5, async () => {
    const connection = await startApiServer(layout, addresses, paths, start)
    const manager = await startControllerManager(layout, paths, start)
    if (isKwok) await startKwokNodes(layout, connection, start, report)
    await waitForControllers(layout, manager, connection)
  })
  return addresses
}

async function startKwokNodes(layout: Layout, connection: Connection, start: Start, report: Report): Promise<void> {
  const paths = await ensureBinaries(kwokBinaries, report)
  await startScheduler(layout, paths['kube-scheduler'], start)
  const kwok = await startKwok(layout, paths.kwok, connection, start)
  await waitForKwok(layout, kwok, connection)
}

async function startNodeLevel(layout: Layout, report: Report): Promise<Addresses> {
  const paths = await ensureBinaries(binariesOf.node, report)
  const node = nodeOf(layout, 1)
  const holder = await makeNamespaces(layout, node)
  const network = await connect(layout, holder)
  makeCgroups(node.cgroup)
  const addresses = nodeAddresses(network)
  const authority = writeIdentities(layout, addresses)
  const start: Start = (part, command, args) => launchInside(layout, node, holder, { part, command, args })
  const machine: Machine = { layout, node, addresses: network, holder, start }
  writeNodeIdentity(machine, authority, serverUrl(addresses))
  await withProgress(report, 'starting the control plane and a node', 15, async () => {
    const [connection] = await Promise.all([
      startApiServer(layout, addresses, paths, start),
      startContainerd(machine, paths),
    ])
    const [manager, kubelet] = await Promise.all([
      startControllerManager(layout, paths, start),
      startKubelet(machine, paths),
      startScheduler(layout, paths['kube-scheduler'], start),
    ])
    await Promise.all([waitForControllers(layout, manager, connection), waitForNode(machine, kubelet, connection)])
    const service = { ...connection, server: `https://${firstServiceAddress(network.serviceRange)}` }
    await waitFor(layout, kubelet, 'kube-proxy', 'the Service kubernetes answers', () => answers(service, '/readyz'))
  })
  return addresses
}

/** Ends every process, the API server first: a graceful stop would take minutes. */
async function endProcesses(layout: Layout): Promise<void> {
  const processes = recorded(layout.folder)
  const first = ['holder', 'kube-apiserver'].map((name) => processes.get(name)).filter((found) => found !== undefined)
  await killAll([...first, ...processes.values()])
  await killAll(await marked(layout.folder))
  if (process.platform !== 'linux') return
  await disconnect(layout)
  await removeCgroups(cgroupOf(layout))
}

/** Removes everything that a local cluster made, also one that is half up or not there at all. */
export async function stopLocal(layout: Layout): Promise<void> {
  await endProcesses(layout)
  for (const folder of [layout.folder, layout.outside]) rmSync(folder, { recursive: true, force: true })
}

/** Loads an image file into the nodes of a local cluster. */
export async function loadIntoNodes(layout: Layout, archive: string): Promise<void> {
  const [first, second] = ([1, 2] as const).map((number) => holderOf(layout, nodeOf(layout, number)))
  if (first === undefined || !(await isRunning(first)))
    throw new Error(`the node of cluster ${layout.name} does not run`)
  await importImage(first, binaryPath('ctr'), archive)
  if (second !== undefined) await importImage(second, binaryPath('ctr'), archive)
}
