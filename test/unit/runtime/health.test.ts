import { afterEach, describe, expect, it } from '@jest/globals'
import { startHealthServer, type HealthServer } from '../../../operator/runtime/health.ts'
import type { InformerHealth } from '../../../operator/runtime/informers.ts'

let server: HealthServer | undefined
afterEach(() => server?.close())

const pods: InformerHealth = { type: 'pods.v1', state: 'watching', isSynced: true, isAlive: true }

async function ask(path: string, informers: readonly InformerHealth[], isReady: boolean): Promise<string> {
  server = await startHealthServer({ port: 0, host: '127.0.0.1', informers: () => informers, isReady: () => isReady })
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`)
  return `${answer.status} ${await answer.text()}`.trim()
}

describe('health', () => {
  it.each([
    ['/livez', [pods], false, '200 ok'],
    ['/livez', [{ ...pods, state: 'waiting' as const, isSynced: false }], false, '200 ok'],
    ['/livez', [pods, { ...pods, type: 'boxes.a/v1', isAlive: false }], true, '503 not ok\nboxes.a/v1: watching'],
    ['/readyz', [pods], true, '200 ok'],
    ['/readyz', [pods], false, '503 not ok'],
    ['/readyz', [{ ...pods, state: 'listing' as const, isSynced: false }], false, '503 not ok\npods.v1: listing'],
    ['/', [pods], true, '404'],
  ])('%s of %j, ready %j: %s', async (path, informers, isReady, expected) => {
    expect(await ask(path, informers, isReady)).toBe(expected)
  })

  it('says that a port is taken', async () => {
    server = await startHealthServer({ port: 0, host: '127.0.0.1', informers: () => [], isReady: () => true })
    const again = startHealthServer({ port: server.port, host: '127.0.0.1', informers: () => [], isReady: () => true })
    await expect(again).rejects.toThrow('EADDRINUSE')
  })
})
