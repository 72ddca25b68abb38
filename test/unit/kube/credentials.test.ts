import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { KubeConfig } from '@kubernetes/client-node'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { loadKubeConfig } from '../../../operator/kube/access.ts'
import { makeKubeClient, type PooledKubeClient } from '../../../operator/kube/restClient.ts'
import { credentialsOf } from '../../../operator/kube/credentials.ts'
import { Redacted } from '../../../operator/kube/secret.ts'
import { makeAuthority, type Authority } from '../../cluster/certificates.ts'
import { atEnd, drain, failure, makeRig, pod, podType, ref, until } from './transportRig.ts'

let folder: string
const path = (name: string): string => join(folder, name)
const tokenUser = (): object => ({ authProvider: { name: 'tokenFile', config: { tokenFile: path('token') } } })
const write = (name: string, text: string): void => writeFileSync(path(name), text)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'))
  atEnd(() => rmSync(folder, { recursive: true }))
})

/** A server that takes only this token, and a client that reads its file again when it is older than `maxAge` ms. */
async function rigOf(token: () => string, maxAge?: number): Promise<{ client: PooledKubeClient; sent: string[] }> {
  const sent: string[] = []
  const rig = await makeRig(
    (request, response) => {
      sent.push(`${request.method} ${request.headers.authorization}`)
      response.writeHead(request.headers.authorization === `Bearer ${token()}` ? 200 : 401).end(pod)
    },
    { user: tokenUser(), callConnections: 4 },
  )
  if (maxAge === undefined) return { client: rig.client, sent }
  const kubeConfig = new KubeConfig()
  const server = { name: 'c', server: rig.credentials.origin, skipTLSVerify: true }
  kubeConfig.loadFromClusterAndUser(server, { name: 'u', ...tokenUser() })
  const client = makeKubeClient(credentialsOf(kubeConfig, maxAge))
  atEnd(() => client.close())
  return { client, sent }
}

describe('a token file', () => {
  it('is read again after its time, before the server refuses the old one', async () => {
    write('token', 'old')
    let valid = 'old'
    const { client, sent } = await rigOf(() => valid, 0)
    await client.get(podType, ref)
    write('token', 'new\n')
    valid = 'new'
    await new Promise((resolve) => setTimeout(resolve, 2))
    await client.get(podType, ref)
    expect(sent).toEqual(['GET Bearer old', 'GET Bearer new'])
  })

  it('is read again at once when the server refuses it, and the refused call is none the wiser', async () => {
    write('token', 'old')
    let valid = 'old'
    const { client, sent } = await rigOf(() => valid)
    await client.get(podType, ref)
    write('token', 'new')
    await client.get(podType, ref)
    valid = 'new'
    await client.apply(podType, { apiVersion: 'v1', kind: 'Pod', metadata: ref })
    await drain(client.watch(podType, { resourceVersion: '1', signal: new AbortController().signal })).catch(() => 0)
    expect(sent).toEqual(['GET Bearer old', 'GET Bearer old', 'PATCH Bearer old', 'PATCH Bearer new', 'GET Bearer new'])
  })

  it('is read once for many calls that are refused together', async () => {
    write('token', 'old')
    let valid = 'old'
    const { client, sent } = await rigOf(() => valid)
    await client.get(podType, ref)
    write('token', 'new')
    valid = 'new'
    await Promise.all(Array.from({ length: 20 }, () => client.get(podType, ref)))
    expect(sent.filter((each) => each.endsWith('old')).length).toBeLessThanOrEqual(5)
  })

  it('that has not changed is not tried again', async () => {
    write('token', 'old')
    const { client, sent } = await rigOf(() => 'new')
    expect(await failure(client.get(podType, ref))).toMatchObject({ code: 'Unauthorized' })
    expect(sent).toEqual(['GET Bearer old'])
  })

  it('that is missing for a moment does not matter while the server takes what we had', async () => {
    write('token', 'old')
    const { client, sent } = await rigOf(() => 'old', 0)
    await client.get(podType, ref)
    rmSync(path('token'))
    await new Promise((resolve) => setTimeout(resolve, 2))
    await client.get(podType, ref)
    expect(sent).toHaveLength(2)
  })

  it('that is missing from the start is a failure that passes', async () => {
    const { client } = await rigOf(() => 'old')
    expect(await failure(client.get(podType, ref))).toMatchObject({ code: 'Unavailable', isTransient: true })
    write('token', 'old')
    await client.get(podType, ref)
  })
})

/** A client whose certificates are files, read again when they are older than `maxAge` ms. */
function clientOf(url: string, maxAge: number): PooledKubeClient {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromClusterAndUser(
    { name: 'c', server: url, caFile: path('ca.crt'), skipTLSVerify: false },
    { name: 'u', certFile: path('me.crt'), keyFile: path('me.key') },
  )
  const client = makeKubeClient(credentialsOf(kubeConfig, maxAge))
  atEnd(() => client.close())
  return client
}

