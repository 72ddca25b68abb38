import { rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { ensureBinaries } from './binaries.ts'
import { readPair, takeUpAuthority } from './certificates.ts'
import { makeCgroups, removeCgroups } from './cgroups.ts'
import { firstServiceAddress, waitFor, type Start } from './controlPlane.ts'
import { ask, type Connection } from './kubeApi.ts'
import { nodeOf, type Layout } from './layout.ts'
import { holderOf, launchInside, makeNamespaces } from './namespaces.ts'
import { connectSecond, networkAround } from './network.ts'
import {
  copyImages,
  nodeBinaries,
  startContainerd,
  startKubelet,
  waitForNode,
  writeNodeIdentity,
  type Machine,
} from './node.ts'
import { forget, isRunning, killAll, recorded, tryRun, type Started } from './process.ts'
import { withProgress, type Report } from './progress.ts'
import { connectionTo, type State } from './state.ts'

/**
 * A second node of a cluster of level `node`: with namespaces, a containerd and a kubelet of its own. What drains, spreads
 * and moves is seen with two only. Its network is behind the first one's, and its control groups and folder are below the
 * cluster's: so removing the cluster removes it too, without being told of it.
 */

/** Adds the second node, with the images of the first; does nothing when it runs. Throws when it does not come up. */
export async function startSecondNode(layout: Layout, { server }: State, report: Report): Promise<void> {
  const first = holderOf(layout, nodeOf(layout, 1))
  if (first === undefined) throw new Error(`the node of cluster ${layout.name} does not run`)
  if (await isWhole(layout)) return
  const connection = connectionTo(layout, server)
  await stopSecondNode(layout, connection)
  try {
    await withProgress(report, 'starting a second node, with the images of the first', 15, () =>
      bringUp(layout, first, connection, report),
    )
  } catch (error) {
    await endSecondNode(layout)
    throw error
  }
}

const parts = ['holder', 'namespaces', 'containerd', 'kubelet', 'kube-proxy']

/** Whether every process of the second node runs. */
async function isWhole(layout: Layout): Promise<boolean> {
  const processes = recorded(layout.folder)
  for (const part of parts) {
    const started = processes.get(nodeOf(layout, 2).process(part))
    if (started === undefined || !(await isRunning(started))) return false
  }
  return true
}

async function bringUp(layout: Layout, first: Started, connection: Connection, report: Report): Promise<void> {
  const paths = await ensureBinaries(nodeBinaries, report)
  const node = nodeOf(layout, 2)
  const network = networkAround(new URL(connection.server).hostname)
  const holder = await makeNamespaces(layout, node)
  await connectSecond(first, holder, network)
  makeCgroups(node.cgroup)
  const start: Start = (part, command, args) => launchInside(layout, node, holder, { part, command, args })
  const machine: Machine = { layout, node, addresses: network.second, holder, start }
  writeNodeIdentity(machine, takeUpAuthority(readPair(layout.pki, 'ca')), connection.server)
  await startContainerd(machine, paths)
  // A pod that came before its image would wait for its next try to pull it.
  await copyImages(first, holder, paths.ctr, join(node.folder, 'images.tar'))
  const kubelet = await startKubelet(machine, paths)
  await waitForNode(machine, kubelet, connection)
  const address = firstServiceAddress(network.serviceRange)
  await waitFor(layout, kubelet, node.process('kube-proxy'), 'the Service kubernetes answers', () =>
    answersInside(holder, address),
  )
}

/** Whether somebody listens at port 443 of this address, seen from a node. */
async function answersInside(holder: Started, address: string): Promise<boolean> {
  const program = `require('node:net').connect(443, '${address}', () => process.exit(0)).on('error', () => process.exit(1))`
  const enter = ['--target', String(holder.pid), '--net', '--', process.execPath, '--eval', program]
  return (await tryRun('nsenter', enter, { timeoutMilliseconds: 2000 })).status === 0
}

/**
 * Takes the second node away with all of its pods, as if it had burnt down: who wants more drains it before.
 * Does nothing when there is none.
 */
export async function stopSecondNode(layout: Layout, connection: Connection): Promise<void> {
  await endSecondNode(layout)
  const { name } = nodeOf(layout, 2)
  await ask(connection, { method: 'DELETE', path: `/api/v1/nodes/${name}` })
  const { body } = await ask(connection, { path: `/api/v1/pods?fieldSelector=spec.nodeName%3D${name}` })
  for (const { metadata } of (body as { items: { metadata: { name: string; namespace: string } }[] }).items) {
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}?gracePeriodSeconds=0`
    await ask(connection, { method: 'DELETE', path })
  }
}

/** Ends its processes and removes what they left; its network goes with them. */
async function endSecondNode(layout: Layout): Promise<void> {
  const node = nodeOf(layout, 2)
  const processes = recorded(layout.folder)
  const names = parts.map((part) => node.process(part))
  await killAll(names.map((name) => processes.get(name)).filter((started) => started !== undefined))
  await removeCgroups(node.cgroup)
  rmSync(node.folder, { recursive: true, force: true })
  // A process that has ended and is recorded is taken for a cluster that has broken.
  for (const name of names) forget(layout.folder, name)
}
