import { createServer as createSocketServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { makeKubeClient } from '../../../operator/kube/restClient.ts'
import type { AnswerNote } from '../../../operator/kube/transport.ts'
import { atEnd, drain, failure, kubeConfigOf, makeRig, pod, podType, ref, until } from './transportRig.ts'

const object = { apiVersion: 'v1', kind: 'Pod', metadata: ref }
const watchOptions = { resourceVersion: '1', signal: new AbortController().signal }

/** A server of bytes: the n-th connection is given to the n-th of `serve`, later ones to the last. */
async function listenToSockets(...serve: ((socket: Socket) => void)[]): Promise<{ url: string; sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = createSocketServer((socket) => {
    socket.on('error', () => undefined)
    const index = Math.min(sockets.push(socket), serve.length) - 1
    serve[index]?.(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets }
}

const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${pod.length}\r\n\r\n${pod}`
const answerEach = (socket: Socket): void => void socket.on('data', () => socket.write(answer))
/** Answers one request and hangs up on the second. */
function answerOnce(socket: Socket): void {
  socket.once('data', () => {
    socket.write(answer)
    socket.once('data', () => socket.destroy())
  })
}

describe('a connection that is closed under a request', () => {
  it('costs a read nothing: it is sent once more', async () => {
    const { url, sockets } = await listenToSockets(answerOnce, answerEach)
    const client = makeKubeClient(kubeConfigOf(url), { callConnections: 1 })
    atEnd(() => client.close())
    await client.get(podType, ref)
    await client.get(podType, ref)
    expect(sockets).toHaveLength(2)
  })

  it('is told of a write, which may have happened', async () => {
    const { url, sockets } = await listenToSockets(answerOnce, answerEach)
    const client = makeKubeClient(kubeConfigOf(url), { callConnections: 1 })
    atEnd(() => client.close())
    await client.get(podType, ref)
    expect(await failure(client.create(podType, object))).toMatchObject({ code: 'Unavailable', isTransient: true })
    expect(sockets).toHaveLength(1)
    await client.get(podType, ref)
    expect(sockets).toHaveLength(2)
  })

  it('ends a read that loses the second one too', async () => {
    const { url, sockets } = await listenToSockets((socket) => socket.once('data', () => socket.destroy()))
    const client = makeKubeClient(kubeConfigOf(url), { callConnections: 1 })
    atEnd(() => client.close())
    expect(await failure(client.get(podType, ref))).toMatchObject({ code: 'Unavailable' })
    expect(sockets).toHaveLength(2)
  })

  it('while nobody uses it costs nothing, not even a write', async () => {
    const { url, sockets } = await listenToSockets(answerEach)
    const client = makeKubeClient(kubeConfigOf(url), { callConnections: 1 })
    atEnd(() => client.close())
    await client.get(podType, ref)
    sockets[0]?.end()
    await until(() => sockets[0]?.destroyed === true)
    await client.create(podType, object)
    expect(sockets).toHaveLength(2)
  })
})

it('closes a connection nobody uses before a proxy does', async () => {
  const { url, sockets } = await listenToSockets(answerEach)
  const client = makeKubeClient(kubeConfigOf(url), { callConnections: 1, idleSeconds: 0.05 })
  atEnd(() => client.close())
  await client.get(podType, ref)
  await until(() => sockets[0]?.destroyed === true)
  await client.get(podType, ref)
  expect(sockets).toHaveLength(2)
})

describe('a hostile server', () => {
  it.each([301, 302, 307, 308])('may not send us elsewhere with a %d', async (status) => {
    const elsewhere = await makeRig((_request, response) => response.end(pod))
    const location = `${elsewhere.credentials.origin}/api/v1/namespaces/n/pods/p`
    const { client } = await makeRig((_request, response) => response.writeHead(status, { location }).end())
    const message = `HTTP ${status}, a redirect; redirects are not followed`
    expect(await failure(client.get(podType, ref))).toMatchObject({
      code: 'Unavailable',
      message: `get pods n/p: ${message}`,
    })
    expect(await failure(client.apply(podType, object))).toMatchObject({ message: `apply pods n/p: ${message}` })
    expect(await failure(drain(client.watch(podType, watchOptions)))).toMatchObject({
      message: `watch pods: ${message}`,
    })
    expect(elsewhere.requests).toHaveLength(0)
  })

  it('cannot make us believe that an object is gone with a page of its own', async () => {
    const pages = [
      '<html>Not Found</html>',
      '',
      'null',
      '404 page not found\n',
      '{"kind":"Status","reason":"NotFound"}',
    ]
    const { client } = await makeRig((_request, response) => response.writeHead(404).end(pages.shift()))
    const codes = []
    for (let tries = 0; tries < 5; tries += 1) codes.push((await failure(client.get(podType, ref))).code)
    expect(codes).toEqual(['Unavailable', 'Unavailable', 'Unavailable', 'NotFound', 'NotFound'])
  })

  it('cannot pass a failure off as something else, nor flood us with words', async () => {
    const status = { kind: 'Status', code: 404, reason: 'x'.repeat(5000), message: `a\u0000\n${'b'.repeat(90_000)}` }
    const { client } = await makeRig((_request, response) => response.writeHead(500).end(JSON.stringify(status)))
    const error = await failure(client.get(podType, ref))
    expect(error).toMatchObject({ code: 'Unavailable', status: 500 })
    expect(error.message.length).toBeLessThan(1100)
    expect(error.message).toContain('get pods n/p: a b')
  })

  it.each([
    '{"message":{"a":1},"reason":7,"code":"x","details":"y"}',
    '{"details":{"causes":[null,1,{"field":{}}],"retryAfterSeconds":"z"}}',
    '[]',
    '7',
  ])('is a failure like another when it sends %s', async (body) => {
    const { client } = await makeRig((_request, response) => response.writeHead(500).end(body))
    expect(await failure(client.get(podType, ref))).toMatchObject({
      name: 'KubeError',
      code: 'Unavailable',
      status: 500,
    })
  })

  it('reads no more of an endless refusal than an error needs', async () => {
    let sent = 0
    const { client } = await makeRig((_request, response) => {
      response.writeHead(403)
      const more = (): void => {
        sent += 65_536
        if (!response.destroyed) response.write(Buffer.alloc(65_536, 32), () => setImmediate(more))
      }
      more()
    })
    expect(await failure(client.get(podType, ref))).toMatchObject({ code: 'Forbidden', status: 403 })
    expect(await failure(drain(client.watch(podType, watchOptions)))).toMatchObject({ code: 'Forbidden', status: 403 })
    expect(sent).toBeLessThan(20_000_000)
  })

  it('gets no more than its time with a body of one byte at a time', async () => {
    const { client } = await makeRig((_request, response) => {
      const timer = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(timer))
    })
    const started = performance.now()
    expect(await failure(client.get(podType, ref, { timeoutSeconds: 0.2 }))).toMatchObject({ code: 'Timeout' })
    expect(await failure(client.list(podType, { timeoutSeconds: 0.2 }))).toMatchObject({ code: 'Timeout' })
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('may not leave a watch without an answer, but may then be silent', async () => {
    const { client } = await makeRig(
      (_request, response) => {
        if (_request.url?.includes('/namespaces/') !== true) response.write('\n')
      },
      { watchOpenSeconds: 0.1 },
    )
    const silent = { resourceVersion: '1', namespace: 'n', signal: new AbortController().signal }
    expect(await failure(drain(client.watch(podType, silent)))).toMatchObject({ code: 'Timeout' })
    const stop = new AbortController()
    const quiet = failure(drain(client.watch(podType, { ...silent, namespace: '', signal: stop.signal })))
    await new Promise((resolve) => setTimeout(resolve, 300))
    stop.abort()
    expect(await quiet).toMatchObject({ code: 'Aborted' })
  })

  it.each([
    ['a list without a version', '{"metadata":{},"items":[]}'],
    ['a token that is no text', '{"metadata":{"resourceVersion":"1","continue":7},"items":[]}'],
    ['items that are no list', '{"metadata":{"resourceVersion":"1"},"items":"abc"}'],
    ['an item without metadata', '{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{}},{}]}'],
    ['an item that is null', '{"metadata":{"resourceVersion":"1"},"items":[null]}'],
    ['metadata that is null', '{"metadata":null}'],
  ])('%s is malformed', async (_, body) => {
    const { client } = await makeRig((_request, response) => response.end(body))
    expect(await failure(client.list(podType))).toMatchObject({ code: 'Malformed' })
  })

  it.each([
    'null',
    '7',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":{"metadata":null}}',
    '{"type":"ERROR","object":1}',
  ])('the event %s is malformed', async (line) => {
    const { client } = await makeRig((_request, response) => response.end(`${line}\n`))
    expect(await failure(drain(client.watch(podType, watchOptions)))).toMatchObject({ code: 'Malformed' })
  })
})

it('reads more of a list than of an object', async () => {
  const large = `{"metadata":{"resourceVersion":"1"},"items":[],"filling":"${'x'.repeat(17 * 1024 * 1024)}"}`
  const { client } = await makeRig((_request, response) => response.end(large))
  expect(await failure(client.get(podType, ref))).toMatchObject({ code: 'TooLarge' })
  expect((await client.list(podType)).items).toEqual([])
})

it('tells of each answer: method, status, host', async () => {
  const notes: AnswerNote[] = []
  const { client, server, credentials } = await makeRig(
    (request, response) => response.writeHead(request.method === 'POST' ? 409 : 200).end(pod),
    { onAnswer: (note) => notes.push(note) },
  )
  await client.get(podType, ref)
  await failure(client.create(podType, object))
  await failure(drain(client.watch(podType, watchOptions)))
  server.close()
  server.closeAllConnections()
  await failure(client.delete(podType, ref, 'uid'))
  const { host } = new URL(credentials.origin)
  expect(notes).toEqual([
    { method: 'GET', code: 200, host },
    { method: 'POST', code: 409, host },
    { method: 'GET', code: 200, host },
    { method: 'DELETE', code: '<error>', host },
  ])
})
