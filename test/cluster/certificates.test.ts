import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, it } from '@jest/globals'
import { makeAuthority } from './certificates.ts'

const authority = makeAuthority('test')
const server = authority.issue({ commonName: 'server', servedNames: ['localhost', '127.0.0.1'] })
const client = authority.issue({ commonName: 'admin', organization: 'system:masters' })

describe('a certificate', () => {
  it('is issued by its authority, for the names and addresses asked for', () => {
    const certificate = new X509Certificate(server.certificate)
    const issuer = new X509Certificate(authority.certificate)
    expect(issuer.ca).toBe(true)
    expect(certificate.ca).toBe(false)
    expect(certificate.checkIssued(issuer)).toBe(true)
    expect(certificate.verify(issuer.publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(server.key))).toBe(true)
    expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1')
  })

  it('says who its owner is, in the words of Kubernetes', () => {
    expect(new X509Certificate(client.certificate).subject).toBe('O=system:masters\nCN=admin')
  })

  it('holds for ten years, and already held yesterday', () => {
    const { validFrom, validTo } = new X509Certificate(client.certificate)
    const day = 86_400_000
    expect(Date.parse(validFrom)).toBeLessThan(Date.now() - day + 5000)
    expect(Date.parse(validTo)).toBeGreaterThan(Date.now() + 3649 * day)
  })

  it('of another authority is not trusted, on either side of a connection', async () => {
    const listener = createServer({
      ...asOptions(server),
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    })
    listener.on('tlsClientError', () => undefined)
    listener.on('secureConnection', (socket: TLSSocket) => socket.end('welcome'))
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    const stranger = makeAuthority('test')
    await expect(greet(port, authority.certificate, client)).resolves.toBe('welcome')
    await expect(greet(port, stranger.certificate, client)).rejects.toThrow()
    const strangersClient = stranger.issue({ commonName: 'admin', organization: 'system:masters' })
    await expect(greet(port, authority.certificate, strangersClient)).rejects.toThrow()
    listener.close()
  })
})

const asOptions = (pair: { certificate: string; key: string }) => ({ cert: pair.certificate, key: pair.key })

async function greet(port: number, ca: string, pair: { certificate: string; key: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca, ...asOptions(pair) })
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('error', reject)
    socket.on('close', () => (text === '' ? reject(new Error('closed without a word')) : resolve(text)))
  })
}
