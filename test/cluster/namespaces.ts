import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitUntil } from './kubeApi.ts'
import type { Layout, NodeLayout } from './layout.ts'
import { childOf, launch, record, recorded, tailOf, type Started } from './process.ts'

/**
 * A node, the first one with the control plane, lives in namespaces of its own: processes, mounts, network, host name.
 * One process holds them. When it is killed, the kernel ends every other process in there, pods included, and drops
 * every mount, device, route and rule, so that nothing is left to be found and undone, also after a crash.
 */

/** What the kubelet sets for a whole machine. It finds these values there already, in files, and leaves the machine's alone. */
const kernelSettings = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
}

/** The folders of a node that are too big for memory: in its folder, and where the node looks for them. */
const nodeFolders = {
  kubelet: '/var/lib/kubelet',
  containerd: '/var/lib/containerd',
  log: '/var/log',
}

/**
 * The first process in there. `/run` and what is new in `/var/lib` are in memory: sockets get short paths,
 * and the machine's own ones are not seen. At last it only collects the processes that are left to it.
 */
function makeScript(folder: string): string {
  const bind = (from: string, to: string): string => `mount --bind '${join(folder, from)}' '${to}'`
  return [
    'set -e',
    'mount --make-rshared /',
    'mount -t tmpfs -o mode=755 tmpfs /run',
    'mkdir -p /run/lib/upper /run/lib/work',
    'mount -t overlay -o lowerdir=/var/lib,upperdir=/run/lib/upper,workdir=/run/lib/work overlay /var/lib',
    `mkdir -p ${Object.values(nodeFolders).join(' ')}`,
    ...Object.entries(nodeFolders).map(([from, to]) => bind(from, to)),
    ...Object.keys(kernelSettings).map((path) => bind(join('sysctl', path), `/proc/sys/${path}`)),
    'touch /run/ready',
    'while :; do sleep 1000000 & wait; done',
  ].join('\n')
}

/** The process that holds the namespaces of a node, as it was recorded. */
export const holderOf = (layout: Layout, node: NodeLayout): Started | undefined =>
  recorded(layout.folder).get(node.process('holder'))

/** Makes the namespaces of a node and returns the process that holds them. Throws with what the script said. */
export async function makeNamespaces(layout: Layout, node: NodeLayout): Promise<Started> {
  if (layout.folder.includes("'")) throw new Error(`${layout.folder}: a path with a quote cannot hold a node`)
  for (const folder of Object.keys(nodeFolders)) mkdirSync(join(node.folder, folder), { recursive: true })
  for (const [path, value] of Object.entries(kernelSettings)) {
    const file = join(node.folder, 'sysctl', path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, `${value}\n`)
  }
  const outside = await launch({
    name: node.process('namespaces'),
    command: 'unshare',
    // Slave: what is mounted on the machine is seen in there, and nothing the other way round.
    args: [
      '--mount',
      '--net',
      '--pid',
      '--uts',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '--propagation',
      'slave',
    ].concat(['sh', '-c', makeScript(node.folder)]),
    folder: layout.folder,
  })
  return waitForHolder(layout, node, outside)
}

async function waitForHolder(layout: Layout, node: NodeLayout, outside: Started): Promise<Started> {
  let holder: Started | undefined
  const isReady = async (): Promise<boolean> => {
    holder ??= await childOf(outside.pid)
    return holder !== undefined && existsSync(`/proc/${holder.pid}/root/run/ready`)
  }
  try {
    await waitUntil(`the namespaces of ${node.name} are made`, 10, isReady)
  } catch (error) {
    const said = tailOf(layout.folder, node.process('namespaces'))
    throw new Error(`the namespaces of ${node.name} could not be made: ${said}`, { cause: error })
  }
  if (holder === undefined) throw new Error('unreachable: the namespaces are made and nobody holds them')
  record(layout.folder, node.process('holder'), holder)
  return holder
}

/** Starts a process in there; what is recorded of it is the process itself, not the `nsenter` before it. */
export async function launchInside(
  layout: Layout,
  node: NodeLayout,
  holder: Started,
  process: { part: string; command: string; args: string[] },
): Promise<Started> {
  const { part, command, args } = process
  const name = node.process(part)
  const enter = ['--target', String(holder.pid), '--mount', '--net', '--pid', '--uts', '--']
  const outside = await launch({ name, command: 'nsenter', args: [...enter, command, ...args], folder: layout.folder })
  let inside: Started | undefined
  const found = async (): Promise<boolean> => {
    inside = await childOf(outside.pid)
    return inside !== undefined
  }
  try {
    await waitUntil(`${name} started`, 5, found)
  } catch (error) {
    throw new Error(`${name} did not start: ${tailOf(layout.folder, name)}`, { cause: error })
  }
  record(layout.folder, name, inside ?? outside)
  return inside ?? outside
}
