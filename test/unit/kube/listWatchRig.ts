import type { KubeObject } from '../../../operator/api/meta.ts'
import type { KubeClient, ListOptions, ListPage, WatchEvent, WatchOptions } from '../../../operator/kube/client.ts'
import type { Doubt } from '../../../operator/kube/backoff.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { ListWatch, type ListWatchOptions } from '../../../operator/kube/listWatch.ts'
import type { Sink } from '../../../operator/kube/sink.ts'
import { compareResourceVersions } from '../../../operator/runtime/resourceVersion.ts'
import { makeFakeClock, settle, type FakeClock } from '../runtime/fakeClock.ts'

const type = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true }

export const makePod = (name: string, resourceVersion: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, resourceVersion },
})
export const page = (resourceVersion: string, continueToken: string, ...names: string[]): ListPage => ({
  items: names.map((name) => makePod(name, '1')),
  resourceVersion,
  continueToken,
})
export const event = (kind: WatchEvent['type'], name: string, resourceVersion: string): WatchEvent => ({
  type: kind,
  object: makePod(name, resourceVersion),
})
export const expired: WatchEvent = {
  type: 'ERROR',
  object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } as unknown as KubeObject,
}

/** A stream the test writes to. */
export interface Stream {
  readonly options: WatchOptions
  send(...events: WatchEvent[]): Promise<void>
  end(): Promise<void>
  fail(error: Error): Promise<void>
}

export interface Rig {
  readonly listWatch: ListWatch
  readonly clock: FakeClock
  /** What the sink was told. */
  readonly told: string[]
  readonly lists: ListOptions[]
  readonly streams: Stream[]
  readonly failures: string[]
  /** What the sink says of the lists to come, one after the other. */
  readonly doubts: Doubt[][]
  readonly skipped: string[]
  stop(): Promise<void>
}

/**
 * A ListWatch of a server whose lists answer as given, one after the other; streams are the test's. That the real one's
 * are such, and end so, test/apiserver/engineWatch.test.ts and test/faults/watch.test.ts show.
 */
export function start(...answers: (ListPage | KubeError)[]): Rig {
  return startWith({}, ...answers)
}

export function startWith(more: Partial<ListWatchOptions>, ...answers: (ListPage | KubeError)[]): Rig {
  const clock = makeFakeClock()
  const [told, failures, lists, streams]: [string[], string[], ListOptions[], Stream[]] = [[], [], [], []]
  const [doubts, skipped]: [Doubt[][], string[]] = [[], []]
  const client: Pick<KubeClient, 'list' | 'watch'> = {
    list: async (_type, options = {}) => {
      lists.push(options)
      const answer = answers.shift() ?? new KubeError('Unavailable', 'no more lists')
      if (answer instanceof KubeError) throw answer
      return answer
    },
    watch: (_type, options) => {
      const { stream, events } = makeStream(options)
      streams.push(stream)
      return events
    },
  }
  const onFailure = (error: KubeError, delay: number): void => void failures.push(`${error.code} ${delay}`)
  const onSkipped = (why: string): void => void skipped.push(why)
  const sink = makeSink(told, doubts)
  const listWatch = new ListWatch({ client, type, sink, timing: clock, onFailure, onSkipped, ...more })
  const abort = new AbortController()
  const run = listWatch.run(abort.signal)
  const stop = async (): Promise<void> => {
    abort.abort()
    await run
  }
  return { listWatch, clock, told, lists, streams, failures, doubts, skipped, stop }
}

/** Writes down what it is told; does not take an object named `poison`. */
function makeSink(told: string[], doubts: Doubt[][]): Sink {
  let seen = ''
  const take = (sign: string, { metadata }: KubeObject): void => {
    if (metadata.name === 'poison') throw new Error('the sink broke')
    const resourceVersion = metadata.resourceVersion ?? ''
    if (compareResourceVersions(resourceVersion, seen) <= 0) return
    seen = resourceVersion
    told.push(`${sign}${metadata.name}`)
  }
  return {
    get seenResourceVersion() {
      return seen
    },
    keep: (object) => object,
    doubtsOf: () => doubts.shift() ?? [],
    replace(items, rv) {
      seen = rv
      told.push(`=${items.map(({ metadata }) => metadata.name).join()} @${rv}`)
    },
    upsert: (object) => take('~', object),
    remove: (object) => take('-', object),
    bookmark(rv) {
      if (compareResourceVersions(rv, seen) <= 0) return
      seen = rv
      told.push(`@${rv}`)
    },
  }
}

function makeStream(options: WatchOptions): { stream: Stream; events: AsyncIterable<WatchEvent> } {
  const queue: (WatchEvent | Error | undefined)[] = []
  let wake: (() => void) | undefined
  const push = async (...items: (WatchEvent | Error | undefined)[]): Promise<void> => {
    queue.push(...items)
    wake?.()
    await settle()
  }
  options.signal.addEventListener('abort', () => void push(new KubeError('Aborted', 'aborted')))
  async function* read(): AsyncGenerator<WatchEvent, void, undefined> {
    for (;;) {
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      const item = queue.shift()
      if (item === undefined) return
      if (item instanceof Error) throw item
      yield item
    }
  }
  const stream: Stream = { options, send: push, end: () => push(undefined), fail: (error) => push(error) }
  return { stream, events: read() }
}
