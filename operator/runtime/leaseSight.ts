import type { LeaseRecord } from './lease.ts'
import { isNewer } from './version.ts'

/** A holder that promises more than this is not waited for longer. */
const maxLeaseSeconds = 300

/** Who looks at the Lease. */
export interface Looker {
  readonly identity: string
  readonly version: string
  readonly leaseSeconds: number
  /** How much later than a newer operator an older one takes a Lease that a newer one left. */
  readonly courtesyMilliseconds: number
}

/**
 * What one process has seen of the Lease, and for how long by its own clock, which never jumps: the times in the Lease
 * are other clocks' and never believed. All times are milliseconds of that clock.
 */
export class LeaseSight {
  readonly #looker: Looker
  #record: LeaseRecord | undefined
  #seenAt = Number.NEGATIVE_INFINITY
  /** When holder or renewal were last seen to change, and how long they must stand still before others may take it. */
  #heldSince = Number.NEGATIVE_INFINITY
  #waitMilliseconds = 0
  /** When the candidate was last seen to ask. */
  #askedSince = Number.NEGATIVE_INFINITY

  constructor(looker: Looker) {
    this.#looker = looker
  }

  /** undefined when there is no Lease, or nobody has looked yet. */
  get record(): LeaseRecord | undefined {
    return this.#record
  }

  /** When the Lease was last seen at all. */
  get seenAt(): number {
    return this.#seenAt
  }

  /** Takes in what the Lease is now; undefined when there is none. */
  see(record: LeaseRecord | undefined, now: number): void {
    const before = this.#record
    if (record !== undefined && (before === undefined || isRenewed(before, record))) {
      this.#heldSince = now
      this.#waitMilliseconds = waitOf(record, this.#looker.leaseSeconds) * 1000
    }
    // A Lease that was deleted says nothing about its holder: who held it may still be at work for as long as it was.
    if (
      before?.candidate?.time !== record?.candidate?.time ||
      before?.candidate?.identity !== record?.candidate?.identity
    ) {
      this.#askedSince = now
    }
    this.#record = record
    this.#seenAt = now
  }

  /** From when on we may take the Lease, unless it is seen to change. */
  freeAt(): number {
    const record = this.#record
    const { identity, version, courtesyMilliseconds } = this.#looker
    let at = this.#heldSince + this.#waitMilliseconds
    if (record === undefined) return at
    if (isNewer(record.version, version)) at += courtesyMilliseconds
    const { candidate } = record
    const isBehind = candidate !== undefined && candidate.identity !== identity && !isNewer(version, candidate.version)
    return isBehind ? Math.max(at, this.#askedSince + this.#leaseMilliseconds) : at
  }

  /** True while the candidate's asking is not older than a lease: it may be alive. */
  isCandidateAlive(now: number): boolean {
    return this.#record?.candidate !== undefined && now - this.#askedSince < this.#leaseMilliseconds
  }

  /** The newer operator that asks the holder for the lead; undefined when there is none alive. */
  successor(now: number): LeaseRecord['candidate'] {
    const candidate = this.#record?.candidate
    const isSuccessor =
      candidate !== undefined &&
      candidate.identity !== this.#looker.identity &&
      this.isCandidateAlive(now) &&
      isNewer(candidate.version, this.#looker.version)
    return isSuccessor ? candidate : undefined
  }

  /** True when we are newer than the holder and than whoever else asks, and have not asked for a third of a lease. */
  mustAsk(now: number): boolean {
    const record = this.#record
    const { identity, version } = this.#looker
    if (record === undefined || record.holder === '' || !isNewer(version, record.version)) return false
    const { candidate } = record
    if (candidate?.identity === identity) return now - this.#askedSince >= this.#leaseMilliseconds / 3
    return candidate === undefined || !this.isCandidateAlive(now) || isNewer(version, candidate.version)
  }

  get #leaseMilliseconds(): number {
    return this.#looker.leaseSeconds * 1000
  }
}

function isRenewed(before: LeaseRecord, after: LeaseRecord): boolean {
  return (
    before.holder !== after.holder || before.renewTime !== after.renewTime || before.releasedBy !== after.releasedBy
  )
}

/** Seconds. Never less than our own, or a hand that shortens it in the Lease would let two act at once. */
function waitOf({ holder, releasedBy, leaseSeconds }: LeaseRecord, ownSeconds: number): number {
  if (holder === '' && releasedBy !== '') return 0
  return Math.min(Math.max(leaseSeconds, ownSeconds), Math.max(maxLeaseSeconds, ownSeconds))
}
