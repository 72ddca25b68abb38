import { makeHands, type Hands } from '../../support/hands.ts'
import { Double, furnish, makeDoubleAdmin, type Question } from '../double/server.ts'
import type { Store } from '../double/store.ts'
import { Link, type Network } from '../schedule/link.ts'
import { makeRandom, type Random } from '../schedule/random.ts'
import { Schedule, turn } from '../schedule/schedule.ts'
import { startControllerManager } from '../world/controllerManager.ts'
import { startOperator } from './operator.ts'

/** A write of the operator at the server's door. */
export interface WriteAttempt {
  /** Counted from 1 over all operators of the run. */
  readonly number: number
  readonly question: Question
}

export interface WorldOptions {
  readonly seed: number
  /** What is there already; default: a new cluster. */
  readonly store?: Store
  /** Default: quick, and nothing is lost. */
  readonly network?: (random: Random) => Network
  /** Decides whether the operator is killed at a write: before or after it is done. */
  readonly crashAt?: (attempt: WriteAttempt) => 'before' | 'after' | undefined
}

/** Longer than the operator waits for anything: its longest backoff, its patience with its own writes, a removal that failed. */
const quietMilliseconds = 311_000
const restartMilliseconds = 1000

/** A cluster in memory with an operator in it, in virtual time. */
export class World {
  readonly schedule: Schedule
  readonly random: Random
  readonly double: Double
  readonly hands: Hands
  /** Of the operator that runs; the last one's while none does. */
  link!: Link
  readonly #options: WorldOptions
  readonly #network: Network
  readonly #logListeners: ((line: string) => void)[] = []
  #writes = 0
  #lastActivity = 0
  #starts = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.random = makeRandom(options.seed)
    this.schedule = new Schedule(this.random.fork('schedule'))
    const { store } = options
    this.double = new Double({ now: () => this.schedule.wall, ...(store === undefined ? {} : { store }) })
    this.hands = makeHands(makeDoubleAdmin(this.double))
    this.#network = (options.network ?? quickNetwork)(this.random.fork('network'))
    if (store === undefined) furnish(this.double)
    startControllerManager(this.double, this.schedule)
    this.double.store.onChange(() => (this.#lastActivity = this.schedule.time))
  }

  /** Told of each line an operator logs. */
  onLog(listener: (line: string) => void): void {
    this.#logListeners.push(listener)
  }

  /** Writes the operators tried. */
  get writes(): number {
    return this.#writes
  }

  /** How often an operator was started. */
  get starts(): number {
    return this.#starts
  }

  /** What just happened is no rest. */
  stir(): void {
    this.#lastActivity = this.schedule.time
  }

  /** Starts an operator with empty caches. */
  start(): void {
    this.#starts += 1
    const link = new Link({
      schedule: this.schedule,
      double: this.double,
      network: this.#network,
      onWrite: (question) => this.#onWrite(question),
      // Also one that only looks is about to do something.
      onCall: () => this.stir(),
    })
    this.link = link
    const clock = this.schedule.clock(() => link.isDead, this.random.fork(`operator ${this.#starts}`))
    startOperator({ wire: link, clock, onLog: (line) => this.#log(line) })
  }

  /** Lets things happen until nothing has been written for as long as the operator could wait, or until `isOver`. */
  async settle(isOver: () => boolean = () => false): Promise<'settled' | 'over' | 'restless'> {
    const limit = this.schedule.time + 3_600_000
    this.#lastActivity = this.schedule.time
    // What was just started or done has not yet said what it wants.
    await turn()
    while (this.schedule.time - this.#lastActivity < quietMilliseconds) {
      if (isOver()) return 'over'
      if (this.schedule.time > limit) return 'restless'
      if (!(await this.schedule.step())) return 'settled'
    }
    return 'settled'
  }

  #log(line: string): void {
    for (const listener of this.#logListeners) listener(line)
  }

  #onWrite(question: Question): 'before' | 'after' | undefined {
    this.#writes += 1
    this.#lastActivity = this.schedule.time
    const crash = this.#options.crashAt?.({ number: this.#writes, question })
    if (crash !== undefined) this.schedule.after(restartMilliseconds, () => this.start(), true)
    return crash
  }
}

/** A network on which nothing goes wrong, but no two answers take the same time. */
export function quickNetwork(random: Random): Network {
  return {
    fateOf: () => ({ there: 0.2 + random.next(), back: 0.2 + random.next() }),
    eventFateOf: () => ({ delay: 0.2 + random.next() * 3 }),
  }
}
