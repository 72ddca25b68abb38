import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitUntil } from './kubeApi.ts'
import type { Layout } from './layout.ts'
import { childOf, launch, record, tailOf, type Started } from './process.ts'

/**
 * A node and its control plane live in namespaces of their own: processes, mounts, network, host name.
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

/** The folders of the node that are too big for memory: in the cluster's folder, and where the node looks for them. */
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
  const bind = (from: string, to: string): string => `mount --bind '${join(folder, 'node', from)}' '${to}'`
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

/** Makes the namespaces and returns the process that holds them. Throws with what the script said. */
export async function makeNamespaces(layout: Layout): Promise<Started> {
  if (layout.folder.includes("'")) throw new Error(`${layout.folder}: a path with a quote cannot hold a node`)
  for (const folder of Object.keys(nodeFolders)) mkdirSync(join(layout.folder, 'node', folder), { recursive: true })
  for (const [path, value] of Object.entries(kernelSettings)) {
    const file = join(layout.folder, 'node', 'sysctl', path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, `${value}\n`)
  }
  const outside = await launch({
    name: 'namespaces',
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
    ].concat(['sh', '-c', makeScript(layout.folder)]),
    folder: layout.folder,
  })
  return waitForHolder(layout, outside)
}

async function waitForHolder(layout: Layout, outside: Started): Promise<Started> {
  let holder: Started | undefined
  const isReady = async (): Promise<boolean> => {
    holder ??= await childOf(outside.pid)
    return holder !== undefined && existsSync(`/proc/${holder.pid}/root/run/ready`)
  }
  try {
    await waitUntil('the namespaces of the node are made', 10, isReady)
  } catch (error) {
    throw new Error(`the namespaces of the node could not be made: ${tailOf(layout.folder, 'namespaces')}`, {
      cause: error,
    })
  }
  if (holder === undefined) throw new Error('unreachable: the namespaces are made and nobody holds them')
  record(layout.folder, 'holder', holder)
  return holder
}

/** Starts a process in there; what is recorded of it is the process itself, not the `nsenter` before it. */
export async function launchInside(
  layout: Layout,
  holder: Started,
  process: { name: string; command: string; args: string[] },
): Promise<Started> {
  const { name, command, args } = process
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
