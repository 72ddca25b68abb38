import { describe, expect, it } from '@jest/globals'
import { drain, failure, makeRig, pod, podType, ref, until, type Handler } from './transportRig.ts'

const object = { apiVersion: 'v1', kind: 'Pod', metadata: ref }
const watchOptions = { resourceVersion: '1', signal: new AbortController().signal }

/** Fails the first request, serves all others. */
function busyOnce(status: number, headers: Record<string, string>): Handler {
  let count = 0
  return (_request, response) => {
    count += 1
    if (count === 1) response.writeHead(status, headers).end('{}')
    else response.end(pod)
  }
}

/** Lets nothing else run for so long. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

describe('Retry-After', () => {
  it.each([
    [429, { 'retry-after': '0.2' }],
    [503, { 'retry-after': '0.2' }],
  ])('of a %d lets no call and no new watch of this client start before its time', async (status, headers) => {
    const { client, requests } = await makeRig(busyOnce(status, headers))
    const started = performance.now()
    await failure(client.get(podType, ref))
    await Promise.all([
      client.get(podType, ref),
      client.apply(podType, object),
      failure(drain(client.watch(podType, watchOptions))),
    ])
    expect(performance.now() - started).toBeGreaterThanOrEqual(200)
    expect(requests).toHaveLength(4)
  })

  it('ends for all who wait, also when the event loop was blocked as it began', async () => {
    const { client } = await makeRig(busyOnce(429, { 'retry-after': '0.1' }), {
      onAnswer: ({ code }) => (code === 429 ? block(60) : undefined),
    })
    await failure(client.get(podType, ref))
    await Promise.all([client.get(podType, ref), client.get(podType, ref)])
  })

  it('holds back calls that were waiting for a connection already', async () => {
    const answers: ((status: number) => void)[] = []
    const { client, requests } = await makeRig(
      (_request, response) => answers.push((status) => response.writeHead(status, { 'retry-after': '0.1' }).end(pod)),
      { callConnections: 1 },
    )
    const first = failure(client.get(podType, ref))
    const second = client.get(podType, ref)
    await until(() => answers.length === 1)
    const asked = performance.now()
    answers[0]?.(429)
    await first
    await until(() => requests.length === 2)
    expect(performance.now() - asked).toBeGreaterThanOrEqual(100)
    answers[1]?.(200)
    await second
  })

  it('of one cluster is nothing to another', async () => {
    const busy = await makeRig((_request, response) => response.writeHead(429, { 'retry-after': '20' }).end('{}'))
    const other = await makeRig((_request, response) => response.end(pod))
    await failure(busy.client.get(podType, ref))
    await other.client.get(podType, ref)
  })

  it('is not waited for by a call that has no time for it', async () => {
    const { client, requests } = await makeRig(busyOnce(429, { 'retry-after': '20' }))
    expect(await failure(client.get(podType, ref))).toMatchObject({ retryAfterSeconds: 20 })
    const error = await failure(client.get(podType, ref, { timeoutSeconds: 5 }))
    expect(error).toMatchObject({ code: 'TooManyRequests', status: 0 })
    expect(error.message).toMatch(/^get pods n\/p: not sent, the API server asked to wait, [12]\d\.\d s more$/)
    expect(error.retryAfterSeconds).toBeGreaterThan(5)
    expect(requests).toHaveLength(1)
  })

  it('is lengthened by chance, by a fifth at most, so that those who were told the same do not come together', async () => {
    const lengths: number[] = []
    for (let client = 0; client < 12; client += 1) {
      const rig = await makeRig(busyOnce(429, { 'retry-after': '20' }))
      const told = performance.now()
      await failure(rig.client.get(podType, ref))
      const { retryAfterSeconds = 0 } = await failure(rig.client.get(podType, ref, { timeoutSeconds: 5 }))
      lengths.push(retryAfterSeconds + (performance.now() - told) / 1000)
      expect(retryAfterSeconds).toBeLessThanOrEqual(24)
      expect(lengths.at(-1)).toBeGreaterThanOrEqual(20)
    }
    // The difference of the longest to the shortest of twelve draws is below a tenth of the range once in 10^10 times.
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeGreaterThan(0.4)
  })

  it('is obeyed for so long and no longer, whatever a server says', async () => {
    const { client } = await makeRig(busyOnce(429, { 'retry-after': '99999999999' }), { maxPauseSeconds: 0.1 })
    expect(await failure(client.get(podType, ref))).toMatchObject({ retryAfterSeconds: 60 })
    await client.get(podType, ref)
  })

  it('is guessed for a 429 that says nothing, and not for other failures', async () => {
    const { client } = await makeRig(busyOnce(429, {}), { callTimeoutSeconds: 0.5 })
    await failure(client.get(podType, ref))
    expect(await failure(client.get(podType, ref))).toMatchObject({ code: 'TooManyRequests', status: 0 })
    const { client: failing } = await makeRig(busyOnce(503, {}))
    await failure(failing.get(podType, ref))
    const started = performance.now()
    await failing.get(podType, ref)
    expect(performance.now() - started).toBeLessThan(900)
  })
})
