import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { request, type IncomingMessage, type RequestOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { ListeningServer } from '../../../operator/runtime/httpServer.ts'
import { startMetricsServer } from '../../../operator/runtime/metricsServer.ts'

describe('the metrics server', () => {
  let server: ListeningServer
  let scrapes = 0

  beforeEach(async () => {
    scrapes = 0
    const makeText = async (): Promise<string> => {
      scrapes += 1
      await new Promise((resolve) => setImmediate(resolve))
      return 'up 1\n'
    }
    server = await startMetricsServer({ port: 0, host: '127.0.0.1', text: makeText })
  })
  afterEach(() => server.close())

  function send(options: RequestOptions, body?: string): Promise<{ status: number; body: string; type: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ port: server.port, agent: false, ...options }, (answer: IncomingMessage) => {
        text(answer).then(
          (said) => resolve({ status: answer.statusCode ?? 0, body: said, type: answer.headers['content-type'] ?? '' }),
          reject,
        )
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  it('answers GET /metrics in the text format', async () => {
    const type = 'text/plain; version=0.0.4; charset=utf-8'
    expect(await send({ path: '/metrics' })).toEqual({ status: 200, body: 'up 1\n', type })
    expect(await send({ path: '/metrics?name[]=up' })).toMatchObject({ status: 200 })
  })

  it.each([
    ['another path', { path: '/' }, undefined, 404],
    ['a path below', { path: '/metrics/x' }, undefined, 404],
    ['another method', { path: '/metrics', method: 'POST' }, undefined, 405],
    ['a body', { path: '/metrics', headers: { 'content-length': 5 } }, 'hello', 413],
    ['long headers', { path: '/metrics', headers: { cookie: 'x'.repeat(10_000) } }, undefined, 431],
  ])('refuses %s, and makes nothing for it', async (_what, options, body, status) => {
    expect(await send(options, body)).toMatchObject({ status, body: '' })
    expect(scrapes).toBe(0)
  })

  async function open(): Promise<Socket> {
    const socket = connect(server.port, '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    return socket
  }

  it('makes one answer for scrapes that come together', async () => {
    const socket = await open()
    let said = ''
    const all = new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        said += chunk.toString()
        if (said.split('up 1\n').length > 8) resolve()
      })
    })
    socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(8))
    await all
    socket.destroy()
    expect(scrapes).toBe(1)
    await send({ path: '/metrics' })
    expect(scrapes).toBe(2)
  })

  it('closes although a scraper holds its connection', async () => {
    const socket = await open()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    await server.close()
    await closed
    await expect(send({ path: '/metrics' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('rejects when the port is taken', async () => {
    const taken = startMetricsServer({ port: server.port, host: '127.0.0.1', text: () => Promise.resolve('') })
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
