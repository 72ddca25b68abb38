import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { describe, expect, it } from '@jest/globals'
import { makeKubeClient } from '../../../operator/kube/restClient.ts'
import { atEnd, makeRig, pod, podType, ref } from './transportRig.ts'

describe('transport', () => {
  it('says who we are, asks for no compression, and knows a server below a path', async () => {
    const { client, requests } = await makeRig((_request, response) => response.end(pod), { path: '/k8s/c-1/' })
    await client.get(podType, ref)
    expect(requests[0]?.url).toBe('/k8s/c-1/api/v1/namespaces/n/pods/p')
    expect(requests[0]?.headers).toMatchObject({
      authorization: 'Bearer first',
      'accept-encoding': 'identity',
      'user-agent': 'appstead',
    })
  })

  it('obeys Retry-After by handing it on', async () => {
    const { client } = await makeRig((_request, response) => response.writeHead(429, { 'retry-after': '4' }).end('{}'))
    await expect(client.get(podType, ref)).rejects.toMatchObject({ code: 'TooManyRequests', retryAfterSeconds: 4 })
  })

  it('gives up after its deadline, on headers and on a body that never ends', async () => {
    const { client } = await makeRig(
      (request, response) => (request.url?.includes('slow') === true ? undefined : response.write('{')),
      { callTimeoutSeconds: 0.2 },
    )
    await expect(client.get(podType, { namespace: 'n', name: 'slow' })).rejects.toMatchObject({ code: 'Timeout' })
    await expect(client.get(podType, ref)).rejects.toMatchObject({ code: 'Timeout' })
  })

  it('reads no more than its limit of an answer', async () => {
    let sent = 0
    const { client } = await makeRig(
      (_request, response) => {
        const more = (): void => {
          sent += 65_536
          if (!response.destroyed) response.write(Buffer.alloc(65_536, 32), () => setImmediate(more))
        }
        more()
      },
      { maxBodyBytes: 300_000 },
    )
    await expect(client.get(podType, ref)).rejects.toMatchObject({ code: 'TooLarge' })
    expect(sent).toBeLessThan(20_000_000)
  })

  it.each(['', 'not json', '<html>', '[]', 'null', '{}'])('takes an answer of %j for what it is', async (body) => {
    const { client } = await makeRig((_request, response) => response.end(body))
    await expect(client.get(podType, ref)).rejects.toMatchObject({ code: 'Malformed' })
    await expect(client.list(podType)).rejects.toMatchObject({ code: 'Malformed' })
  })

  it('tells a server that hangs up, and one that is not there', async () => {
    const { client, server } = await makeRig((request) => request.socket.destroy())
    await expect(client.get(podType, ref)).rejects.toMatchObject({ code: 'Unavailable' })
    server.close()
    server.closeAllConnections()
    await expect(client.get(podType, ref)).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('uses its few connections again and again, and watches have their own', async () => {
    const { client, server } = await makeRig(
      (request, response) => {
        if (request.url?.includes('watch=1') === true) response.write('\n')
        else setTimeout(() => response.end(pod), 1)
      },
      { callConnections: 3 },
    )
    const sockets = new Set<unknown>()
    server.on('connection', (socket) => sockets.add(socket))
    const stop = new AbortController()
    const watches = Array.from({ length: 5 }, async () => {
      for await (const _ of client.watch(podType, { resourceVersion: '1', signal: stop.signal }));
    })
    await Promise.all(Array.from({ length: 300 }, () => client.get(podType, ref)))
    expect(client.stats()).toEqual({ requests: 300, watches: 5, callConnections: 3, watchConnections: 5 })
    expect(sockets.size).toBe(8)
    stop.abort()
    expect((await Promise.allSettled(watches)).map(({ status }) => status)).toEqual(
      Array.from({ length: 5 }, () => 'rejected'),
    )
  })

  it('reads a token file again when the server refuses its token', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'transport-'))
    atEnd(() => rmSync(folder, { recursive: true }))
    const tokenFile = join(folder, 'token')
    writeFileSync(tokenFile, 'old')
    const { client, requests } = await makeRig(
      (request, response) =>
        request.headers.authorization === 'Bearer new' ? response.end(pod) : response.writeHead(401).end('{}'),
      { user: { authProvider: { name: 'tokenFile', config: { tokenFile } } } },
    )
    await expect(client.get(podType, ref)).rejects.toMatchObject({ code: 'Unauthorized', isTransient: true })
    writeFileSync(tokenFile, 'new')
    await expect(client.get(podType, ref)).resolves.toMatchObject({ metadata: { name: 'p' } })
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer old', 'Bearer new'])
  })

  it('says what is missing in a kubeconfig', () => {
    const kubeConfig = new KubeConfig()
    kubeConfig.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: 'gone' })
    expect(() => makeKubeClient(kubeConfig)).toThrow("kubeconfig: no cluster for context 'gone'")
  })

  it('refuses to write to a name that would be another path', async () => {
    const { client, requests } = await makeRig((_request, response) => response.end(pod))
    await client.get(podType, { namespace: 'n', name: '../../secrets/s?x' })
    expect(requests[0]?.url).toBe('/api/v1/namespaces/n/pods/..%2F..%2Fsecrets%2Fs%3Fx')
    await expect(client.get(podType, { namespace: '', name: 'p' })).rejects.toThrow(TypeError)
    await expect(client.get(podType, { namespace: 'n', name: '' })).rejects.toThrow(TypeError)
  })
})
