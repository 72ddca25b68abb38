import { describe, expect, it } from '@jest/globals'
import { makeKubeClient, type PooledKubeClient } from '../../../operator/kube/restClient.ts'
import { atEnd, drain, failure, makeRig, pod, podType, ref, until, type Handler } from './transportRig.ts'

interface Stage {
  readonly client: PooledKubeClient
  /** Resolves when a call made meanwhile has got there. */
  readonly reached: () => Promise<void>
  /** Resolves when a later call is served. */
  readonly recovered: () => Promise<void>
}

const never = new Promise<never>(() => undefined)
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

/** Each point at which a call may have to wait. */
const stages: Record<string, () => Promise<Stage>> = {
  async 'waiting for a free connection'() {
    const held: (() => void)[] = []
    const handler: Handler = (_request, response) => void held.push(() => response.end(pod))
    const { client } = await makeRig(handler, { callConnections: 1 })
    const first = client.get(podType, ref)
    return {
      client,
      reached: () => until(() => held.length === 1),
      async recovered() {
        held[0]?.()
        await first
        const next = client.get(podType, ref)
        await until(() => held.length === 2)
        held[1]?.()
        await next
      },
    }
  },
  async 'waiting for the end of a pause'() {
    let count = 0
    const { client } = await makeRig(
      (_request, response) =>
        (count += 1) === 1 ? response.writeHead(429, { 'retry-after': '0.4' }).end('{}') : response.end(pod),
      { callTimeoutSeconds: 5 },
    )
    await failure(client.get(podType, ref))
    return { client, reached: turn, recovered: async () => void (await client.get(podType, ref)) }
  },
  async 'waiting for credentials'() {
    const { credentials } = await makeRig((_request, response) => response.end(pod))
    let asked = 0
    const identity = (): ReturnType<typeof credentials.identity> =>
      (asked += 1) === 1 ? never : credentials.identity()
    const client = makeKubeClient({ ...credentials, identity }, { callConnections: 1 })
    atEnd(() => client.close())
    return {
      client,
      reached: () => until(() => asked === 1),
      recovered: async () => void (await client.get(podType, ref)),
    }
  },
  async connecting() {
    const { credentials } = await makeRig((_request, response) => response.end(pod))
    const connects = Promise.withResolvers<void>()
    let isConnecting = false
    const tls: typeof credentials.tls = async () => {
      isConnecting = true
      await connects.promise
      return credentials.tls()
    }
    const client = makeKubeClient({ ...credentials, tls }, { callConnections: 1 })
    atEnd(() => client.close())
    return {
      client,
      reached: () => until(() => isConnecting),
      async recovered() {
        connects.resolve()
        await client.get(podType, ref)
      },
    }
  },
  async 'waiting for the answer'() {
    let count = 0
    const { client } = await makeRig((_request, response) => {
      if ((count += 1) > 1) response.end(pod)
    })
    return {
      client,
      reached: () => until(() => count === 1),
      recovered: async () => void (await client.get(podType, ref)),
    }
  },
  async 'reading the answer'() {
    let count = 0
    const { client } = await makeRig((_request, response) => {
      if ((count += 1) > 1) response.end(pod)
      else response.write('{')
    })
    return {
      client,
      reached: async () => {
        await until(() => count === 1)
        await turn()
      },
      recovered: async () => void (await client.get(podType, ref)),
    }
  },
}

describe.each(Object.keys(stages))('a call that is %s', (name) => {
  it('ends with its signal, and the next one is served', async () => {
    const { client, reached, recovered } = await stages[name]!()
    const stop = new AbortController()
    const call = failure(client.get(podType, ref, { signal: stop.signal }))
    await reached()
    stop.abort()
    expect(await call).toMatchObject({ code: 'Aborted', message: 'get pods n/p: aborted', isTransient: true })
    await recovered()
  })

  it('ends with its time, and says so', async () => {
    const { client, recovered } = await stages[name]!()
    const error = await failure(client.get(podType, ref, { timeoutSeconds: 0.15 }))
    expect(['Timeout', 'TooManyRequests']).toContain(error.code)
    expect(error.message).toMatch(/^get pods n\/p: (no answer in time|not sent, )/)
    await recovered()
  })
})

/** Not for a connection: a watch has its own. */
const watchStages = Object.keys(stages).filter((name) => name !== 'waiting for a free connection')

describe.each(watchStages)('a watch that is %s', (name) => {
  it('ends with its signal', async () => {
    const { client, reached } = await stages[name]!()
    const stop = new AbortController()
    const watch = failure(drain(client.watch(podType, { resourceVersion: '1', signal: stop.signal })))
    await reached()
    stop.abort()
    expect(await watch).toMatchObject({ code: 'Aborted', message: 'watch pods: aborted' })
  })
})

it('does not even begin under an aborted signal', async () => {
  const { client, requests } = await makeRig((_request, response) => response.end(pod))
  const signal = AbortSignal.abort()
  expect(await failure(client.get(podType, ref, { signal }))).toMatchObject({ code: 'Aborted' })
  expect(await failure(drain(client.watch(podType, { resourceVersion: '1', signal })))).toMatchObject({
    code: 'Aborted',
  })
  expect(requests).toHaveLength(0)
})

it('prepares the next call only when the connection is done with an aborted one', async () => {
  const { credentials } = await makeRig((_request, response) => response.end(pod))
  const connects = Promise.withResolvers<void>()
  let prepared = 0
  const slow: typeof credentials = {
    ...credentials,
    identity() {
      prepared += 1
      return credentials.identity()
    },
    async tls() {
      await connects.promise
      return credentials.tls()
    },
  }
  const client = makeKubeClient(slow, { callConnections: 1 })
  atEnd(() => client.close())
  expect(await failure(client.get(podType, ref, { timeoutSeconds: 0.02 }))).toMatchObject({ code: 'Timeout' })
  const next = client.get(podType, ref)
  await turn()
  expect(prepared).toBe(1)
  connects.resolve()
  await next
  expect(prepared).toBe(2)
})

it('serves calls in the order in which they came', async () => {
  const order: string[] = []
  const { client } = await makeRig(
    (request, response) => {
      order.push(request.url?.split('/').at(-1) ?? '')
      setTimeout(() => response.end(pod), 1)
    },
    { callConnections: 1 },
  )
  const names = Array.from({ length: 30 }, (_, index) => `p${index}`)
  await Promise.all(names.map((each) => client.get(podType, { namespace: 'n', name: each })))
  expect(order).toEqual(names)
})

it('closes: running calls end, waiting and later ones are refused, watches are cut', async () => {
  const held: (() => void)[] = []
  const { client } = await makeRig(
    (request, response) =>
      request.url?.includes('watch=1') === true ? void response.write('\n') : void held.push(() => response.end(pod)),
    { callConnections: 1 },
  )
  const running = client.get(podType, ref)
  const waiting = failure(client.get(podType, ref))
  const watch = failure(drain(client.watch(podType, { resourceVersion: '1', signal: new AbortController().signal })))
  await until(() => held.length === 1)
  const closed = client.close()
  expect(await waiting).toMatchObject({ code: 'Unavailable', message: 'the client is closed' })
  expect(await watch).toMatchObject({ code: 'Unavailable' })
  held[0]?.()
  expect(await running).toMatchObject({ metadata: { name: 'p' } })
  await closed
  expect(await failure(client.get(podType, ref))).toMatchObject({ code: 'Unavailable' })
})
