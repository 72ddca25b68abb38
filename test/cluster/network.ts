import type { Layout } from './layout.ts'
import { run, tryRun, type Started } from './process.ts'

/** The addresses of a node and of its pods. */
export interface NodeAddresses {
  nodeAddress: string
  podRange: string
}

/** The addresses of one node-level cluster: a /16 of its own, which this host reaches over a pair of devices. */
export interface Network extends NodeAddresses {
  whole: string
  hostAddress: string
  serviceRange: string
  /** Where the second node is, if there is one: behind the first. */
  second: NodeAddresses & { gateway: string }
}

/** The parts of 10.0.0.0/8 that are tried: 10.128.0.0/16 to 10.247.0.0/16. */
const firstSlot = 128
const slots = 120

/** The ranges of a slot. */
export function networkOf(slot: number): Network {
  return {
    whole: `10.${slot}.0.0/16`,
    hostAddress: `10.${slot}.0.1`,
    nodeAddress: `10.${slot}.0.2`,
    podRange: `10.${slot}.64.0/20`,
    serviceRange: `10.${slot}.128.0/18`,
    second: { gateway: `10.${slot}.1.1`, nodeAddress: `10.${slot}.1.2`, podRange: `10.${slot}.80.0/20` },
  }
}

/** The network of a cluster, told by an address in it. */
export const networkAround = (address: string): Network => networkOf(Number(address.split('.')[1]))

/** The device at the host's end; a name of a device has at most 15 characters. */
export const deviceOf = (layout: Layout): string => `as-${layout.id}`

/**
 * The slots of 10.0.0.0/8 that some of these routes touch.
 * A route to all of 10.0.0.0/8, as a private network often has, counts for none: ours is the more exact one.
 */
export function takenSlots(destinations: string[]): Set<number> {
  const taken = new Set<number>()
  for (const destination of destinations) {
    const [first, second = 0, , , bits = 32] = destination.split(/[./]/).map(Number)
    if (first !== 10 || bits <= 8) continue
    for (let slot = second; slot < second + 2 ** Math.max(0, 16 - bits); slot++) taken.add(slot)
  }
  return taken
}

async function findTakenSlots(): Promise<Set<number>> {
  const routes = JSON.parse(await run('ip', ['-4', '-json', 'route', 'show', 'table', 'all'])) as { dst: string }[]
  return takenSlots(routes.map((route) => route.dst))
}

const forwardPackets = 'echo 1 > /proc/sys/net/ipv4/ip_forward'

/** Runs a command in the network of a namespace's process. */
export async function runInside(inside: Started, command: string, args: string[]): Promise<string> {
  return run('nsenter', ['--target', String(inside.pid), '--mount', '--net', '--', command, ...args])
}

/**
 * Connects the network namespace of this process with the host and takes a free range for it.
 * The search begins at a place that the cluster's id tells, so a cluster mostly gets the same range again.
 * Throws when every range is in use.
 */
export async function connect(layout: Layout, inside: Started): Promise<Network> {
  const device = deviceOf(layout)
  await run('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(inside.pid)])
  await run('ip', ['link', 'set', device, 'up'])
  await runInside(inside, 'ip', ['link', 'set', 'lo', 'up'])
  await runInside(inside, 'ip', ['link', 'set', 'eth0', 'up'])
  const network = await claimRange(layout, device)
  await runInside(inside, 'ip', ['address', 'add', `${network.nodeAddress}/24`, 'dev', 'eth0'])
  await run('ip', ['route', 'replace', network.whole, 'via', network.nodeAddress, 'dev', device])
  // There is no way out of this namespace. A Service's address needs some route before kube-proxy can redirect it.
  await runInside(inside, 'ip', ['route', 'add', network.serviceRange, 'dev', 'lo', 'src', network.nodeAddress])
  await runInside(inside, 'sh', ['-c', forwardPackets])
  return network
}

/**
 * Connects the network namespace of a second node with that of the first, over which it reaches this host and is reached:
 * so there is nothing of it outside, and it is gone with either of them.
 */
export async function connectSecond(first: Started, second: Started, network: Network): Promise<void> {
  const { gateway, nodeAddress, podRange } = network.second
  const [here, there] = [
    ['netns', String(first.pid)],
    ['netns', String(second.pid)],
  ]
  // The ids are this host's, so it is this host that makes both ends; neither is ever among its own devices.
  await run('ip', ['link', 'add', 'node-2', ...here, 'type', 'veth', 'peer', 'name', 'eth0', ...there])
  await runInside(first, 'ip', ['address', 'add', `${gateway}/30`, 'dev', 'node-2'])
  await runInside(first, 'ip', ['link', 'set', 'node-2', 'up'])
  await runInside(second, 'ip', ['address', 'add', `${nodeAddress}/30`, 'dev', 'eth0'])
  for (const device of ['lo', 'eth0']) await runInside(second, 'ip', ['link', 'set', device, 'up'])
  await runInside(first, 'ip', ['route', 'add', podRange, 'via', nodeAddress])
  await runInside(second, 'ip', ['route', 'add', network.whole, 'via', gateway])
  await runInside(second, 'sh', ['-c', forwardPackets])
}

async function claimRange(layout: Layout, device: string): Promise<Network> {
  const taken = await findTakenSlots()
  const first = Number.parseInt(layout.id, 16) % slots
  for (let step = 0; step < slots; step++) {
    const slot = firstSlot + ((first + step) % slots)
    if (taken.has(slot)) continue
    const network = networkOf(slot)
    // Another cluster may have looked at the same moment: who gets the route has the range.
    const claim = await tryRun('ip', ['route', 'add', network.whole, 'dev', device])
    if (claim.status !== 0) continue
    await run('ip', ['address', 'add', `${network.hostAddress}/24`, 'dev', device])
    return network
  }
  throw new Error(
    `no free range: every one from 10.${firstSlot}.0.0/16 to 10.${firstSlot + slots - 1}.0.0/16 is in use`,
  )
}

/** Removes the device, and with it the routes and the one at the other end. Does nothing when it is not there. */
export async function disconnect(layout: Layout): Promise<void> {
  const device = deviceOf(layout)
  const isThere = async (): Promise<boolean> => (await tryRun('ip', ['link', 'show', device])).status === 0
  if (!(await isThere())) return
  const { stderr } = await tryRun('ip', ['link', 'delete', device])
  // The kernel removes it too, some time after the last process in there has ended.
  if (await isThere()) throw new Error(`the network device ${device} could not be removed: ${stderr.trim()}`)
}
