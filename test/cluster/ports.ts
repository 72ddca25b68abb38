import { createServer } from 'node:net'

/** Below the range that Linux and macOS give to outgoing connections, so that none of those takes a port of ours. */
const lowest = 20_000
const count = 10_000

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/**
 * Finds this many free ports on loopback. The search begins at a place that the seed tells,
 * so a cluster gets the same ports again and again, and two clusters seldom meet.
 */
export async function findFreePorts(seed: string, wanted: number): Promise<number[]> {
  const first = Number.parseInt(seed, 16) % count
  const found: number[] = []
  for (let step = 0; step < count && found.length < wanted; step++) {
    const port = lowest + ((first + step) % count)
    if (await isFree(port)) found.push(port)
  }
  if (found.length < wanted) throw new Error(`no ${wanted} free ports from ${lowest} to ${lowest + count - 1}`)
  return found
}
