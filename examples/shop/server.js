import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { hostname } from 'node:os'
import process from 'node:process'
import { sql } from './database.js'

// The service web. examples/hello says why it leaves as it does.

const keepAliveMilliseconds = 75_000
const quietMilliseconds = 5_000

const {
  APPSTEAD_INSTANCE: instance,
  GREETING: greeting = 'Welcome',
  PORT: port = '8080',
  SHOP_VERSION: version,
  UPLOADS: uploads = '/uploads',
} = process.env

let isLeaving = false

/** Reads and writes the database. */
async function home() {
  const [visit] = await sql`update visits set count = count + 1 where id = 1 returning count`
  const [orders] = await sql`select count(*) from orders`
  return `${greeting} to ${instance}: ${orders.count} orders, ${visit.count} visits; version ${version}, on ${hostname()}\n`
}

async function order(item) {
  const [made] = await sql`insert into orders (item) values (${item}) returning id`
  return `${made.id}\n`
}

/** How an order stands; the receipt is what the worker left on the shared volume. */
async function standing(id) {
  const [found] = await sql`select state from orders where id = ${id}`
  if (!found) return undefined
  const receipt = await readFile(`${uploads}/receipt-${id}.txt`, 'utf8').catch(() => '')
  return `${found.state}: ${receipt.trim()}\n`
}

async function answer({ method, url = '' }) {
  const { pathname, searchParams } = new URL(url, 'http://shop')
  // Says that the process serves; were it to ask the database, an outage there would have all replicas restarted.
  if (pathname === '/healthz') return 'ok\n'
  if (pathname === '/') return home()
  if (pathname === '/orders' && method === 'POST') return order(searchParams.get('item') ?? 'surprise')
  const [, id] = /^\/orders\/(\d{1,9})$/.exec(pathname) ?? []
  return id && standing(Number(id))
}

const server = createServer((request, response) => {
  if (isLeaving) response.setHeader('connection', 'close')
  response.setHeader('content-type', 'text/plain')
  answer(request).then(
    (text) => (text ? response.end(text) : response.writeHead(404).end('not found\n')),
    (error) => response.writeHead(500).end(`${error.message}\n`),
  )
})

server.keepAliveTimeout = keepAliveMilliseconds
server.headersTimeout = keepAliveMilliseconds + 1_000

/** What comes in on open connections is still answered; the process ends with the last of them. */
function leave() {
  isLeaving = true
  setTimeout(() => server.close(), quietMilliseconds)
  setInterval(() => {
    server.getConnections((_error, open) => {
      if (open === 0) void sql.end({ timeout: 1 }).finally(() => process.exit(0))
    })
  }, 100)
}

process.once('SIGTERM', leave)
process.once('SIGINT', leave)

// Without its schema it cannot serve: migrate.js has made it before.
await sql`select count from visits`
server.listen(Number(port), () => process.stdout.write(`version ${version} listens on ${port}\n`))
