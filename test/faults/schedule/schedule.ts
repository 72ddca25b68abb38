import type { Clock } from '../../../operator/runtime/clock.ts'
import type { Random } from './random.ts'

interface Action {
  readonly at: number
  readonly order: number
  readonly run: () => void
  /** Whether it gives the operator something to do. */
  readonly wakes: boolean
  isCancelled: boolean
}

/** Midnight of a day on which virtual time begins. */
const beginning = Date.UTC(2026, 0, 1)

/**
 * Virtual time: everything that happens is an action with a due time, run one after the other. No real time passes in
 * between and none decides; what falls due at the same time runs in the order in which it was asked for.
 */
export class Schedule {
  readonly random: Random
  #time = 0
  #order = 0
  #heap: Action[] = []

  constructor(random: Random) {
    this.random = random
  }

  /** Milliseconds since the beginning. */
  get time(): number {
    return this.#time
  }

  /** The time of day, in milliseconds since 1970. */
  get wall(): number {
    return beginning + Math.floor(this.#time)
  }

  /** Runs `run` after a delay; `wakes` says whether the operator hears of it. The returned function cancels it. */
  after(milliseconds: number, run: () => void, wakes = false): () => void {
    this.#order += 1
    const action = { at: this.#time + Math.max(0, milliseconds), order: this.#order, run, wakes, isCancelled: false }
    push(this.#heap, action)
    return () => {
      action.isCancelled = true
    }
  }

  /** Runs what is due next, and lets the operator do what it can without anything else happening; false when nothing is left. */
  async step(): Promise<boolean> {
    let action = pop(this.#heap)
    while (action?.isCancelled === true) action = pop(this.#heap)
    if (action === undefined) return false
    this.#time = action.at
    action.run()
    if (action.wakes) await turn()
    return true
  }

  /** The clock of a process that may be killed: then nothing of it runs any more. */
  clock(isDead: () => boolean, random: Random): Clock {
    return {
      now: () => this.#time,
      wall: () => new Date(this.wall),
      random: () => random.next(),
      after: (milliseconds, run) =>
        this.after(
          milliseconds,
          () => {
            if (!isDead()) run()
          },
          true,
        ),
    }
  }
}

/** Resolves when no promise is left that can be settled by what has happened. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function isBefore(a: Action, b: Action): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push(heap: Action[], action: Action): void {
  let index = heap.push(action) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    if (!isBefore(action, heap[parent]!)) break
    heap[index] = heap[parent]!
    index = parent
  }
  heap[index] = action
}

function pop(heap: Action[]): Action | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let index = 0
  for (;;) {
    let child = index * 2 + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
    if (!isBefore(heap[child]!, last)) break
    heap[index] = heap[child]!
    index = child
  }
  heap[index] = last
  return first
}
