import { Agent, get } from 'node:http'
import process from 'node:process'

/**
 * Two clients that ask a URL for an answer, again and again, each over a connection that it keeps. Once a second a line
 * of JSON on the standard output says how that goes. Ends when the standard input does.
 * It runs on the host or in a pod, so it imports nothing of ours: node client.ts URL
 */

const pauseMilliseconds = 5
const patienceMilliseconds = 10_000

const counts = {
  sent: 0,
  answered: 0,
  lost: 0,
  slowestMilliseconds: 0,
  versions: {} as Record<string, number>,
  reasons: [] as string[],
}
const url = process.argv.at(-1) ?? ''
const ending = new AbortController()

async function ask(agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: patienceMilliseconds }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('error', reject)
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`answered with ${response.statusCode}`)),
      )
    })
    request.on('timeout', () => request.destroy(new Error(`no answer in ${patienceMilliseconds / 1000} s`)))
    request.on('error', reject)
  })
}

async function askOnce(agent: Agent): Promise<void> {
  const startedAt = performance.now()
  counts.sent += 1
  try {
    const version = /version (\S+),/.exec(await ask(agent))?.[1] ?? 'unknown'
    counts.answered += 1
    counts.versions[version] = (counts.versions[version] ?? 0) + 1
  } catch (error) {
    counts.lost += 1
    if (counts.reasons.length < 5) counts.reasons.push((error as Error).message)
  }
  counts.slowestMilliseconds = Math.max(counts.slowestMilliseconds, Math.round(performance.now() - startedAt))
}

async function goOn(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while (!ending.signal.aborted) {
    await askOnce(agent)
    await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds))
  }
  agent.destroy()
}

function tell(): void {
  process.stdout.write(`${JSON.stringify(counts)}\n`)
}

process.stdin.on('end', () => ending.abort()).resume()
const timer = setInterval(tell, 1000)
await Promise.all([goOn(), goOn()])
clearInterval(timer)
tell()
