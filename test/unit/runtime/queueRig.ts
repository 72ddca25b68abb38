import { Queue, type QueueOptions } from '../../../operator/runtime/queue.ts'
import { makeFakeClock, settle, type FakeClock } from './fakeClock.ts'

export interface QueueRig {
  readonly queue: Queue
  readonly clock: FakeClock
  /** Keys in the order in which work on them began. */
  readonly started: string[]
  /** Ends the work on a key. */
  readonly finish: (key: string) => Promise<void>
}

/** A queue whose work ends only when the test says so. */
export function makeQueueRig(workers: number, more: Partial<QueueOptions> = {}): QueueRig {
  const clock = makeFakeClock()
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const work = (key: string): Promise<void> => {
    if (ends.has(key)) throw new Error(`two workers on ${key}`)
    started.push(key)
    return new Promise((resolve) => ends.set(key, resolve))
  }
  const queue = new Queue({ clock, workers, work, ...more })
  const finish = async (key: string): Promise<void> => {
    const end = ends.get(key)
    ends.delete(key)
    end?.()
    await settle()
  }
  return { queue, clock, started, finish }
}
