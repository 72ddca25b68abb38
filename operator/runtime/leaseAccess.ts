import type { KubeObject, Ref } from '../api/meta.ts'
import type { CallOptions, KubeClient, WatchEvent } from '../kube/client.ts'
import { errorOfStatus, isKubeError, type KubeError } from '../kube/errors.ts'
import { sleep } from '../kube/timing.ts'
import type { Clock } from './clock.ts'
import { leaseType, makeLease, microTimeOf, parseLease, replaceOperations, type LeaseRecord } from './lease.ts'
import type { LeaseSight } from './leaseSight.ts'
import { compareResourceVersions } from './resourceVersion.ts'

export interface LeaseAccessOptions {
  readonly client: Pick<KubeClient, 'get' | 'watch' | 'create' | 'patch'>
  readonly lease: Ref
  readonly clock: Clock
  /** Where all that is seen of the Lease goes. */
  readonly sight: LeaseSight
  /** The longest a call may take now. */
  readonly callSeconds: () => number
  /** Between two watches. */
  readonly pauseMilliseconds: () => number
  /** Called after each look, by whatever way. */
  readonly onSeen: () => void
  readonly onWatchError: (error: KubeError) => void
}

/** The one Lease as the API server has it: read, written and watched; all of it goes to the sight. */
export class LeaseAccess {
  readonly #options: LeaseAccessOptions
  #stamps = 0

  constructor(options: LeaseAccessOptions) {
    this.#options = options
  }

  /** The time of day for a write of ours, another one each time. */
  stamp(): string {
    this.#stamps += 1
    return microTimeOf(this.#options.clock.wall(), this.#stamps)
  }

  /** Reads it. Throws a KubeError; that there is none is no error. */
  async look(): Promise<void> {
    const { client, lease } = this.#options
    try {
      this.#see(await client.get(leaseType, lease, this.#limits()))
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error
      this.#see(undefined)
    }
  }

  /** Writes it, if it still is as it was when `record` was read; a record without a resourceVersion is created. Throws a KubeError. */
  async write(record: LeaseRecord): Promise<void> {
    const { client, lease } = this.#options
    const written = await (record.resourceVersion === ''
      ? client.create(leaseType, makeLease(lease, record), this.#limits())
      : client.patch(leaseType, lease, replaceOperations(record), this.#limits()))
    if (this.#isLater(written)) this.#see(written)
  }

  /** Watches it until `signal` is aborted, so that changes are seen at once. Never throws: without a watch one still looks. */
  async follow(signal: AbortSignal): Promise<void> {
    const { client, lease, clock, onWatchError, pauseMilliseconds } = this.#options
    const selected = { namespace: lease.namespace, fieldSelector: `metadata.name=${lease.name}` }
    while (!signal.aborted) {
      try {
        const events = client.watch(leaseType, { ...selected, resourceVersion: '', signal })
        for await (const event of events) this.#take(event)
      } catch (error) {
        if (!signal.aborted) onWatchError(error as KubeError)
      }
      await sleep(clock, pauseMilliseconds(), signal)
    }
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'ERROR') throw errorOfStatus(`watch ${leaseType.plural}`, 0, object)
    if (type === 'BOOKMARK' || !this.#isLater(object)) return
    this.#see(type === 'DELETED' ? undefined : object)
  }

  /** Answers overtake the watch, and the watch overtakes answers. */
  #isLater({ metadata }: KubeObject): boolean {
    return compareResourceVersions(metadata.resourceVersion, this.#options.sight.record?.resourceVersion) > 0
  }

  #see(lease: KubeObject | undefined): void {
    const { sight, clock, onSeen } = this.#options
    sight.see(lease === undefined ? undefined : parseLease(lease), clock.now())
    onSeen()
  }

  #limits(): CallOptions {
    return { timeoutSeconds: this.#options.callSeconds() }
  }
}
