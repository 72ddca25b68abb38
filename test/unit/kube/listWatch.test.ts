import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../../operator/api/meta.ts'
import type { KubeClient, ListOptions, ListPage, WatchEvent, WatchOptions } from '../../../operator/kube/client.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { ListWatch, maxQuietMilliseconds } from '../../../operator/kube/listWatch.ts'
import { makeFakeClock, settle, type FakeClock } from '../runtime/fakeClock.ts'

const type = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true }

const makePod = (name: string, resourceVersion: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, resourceVersion },
})
const page = (resourceVersion: string, continueToken: string, ...names: string[]): ListPage => ({
  items: names.map((name) => makePod(name, '1')),
  resourceVersion,
  continueToken,
})
const event = (kind: WatchEvent['type'], name: string, resourceVersion: string): WatchEvent => ({
  type: kind,
  object: makePod(name, resourceVersion),
})
const expired: WatchEvent = {
  type: 'ERROR',
  object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } as unknown as KubeObject,
}

/** A stream the test writes to. */
interface Stream {
  readonly options: WatchOptions
  send(...events: WatchEvent[]): Promise<void>
  end(): Promise<void>
  fail(error: Error): Promise<void>
}

interface Rig {
  readonly listWatch: ListWatch
  readonly clock: FakeClock
  /** What the sink was told. */
  readonly told: string[]
  readonly lists: ListOptions[]
  readonly streams: Stream[]
  readonly failures: string[]
  stop(): Promise<void>
}

