import type { Logger } from 'pino'
import type { Ref } from '../api/meta.ts'
import type { KubeClient } from '../kube/client.ts'
import { isKubeError, KubeError } from '../kube/errors.ts'
import { jitter } from '../kube/timing.ts'
import type { Clock } from './clock.ts'
import type { LeaseRecord } from './lease.ts'
import { LeaseAccess } from './leaseAccess.ts'
import { LeaseSight } from './leaseSight.ts'

export interface LeaderOptions {
  /** With a connection of its own, or the operator's own load would cost it the lead; and without a fence. */
  readonly client: Pick<KubeClient, 'get' | 'watch' | 'create' | 'patch'>
  readonly lease: Ref
  /** Of this process and no other, earlier ones of the same name included; no space in it. */
  readonly identity: string
  /** Of the operator: an older one makes way. */
  readonly version: string
  readonly clock: Clock
  readonly log: Logger
  /** After so long without a renewal others take the Lease; we stop to write after two thirds of it. Default: 15. */
  readonly leaseSeconds?: number
  /** We led and may not write any more: whatever still could, must end. Called once at most. */
  readonly onLost: (reason: string) => void
  /** A newer operator asks for the lead: finish what is under way, then release(). Called once at most. */
  readonly onSuperseded: (reason: string) => void
}

/** How long one leads without a renewal, and how often it is tried: parts of the lease. */
const renewPart = 2 / 3
const retryPart = 2 / 15

/** Milliseconds. A server that asks for more patience than this is asked again all the same. */
const maxRetryAfter = 30_000
const releaseAttempts = 3

/**
 * At most one process writes: the holder of a Lease. Expiry is judged by the monotonic clock alone, from when the Lease
 * was last seen to change. Our right to write ends by itself a renew deadline after the start of the last renewal that
 * succeeded, which is before anybody else may take the Lease; no timer must fire for it.
 */
export class Leader {
  readonly #options: LeaderOptions
  readonly #log: Logger
  readonly #sight: LeaseSight
  readonly #access: LeaseAccess
  readonly #leaseSeconds: number
  readonly #renewMilliseconds: number
  readonly #retryMilliseconds: number
  readonly #abort = new AbortController()
  readonly #acquired = Promise.withResolvers<void>()
  #phase: 'idle' | 'campaigning' | 'leading' | 'over' = 'idle'
  /** Until when we may write. */
  #until = Number.NEGATIVE_INFINITY
  /** The renewTime of our last claim, whether or not it was answered: nobody else writes it. */
  #lastTime = ''
  #lastFailure = ''
  #isSuperseded = false
  #wake: (() => void) | undefined
  #isNudged = false
  #running: Promise<unknown> = Promise.resolve()
  #releasing: Promise<void> | undefined

  constructor(options: LeaderOptions) {
    this.#options = options
    const { client, lease, clock, identity, version, leaseSeconds = 15 } = options
    this.#log = options.log.child({ lease: `${lease.namespace}/${lease.name}`, identity })
    this.#leaseSeconds = leaseSeconds
    this.#renewMilliseconds = leaseSeconds * 1000 * renewPart
    this.#retryMilliseconds = leaseSeconds * 1000 * retryPart
    const courtesyMilliseconds = 2 * this.#retryMilliseconds
    this.#sight = new LeaseSight({ identity, version, leaseSeconds, courtesyMilliseconds })
    this.#access = new LeaseAccess({
      client,
      lease,
      clock,
      sight: this.#sight,
      // Leaves time for a second call before the lead is lost.
      callSeconds: () => Math.min(this.#renewMilliseconds / 2, this.#left) / 1000,
      pauseMilliseconds: () => jitter(clock, this.#retryMilliseconds),
      onSeen: () => this.#seen(),
      onWatchError: ({ code, message }) => this.#log.debug({ code, reason: message }, 'Watching the Lease again'),
    })
  }

  /** True while this process may write. */
  get isLeading(): boolean {
    return this.#options.clock.now() < this.#until
  }

  /** Guards every write: throws a KubeError, Fenced, when this process may not write now. */
  check(): void {
    if (this.isLeading) return
    throw new KubeError('Fenced', `${this.#options.identity} does not lead: nothing was written`)
  }