describe('certificate files', () => {
  let authority: Authority

  /** An https server that says as whom it sees each connection. */
  async function serve(clientAuthority: string): Promise<{ server: Server; url: string; seen: string[] }> {
    const seen: string[] = []
    const own = authority.issue({ commonName: 'server', servedNames: ['127.0.0.1'] })
    const options = { key: own.key, cert: own.certificate, ca: clientAuthority, requestCert: true }
    const server = createServer({ ...options, rejectUnauthorized: false }, (request, response) => {
      seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN))
      if (request.url?.includes('watch=1') === true) response.write('\n')
      else response.end(pod)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    atEnd(() => {
      server.close()
      server.closeAllConnections()
    })
    return { server, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
  }

  function become(commonName: string): void {
    const { certificate, key } = authority.issue({ commonName })
    write('me.crt', certificate)
    write('me.key', key)
  }

  beforeEach(() => {
    authority = makeAuthority('first')
    write('ca.crt', authority.certificate)
    become('old')
  })

  it('that were replaced make new connections; calls do not stay on the old ones, running watches do', async () => {
    const { server, url, seen } = await serve(authority.certificate)
    let closed = 0
    server.on('secureConnection', (socket) => socket.on('close', () => (closed += 1)))
    const client = clientOf(url, 0)
    const stop = new AbortController()
    const watch = failure(drain(client.watch(podType, { resourceVersion: '1', signal: stop.signal })))
    await client.get(podType, ref)
    await until(() => seen.length === 2)
    become('new')
    await new Promise((resolve) => setTimeout(resolve, 2))
    await client.get(podType, ref)
    expect(seen).toEqual(['old', 'old', 'new'])
    // The old call's connection goes at once, the old watch's with its end.
    await until(() => closed === 1)
    stop.abort()
    await watch
    await until(() => closed === 2)
    expect(client.stats()).toMatchObject({ callConnections: 2, watchConnections: 1 })
  })

  it('that were replaced do not keep a client from closing, with watches on the old connections', async () => {
    const { url, seen } = await serve(authority.certificate)
    const client = clientOf(url, 0)
    const never = new AbortController().signal
    const watch = failure(drain(client.watch(podType, { resourceVersion: '1', signal: never })))
    await until(() => seen.length === 1)
    become('new')
    await new Promise((resolve) => setTimeout(resolve, 2))
    await client.get(podType, ref)
    await client.close()
    expect(await watch).toMatchObject({ code: 'Unavailable' })
    expect(seen).toEqual(['old', 'new'])
  })

  it('that are as they were keep their connections', async () => {
    const { url } = await serve(authority.certificate)
    const client = clientOf(url, 0)
    for (let calls = 0; calls < 20; calls += 1) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      await client.get(podType, ref)
    }
    expect(client.stats().callConnections).toBeLessThanOrEqual(2)
  })

  it('of another authority are used for the next connection, however young the old ones are', async () => {
    const { server, url } = await serve(authority.certificate)
    const client = clientOf(url, 60_000)
    await client.get(podType, ref)
    authority = makeAuthority('second')
    const own = authority.issue({ commonName: 'server', servedNames: ['127.0.0.1'] })
    server.setSecureContext({ key: own.key, cert: own.certificate, ca: authority.certificate })
    server.closeAllConnections()
    expect(await failure(client.get(podType, ref))).toMatchObject({ code: 'Unavailable' })
    write('ca.crt', authority.certificate)
    become('new')
    await client.get(podType, ref)
  })
})

describe('secrets', () => {
  const token = 'canary-token-7f'

  it('are shown by nothing that holds them', async () => {
    const { client, credentials } = await makeRig((_request, response) => response.end(pod), { user: { token } })
    await client.get(podType, ref)
    write(
      'kubeconfig',
      JSON.stringify({
        'current-context': 'x',
        clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'u', user: { token, 'client-key-data': Buffer.from(token).toString('base64') } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      }),
    )
    const kubeConfig = loadKubeConfig(path('kubeconfig'))
    const holders = [client, credentials, await credentials.identity(), await credentials.tls(), kubeConfig]
    for (const holder of holders) {
      expect(inspect(holder, { depth: 10, showHidden: true })).not.toContain('canary')
      expect(JSON.stringify(holder) ?? '').not.toContain('canary')
    }
    expect(kubeConfig.getCurrentUser()?.token).toBe(token)
  })

  it('are shown by no way of turning a value into text', () => {
    const secret = new Redacted(token)
    const texts = [String(secret), JSON.stringify({ secret }), inspect({ secret }), 'a '.concat(secret as never)]
    expect(texts).toEqual(['[redacted]', '{"secret":"[redacted]"}', '{ secret: [redacted] }', 'a [redacted]'])
    expect(Object.keys(secret)).toEqual([])
    expect(secret.reveal()).toBe(token)
  })

  it('are blotted out of what a server says of them', async () => {
    const { client } = await makeRig(
      (request, response) =>
        response.writeHead(403).end(JSON.stringify({ kind: 'Status', message: `no ${request.headers.authorization}` })),
      { user: { token } },
    )
    const error = await failure(client.get(podType, ref))
    expect(error.message).toBe('get pods n/p: no Bearer [redacted]')
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('canary')
  })

  it('of a broken answer are not in its error', async () => {
    const { client } = await makeRig((_request, response) => response.end(`{"data":{"password":"canary" "x"}}`))
    const error = await failure(client.get(podType, ref))
    expect(error).toMatchObject({ code: 'Malformed' })
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('canary')
  })
})
