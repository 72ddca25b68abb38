import { makeKubeClient, type PooledKubeClient } from '../kube/restClient.ts'
import type { TransportOptions } from '../kube/transport.ts'
import { localCluster, type Cluster } from '../runtime/cluster.ts'
import type { Loop } from '../runtime/loop.ts'
import { Manager, type Engine } from '../runtime/manager.ts'
import { parseClusterKubeconfig } from './kubeconfig.ts'

/** A cluster to be taken in. */
export interface Newcomer {
  readonly name: string
  /** Data only: what it may hold is what parseClusterKubeconfig takes. */
  readonly kubeconfig: string
  /** The uid its kube-system must have; any when undefined. */
  readonly identity?: string
}

interface Member {
  readonly manager: Manager
  /** undefined for the hub's, which is its owner's to close. */
  readonly client: PooledKubeClient | undefined
  /** What disconnects its loops. */
  readonly disconnects: (() => void)[]
}

/** Connects a loop to the caches that wake it; resolves to what disconnects it. */
export type Connect = (loop: Loop) => Promise<() => void>

/**
 * The clusters on which instances run: the hub and any others, each with a client, caches, queues and workers of its own,
 * so that one that is away or slow holds up nobody else. The hub holds our kinds; without it nothing works.
 */
export class ClusterPool {
  readonly hub: Manager
  readonly #engine: Engine
  readonly #connect: Connect
  readonly #wire: TransportOptions
  readonly #members = new Map<string, Member>()
  #isStopped = false
  /** Resolves when reconciles may run: the hub's caches are full, and we lead. */
  readonly #begun = Promise.withResolvers<void>()

  /** `wire`: of the clients of the other clusters. */
  constructor(engine: Engine, client: Cluster['client'], connect: Connect, wire: TransportOptions) {
    this.#engine = engine
    this.#connect = connect
    this.#wire = wire
    this.hub = new Manager(engine, { name: localCluster, client })
    this.#members.set(localCluster, { manager: this.hub, client: undefined, disconnects: [] })
  }

  /** Every cluster's Manager, the hub's first. */
  get managers(): readonly Manager[] {
    return [...this.#members.values()].map(({ manager }) => manager)
  }

  /** Fills the hub's caches; resolves when they are full. */
  async fill(): Promise<void> {
    for (const loop of this.hub.loops) await this.#connect(loop)
    await this.hub.fill()
  }

  /** From now on reconciles run: on the hub at once, elsewhere as soon as that cluster's caches are full. */
  begin(): void {
    this.hub.work()
    this.#begun.resolve()
  }

  /**
   * Takes in another cluster; returns at once, since it may not answer for a long time.
   * Throws a TypeError for a name that is taken and after the stop, a KubeconfigError for a kubeconfig we do not take.
   */
  add({ name, kubeconfig, ...expected }: Newcomer): void {
    if (this.#isStopped) throw new TypeError('the pool is stopped')
    if (this.#members.has(name)) throw new TypeError(`there is a cluster '${name}' already`)
    const client = makeKubeClient(parseClusterKubeconfig(kubeconfig), this.#wire)
    const manager = new Manager(this.#engine, { name, client, ...expected }, this.hub.cluster)
    const member = { manager, client, disconnects: [] }
    this.#members.set(name, member)
    void this.#run(member)
  }

  /** Lets a cluster go; resolves when nothing of it runs any more. What runs there lives on. */
  async remove(name: string): Promise<void> {
    const member = this.#members.get(name)
    if (member?.client === undefined) return
    for (const disconnect of member.disconnects) disconnect()
    await member.manager.stop(0, () => Promise.resolve())
    await member.client.close()
    // Not before: two of one name would work on the same keys.
    this.#members.delete(name)
  }

  /** Ends every cluster's controllers, what they recorded, and their watches. */
  async stop(graceSeconds: number): Promise<void> {
    this.#isStopped = true
    const { events } = this.#engine
    await Promise.all(
      [...this.#members.values()].map(async ({ manager, client }) => {
        await manager.stop(graceSeconds, () => events.flush())
        await client?.close()
      }),
    )
  }

  async #run({ manager, disconnects }: Member): Promise<void> {
    for (const loop of manager.loops) disconnects.push(await this.#connect(loop))
    await Promise.all([manager.fill(), this.#begun.promise])
    manager.work()
  }
}