  /** Takes part from now on; resolves when we lead, or at release(). Never rejects; a second call waits for the first. */
  campaign(): Promise<void> {
    if (this.#phase === 'idle') {
      this.#phase = 'campaigning'
      this.#log.info({ version: this.#options.version }, 'Campaigning')
      this.#running = Promise.all([this.#work(), this.#access.follow(this.#abort.signal)])
    }
    return this.#acquired.promise
  }

  /**
   * Ends it for good: from the moment of the call nothing may be written; then the Lease is emptied if it is ours, so
   * that nobody has to wait until it expires. Never rejects; a second call waits for the first.
   */
  release(): Promise<void> {
    this.#releasing ??= this.#release()
    return this.#releasing
  }

  async #release(): Promise<void> {
    this.#end()
    await this.#running
    const giveUpAt = this.#options.clock.now() + this.#renewMilliseconds
    for (let attempt = 1; attempt <= releaseAttempts && this.#options.clock.now() < giveUpAt; attempt += 1) {
      const left = this.#withdrawn()
      if (left === undefined) return
      try {
        await this.#access.write(left)
        this.#log.info('Released the Lease')
        return
      } catch (error) {
        this.#log.warn({ err: error, attempt }, 'Failed to release the Lease')
        await this.#access.look().catch(() => undefined)
      }
    }
  }

  #end(): void {
    this.#phase = 'over'
    this.#until = Number.NEGATIVE_INFINITY
    this.#abort.abort()
    this.#acquired.resolve()
    this.#nudge()
  }

  #lose(reason: string): void {
    this.#end()
    this.#options.onLost(reason)
  }

  async #work(): Promise<void> {
    while (this.#phase === 'campaigning' || this.#phase === 'leading') {
      const startedAt = this.#options.clock.now()
      let delay: number
      try {
        delay = this.#phase === 'leading' ? await this.#renew() : await this.#stand()
        this.#lastFailure = ''
      } catch (error) {
        delay = await this.#failed(error, startedAt)
      }
      await this.#pause(delay)
    }
  }

  /** One turn of the holder; returns milliseconds until the next. */
  async #renew(): Promise<number> {
    const { clock } = this.#options
    const startedAt = clock.now()
    if (startedAt >= this.#until) this.#lose('the Lease could not be renewed in time')
    else await this.#claim(startedAt)
    return this.#retryMilliseconds - (clock.now() - startedAt)
  }

  /** One turn of a candidate; returns milliseconds until the next. */
  async #stand(): Promise<number> {
    const { clock } = this.#options
    // A living holder shows itself by its renewals; when none is seen, the watch may be dead rather than the holder.
    if (clock.now() - this.#sight.seenAt > 2 * this.#retryMilliseconds) await this.#access.look()
    if (this.#phase === 'over') return 0
    const now = clock.now()
    const freeAt = this.#hasClaimed() ? now : this.#sight.freeAt()
    if (now >= freeAt) await this.#claim(now)
    else if (this.#sight.mustAsk(now)) await this.#ask()
    if (this.isLeading) return this.#retryMilliseconds
    return Math.min(jitter(clock, this.#retryMilliseconds), Math.max(0, freeAt - now))
  }

  /** True when the Lease is ours by a claim whose answer was lost. A Lease that somebody else gave us is not. */
  #hasClaimed(): boolean {
    const { record } = this.#sight
    return record?.holder === this.#options.identity && record.renewTime === this.#lastTime
  }

  /** Writes us in as the holder, if the Lease still is as it was seen. */
  async #claim(startedAt: number): Promise<void> {
    const { identity, version, clock } = this.#options
    const { record } = this.#sight
    const isRenewal = record?.holder === identity
    this.#lastTime = this.#access.stamp()
    await this.#access.write({
      resourceVersion: record?.resourceVersion ?? '',
      holder: identity,
      acquireTime: isRenewal ? record.acquireTime : this.#lastTime,
      renewTime: this.#lastTime,
      leaseSeconds: this.#leaseSeconds,
      transitions: record === undefined ? 0 : record.transitions + (isRenewal ? 0 : 1),
      version,
      releasedBy: '',
      candidate: isRenewal && this.#sight.isCandidateAlive(startedAt) ? record.candidate : undefined,
      foreign: record?.foreign ?? {},
    })
    // The watch may have shown meanwhile that it is not ours any more.
    if (this.#phase === 'over' || this.#sight.record?.holder !== identity) return
    this.#until = startedAt + this.#renewMilliseconds
    if (this.#phase === 'leading' || clock.now() >= this.#until) return
    this.#phase = 'leading'
    this.#isNudged = false
    this.#log.info({ version, transitions: this.#sight.record.transitions }, 'Leading')
    this.#acquired.resolve()
  }

  async #ask(): Promise<void> {
    const { identity, version } = this.#options
    const { record } = this.#sight
    if (record === undefined) return
    this.#log.info({ holder: record.holder, holderVersion: record.version, version }, 'Asking for the lead')
    await this.#access.write({ ...record, candidate: { version, identity, time: this.#access.stamp() } })
  }

  /** What the Lease should say once we are gone; undefined when nothing in it is ours. */
  #withdrawn(): LeaseRecord | undefined {
    const { identity, clock } = this.#options
    const { record } = this.#sight
    if (record === undefined) return undefined
    const isOurs = record.candidate?.identity === identity
    const candidate = isOurs || !this.#sight.isCandidateAlive(clock.now()) ? undefined : record.candidate
    if (record.holder === identity) {
      return { ...record, holder: '', renewTime: this.#access.stamp(), releasedBy: identity, candidate }
    }
    return isOurs ? { ...record, candidate } : undefined
  }

  /** Returns milliseconds until the next attempt. */
  async #failed(thrown: unknown, startedAt: number): Promise<number> {
    const { clock } = this.#options
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    const isOutdated =
      isKubeError(thrown, 'Conflict', 'AlreadyExists') ||
      (isKubeError(thrown, 'NotFound') && this.#sight.record !== undefined)
    const level = isOutdated || reason === this.#lastFailure ? 'debug' : 'warn'
    this.#log[level]({ reason }, 'Failed to read or write the Lease')
    this.#lastFailure = reason
    if (isOutdated) {
      // Somebody else has written or deleted it: what is there now decides.
      await this.#access.look().catch(() => undefined)
      return jitter(clock, this.#retryMilliseconds / 8)
    }
    const asked = isKubeError(thrown) ? (thrown.retryAfterSeconds ?? 0) * 1000 : 0
    // The less time is left to a holder, the sooner it tries again.
    const pause = Math.min(jitter(clock, this.#retryMilliseconds) - (clock.now() - startedAt), this.#left / 2)
    return Math.max(pause, Math.min(asked, maxRetryAfter))
  }

  #seen(): void {
    const { clock, identity, version, onSuperseded } = this.#options
    const { record } = this.#sight
    if (this.#phase === 'campaigning') this.#nudge()
    if (this.#phase !== 'leading') return
    const { holder = '' } = record ?? {}
    // Gone or emptied, and not by us: it is claimed again before anybody else may take it.
    if (holder === '') this.#nudge()
    else if (holder !== identity) return this.#lose(`${holder} has taken the Lease`)
    const successor = this.#sight.successor(clock.now())
    if (successor === undefined || this.#isSuperseded) return
    this.#isSuperseded = true
    onSuperseded(`${successor.identity} of version ${successor.version} asks for the lead, this is ${version}`)
  }

  #nudge(): void {
    this.#isNudged = true
    this.#wake?.()
  }

  /** Milliseconds for which we still lead; without end for a candidate. */
  get #left(): number {
    return this.#phase === 'leading' ? Math.max(0, this.#until - this.#options.clock.now()) : Number.POSITIVE_INFINITY
  }

  /** Ends early when something was seen that asks for a turn, and at the end of the lead. */
  async #pause(milliseconds: number): Promise<void> {
    if (!this.#isNudged && this.#phase !== 'over') {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      const cancel = this.#options.clock.after(Math.max(0, Math.min(milliseconds, this.#left)), resolve)
      await promise
      cancel()
      this.#wake = undefined
    }
    this.#isNudged = false
  }
}
