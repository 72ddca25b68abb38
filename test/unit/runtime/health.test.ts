import { afterEach, describe, expect, it } from '@jest/globals'
import { startHealthServer } from '../../../operator/runtime/health.ts'
import type { ListeningServer } from '../../../operator/runtime/httpServer.ts'
import { EventLoop } from '../../../operator/runtime/eventLoop.ts'
import type { InformerHealth } from '../../../operator/runtime/informers.ts'
import { makeFakeClock, settle, type FakeClock } from './fakeClock.ts'

let server: ListeningServer | undefined
afterEach(() => server?.close())

const pods: InformerHealth = {
  type: 'pods.v1',
  state: 'watching',
  isSynced: true,
  isAlive: true,
}

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
    ['/readyz', [pods], false, '503 not ok\nnot started'],
    [
      '/readyz',
      [
        pods,
        { ...pods, type: 'boxes.a/v1', state: 'waiting' as const, isSynced: false, error: 'list boxes: nobody may' },
      ],
      true,
      '503 not ok\nboxes.a/v1: waiting after list boxes: nobody may',
    ],
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

/** A clock whose timers run late: nothing ran for so long. */
async function stall(clock: FakeClock & { skew: number }, milliseconds: number): Promise<void> {
  clock.skew += milliseconds
  await clock.pass(500)
}

function makeClock(): FakeClock & { skew: number } {
  const clock = makeFakeClock()
  const skewed = { ...clock, skew: 0, now: () => clock.now() + skewed.skew }
  return skewed
}

describe('a stalled event loop', () => {
  it('is a reason to restart when it happens again and again, until that is a minute ago', async () => {
    const clock = makeClock()
    server = await startHealthServer({
      port: 0,
      host: '127.0.0.1',
      informers: () => [],
      isReady: () => true,
      timing: clock,
    })
    const livez = async (): Promise<string> =>
      (await (await fetch(`http://127.0.0.1:${server?.port}/livez`)).text()).trim()
    for (let time = 0; time < 5; time += 1) await stall(clock, 6000)
    expect(await livez()).toBe('ok')
    await stall(clock, 6000)
    expect(await livez()).toBe('not ok\nevent loop: stalled for 36.0 s of the last minute')
    await clock.pass(60_000)
    expect(await livez()).toBe('ok')
  })

  it('is none once it is over, however long it was', async () => {
    const clock = makeClock()
    const loop = new EventLoop(clock)
    await stall(clock, 3_600_000)
    await stall(clock, 30_000)
    expect(loop.stalledMilliseconds).toBe(30_000)
    expect(loop.isWell).toBe(true)
    loop.stop()
    await settle()
    expect(clock.pending()).toEqual([])
  })

  it('is not made of the lateness that every timer has', async () => {
    const clock = makeClock()
    const loop = new EventLoop(clock)
    for (let tick = 0; tick < 120; tick += 1) await stall(clock, 50)
    expect(loop.stalledMilliseconds).toBe(0)
    loop.stop()
  })
})