/** A ListWatch of a server whose lists answer as given, one after the other; streams are the test's. */
function start(...answers: (ListPage | KubeError)[]): Rig {
  const clock = makeFakeClock()
  const [told, failures, lists, streams]: [string[], string[], ListOptions[], Stream[]] = [[], [], [], []]
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
  const sink = {
    keep: (object: KubeObject) => object,
    replace: (items: readonly KubeObject[], rv: string) =>
      void told.push(`=${items.map(({ metadata }) => metadata.name).join()} @${rv}`),
    upsert: (object: KubeObject) => void told.push(`~${object.metadata.name}`),
    remove: (object: KubeObject) => void told.push(`-${object.metadata.name}`),
    bookmark: (rv: string) => void told.push(`@${rv}`),
  }
  const onFailure = (error: KubeError, delay: number): void => void failures.push(`${error.code} ${delay}`)
  const listWatch = new ListWatch({ client, type, sink, timing: clock, onFailure })
  const abort = new AbortController()
  const run = listWatch.run(abort.signal)
  const stop = async (): Promise<void> => {
    abort.abort()
    await run
  }
  return { listWatch, clock, told, lists, streams, failures, stop }
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

describe('list', () => {
  it('takes all pages before it tells anything', async () => {
    const rig = start(page('7', 'next', 'a', 'b'), page('7', '', 'c'))
    await settle()
    expect(rig.told).toEqual(['=a,b,c @7'])
    expect(rig.lists.map(({ limit, continueToken }) => [limit, continueToken])).toEqual([
      [500, ''],
      [500, 'next'],
    ])
    expect(rig.streams[0]?.options).toMatchObject({ resourceVersion: '7' })
    await rig.stop()
  })

  it('begins again when a page has grown too old, and tells nothing of the half list', async () => {
    const rig = start(page('7', 'next', 'a'), new KubeError('Gone', 'continue token expired'), page('9', '', 'b'))
    await settle()
    expect(rig.told).toEqual([])
    await rig.clock.pass(1000)
    expect(rig.told).toEqual(['=b @9'])
    await rig.stop()
  })

  it('tries again ever more slowly, but at least every 30 s', async () => {
    const rig = start(...Array.from({ length: 10 }, () => new KubeError('Unavailable', 'down')), page('7', '', 'a'))
    await rig.clock.pass(200_000)
    expect(rig.failures).toEqual(
      [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000].map((delay) => `Unavailable ${delay}`),
    )
    expect(rig.told).toEqual(['=a @7'])
    await rig.stop()
  })

  it('waits as long as the server asks', async () => {
    const rig = start(new KubeError('TooManyRequests', 'busy', { retryAfterSeconds: 11 }), page('7', ''))
    await settle()
    expect(rig.failures).toEqual(['TooManyRequests 11000'])
    await rig.stop()
  })
})

describe('watch', () => {
  it('tells what happens, and goes on from the last resourceVersion when the server ends the stream', async () => {
    const rig = start(page('7', '', 'a'))
    await rig.clock.pass(5000)
    await rig.streams[0]?.send(
      event('MODIFIED', 'a', '8'),
      event('DELETED', 'a', '9'),
      event('ADDED', 'b', '10'),
      event('BOOKMARK', '', '15'),
    )
    expect(rig.told.slice(1)).toEqual(['~a', '-a', '~b', '@15'])
    await rig.streams[0]?.end()
    expect(rig.streams[1]?.options).toMatchObject({ resourceVersion: '15' })
    expect([rig.lists.length, rig.failures]).toEqual([1, []])
    await rig.stop()
  })

  it('goes on from the last resourceVersion after a broken line or connection', async () => {
    const rig = start(page('7', '', 'a'))
    await settle()
    await rig.streams[0]?.send(event('MODIFIED', 'a', '8'))
    await rig.streams[0]?.fail(new KubeError('Malformed', 'a line is no JSON'))
    await rig.clock.pass(200)
    expect(rig.streams[1]?.options).toMatchObject({ resourceVersion: '8' })
    expect(rig.lists).toHaveLength(1)
    await rig.stop()
  })

  it.each([
    ['in the stream', (stream: Stream | undefined) => stream?.send(expired)],
    ['at its start', (stream: Stream | undefined) => stream?.fail(new KubeError('Gone', 'too old resource version'))],
  ])('lists again, once and not at once, after 410 %s', async (_where, breakIt) => {
    const rig = start(page('7', '', 'a', 'b'), page('90', '', 'b'))
    await settle()
    await breakIt(rig.streams[0])
    expect(rig.lists).toHaveLength(1)
    expect(rig.listWatch.state).toEqual({ kind: 'waiting', delayMilliseconds: 200, next: { kind: 'listing' } })
    await rig.clock.pass(200)
    expect(rig.told).toEqual(['=a,b @7', '=b @90'])
    expect(rig.streams[1]?.options).toMatchObject({ resourceVersion: '90' })
    await rig.stop()
  })

  it('takes a stream that is silent for two bookmarks for dead, and goes on without listing', async () => {
    const rig = start(page('7', '', 'a'))
    await rig.clock.pass(100_000)
    await rig.streams[0]?.send(event('BOOKMARK', '', '20'))
    await rig.clock.pass(149_000)
    expect(rig.streams).toHaveLength(1)
    await rig.clock.pass(2000)
    expect(rig.failures).toEqual(['Timeout 200'])
    expect(rig.streams[1]?.options).toMatchObject({ resourceVersion: '20' })
    expect(rig.lists).toHaveLength(1)
    await rig.stop()
  })

  it('does not ask at once again a server that ends each stream at once', async () => {
    const rig = start(page('7', '', 'a'))
    await settle()
    await rig.streams[0]?.end()
    expect(rig.streams).toHaveLength(1)
    expect(rig.failures).toEqual(['Unavailable 200'])
    await rig.clock.pass(200)
    await rig.streams[1]?.end()
    expect(rig.failures).toEqual(['Unavailable 200', 'Unavailable 400'])
    await rig.stop()
  })

  it('passes over an event of a type it does not know', async () => {
    const rig = start(page('7', '', 'a'))
    await settle()
    await rig.streams[0]?.send(event('NEW' as 'ADDED', 'x', '8'), event('ADDED', 'b', '9'))
    expect(rig.told).toEqual(['=a @7', '~b'])
    expect(rig.failures).toEqual([])
    await rig.stop()
  })

  it('is never quiet for as long as a hung one, be the server well or away', async () => {
    const rig = start(page('7', ''))
    let longest = 0
    for (let minute = 0; minute < 60; minute += 1) {
      await rig.clock.pass(10_000)
      longest = Math.max(longest, rig.clock.now() - rig.listWatch.progressAt)
    }
    expect(longest).toBeLessThan(maxQuietMilliseconds)
    await rig.stop()
  })

  it('ends with its signal, leaving no timer', async () => {
    const rig = start(page('7', '', 'a'))
    await settle()
    await rig.stop()
    expect(rig.listWatch.state).toEqual({ kind: 'stopped' })
    expect(rig.clock.pending()).toEqual([])
  })
})
