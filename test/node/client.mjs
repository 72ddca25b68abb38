import { Agent, get } from 'node:http'
import process from 'node:process'

// A client in a pod: node client.mjs URL COUNT keep-alive|fresh PAUSE-MILLISECONDS GOES-ON (true or false).
// One that goes on ends after COUNT requests when it has got SIGUSR2. Prints one line of JSON at the end.
const [url, count, how, pause, goesOn] = process.argv.slice(-5)
const end = { isDue: goesOn === 'false' }
process.once('SIGUSR2', () => (end.isDue = true))
const agent = how === 'keep-alive' ? new Agent({ keepAlive: true, maxSockets: 1 }) : new Agent({ keepAlive: false })
const result = { how, answered: 0, lost: [], versions: {}, pods: [] }

const ask = () =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: 10_000 }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk))
      response.on('error', reject)
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}`)),
      )
    })
    request.on('timeout', () => request.destroy(new Error('no answer in 10 s')))
    request.on('error', reject)
  })

for (let sent = 0; sent < Number(count) || !end.isDue; sent += 1) {
  try {
    const { version = 'unknown', pod = '' } = /version (?<version>\S+), on (?<pod>\S+)/.exec(await ask())?.groups ?? {}
    if (!result.pods.includes(pod)) result.pods.push(pod)
    result.answered += 1
    result.versions[version] = (result.versions[version] ?? 0) + 1
  } catch (error) {
    result.lost.push(`request ${sent} at ${new Date().toISOString()}: ${error.message}`)
  }
  await new Promise((resolve) => setTimeout(resolve, Number(pause)))
}
process.stdout.write(`${JSON.stringify(result)}\n`)
agent.destroy()
process.exit(0)
