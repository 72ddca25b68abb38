import { createServer } from 'node:http'
import { hostname } from 'node:os'
import process from 'node:process'

/** Longer than the minute after which most proxies and load balancers drop a connection: they end it, not we. */
const keepAliveMilliseconds = 75_000
/** How long a silent client keeps its connection while we leave. */
const quietMilliseconds = 5_000

const { APPSTEAD_APP: app, APPSTEAD_INSTANCE: instance, HELLO_VERSION: version, PORT: port = '8080' } = process.env

let isLeaving = false

const server = createServer((request, response) => {
  // A client that keeps its connection to us learns with its next answer that it must open one to somebody else.
  if (isLeaving) response.setHeader('connection', 'close')
  response.setHeader('content-type', 'text/plain')
  const [path] = (request.url ?? '').split('?')
  if (path === '/healthz') response.end('ok\n')
  else if (path === '/') response.end(`hello from ${instance}, app ${app}, version ${version}, on ${hostname()}\n`)
  else response.writeHead(404).end('not found\n')
})

server.keepAliveTimeout = keepAliveMilliseconds
server.headersTimeout = keepAliveMilliseconds + 1_000

/**
 * Ends without losing a request: those under way are answered, and so is what still comes in on open connections; the
 * process ends with the last of them. New clients are sent elsewhere by now: the pause before SIGTERM saw to it.
 */
function leave() {
  isLeaving = true
  setTimeout(() => server.close(), quietMilliseconds)
  setInterval(() => {
    server.getConnections((_error, open) => {
      if (open === 0) process.exit(0)
    })
  }, 100)
}

process.once('SIGTERM', leave)
process.once('SIGINT', leave)
server.listen(Number(port), () => process.stdout.write(`version ${version} listens on ${port}\n`))
