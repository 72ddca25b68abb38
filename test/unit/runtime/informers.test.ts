import { afterEach, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { configMapType, namespaceType } from '../../../operator/api/builtin.ts'
import type { KubeClient, ListPage, WatchEvent, WatchOptions } from '../../../operator/kube/client.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import { maxQuietMilliseconds } from '../../../operator/kube/listWatch.ts'
import { startHealthServer } from '../../../operator/runtime/health.ts'
import type { ListeningServer } from '../../../operator/runtime/httpServer.ts'
import { Informers } from '../../../operator/runtime/informers.ts'
import { makeFakeClock, settle } from './fakeClock.ts'

type Client = Pick<KubeClient, 'list' | 'watch'>

const page: ListPage = { items: [], resourceVersion: '7', continueToken: '' }
const hangs = (): Promise<never> => new Promise(() => undefined)

/** A stream without an event; it ends with its signal, as the transport's do, or never. */
function silence(signal?: AbortSignal): AsyncIterable<WatchEvent> {
  const next = (): Promise<never> =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new KubeError('Aborted', 'aborted')), { once: true })
    })
  return { [Symbol.asyncIterator]: () => ({ next }) }
}

const wellBehaved: Client = {
  list: () => Promise.resolve(page),
  watch: (_type, { signal }: WatchOptions) => silence(signal),
}

let server: ListeningServer | undefined
afterEach(() => server?.close())

/** What /livez says of two types, the ConfigMaps behind this client, at each of these times, with nothing happening before. */
async function livezAfter(client: Client, ...times: readonly number[]): Promise<readonly string[]> {
  const clock = makeFakeClock()
  const informers = new Informers({
    client: {
      list: (type, options) => (type === configMapType ? client : wellBehaved).list(type, options),
      watch: (type, options) => (type === configMapType ? client : wellBehaved).watch(type, options),
    },
    informers: [{ type: configMapType }, { type: namespaceType }],
    clock,
    log: pino({ level: 'silent' }),
  })
  server = await startHealthServer({
    port: 0,
    host: '127.0.0.1',
    informers: () => informers.health(),
    isReady: () => true,
  })
  informers.start()
  await settle()
  const said: string[] = []
  for (const time of times) {
    await clock.pass(time - clock.now())
    const answer = await fetch(`http://127.0.0.1:${server.port}/livez`)
    said.push(`${answer.status} ${await answer.text()}`.trim())
  }
  return said
}

describe('a list + watch', () => {
  it.each([
    ['list never answers', { ...wellBehaved, list: hangs }, 'listing'],
    ['stream neither brings anything nor ends with its signal', { ...wellBehaved, watch: () => silence() }, 'watching'],
  ])('whose %s is a reason to restart in the end, and is named', async (_what, client, state) => {
    expect(await livezAfter(client, maxQuietMilliseconds - 1, maxQuietMilliseconds)).toEqual([
      '200 ok',
      `503 not ok\nconfigmaps.v1: ${state}`,
    ])
  })

  it.each([
    ['is silent', wellBehaved],
    ['is away', { ...wellBehaved, list: () => Promise.reject(new KubeError('Unavailable', 'down')) }],
  ])('of a server that %s is none, however long', async (_what, client) => {
    const times = Array.from({ length: 12 }, (_, index) => (index + 1) * 0.5 * maxQuietMilliseconds)
    expect(await livezAfter(client, ...times)).toEqual(times.map(() => '200 ok'))
  })

  it('that waits in line behind two that hang is none; those are', async () => {
    const clock = makeFakeClock()
    const third = { ...configMapType, plural: 'thirds' }
    const informers = new Informers({
      client: { ...wellBehaved, list: hangs },
      informers: [{ type: configMapType }, { type: namespaceType }, { type: third }],
      clock,
      log: pino({ level: 'silent' }),
    })
    informers.start()
    await clock.pass(maxQuietMilliseconds)
    expect(informers.health().map(({ type, isAlive }) => [type, isAlive])).toEqual([
      ['configmaps.v1', false],
      ['namespaces.v1', false],
      ['thirds.v1', true],
    ])
  })
})
