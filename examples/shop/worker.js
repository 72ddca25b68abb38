import { writeFile } from 'node:fs/promises'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from './database.js'

// The service worker: packs what was ordered, and leaves a receipt on the volume that it shares with web.

const idleMilliseconds = 500

const { UPLOADS: uploads = '/uploads' } = process.env

const leaving = new AbortController()
process.once('SIGTERM', () => leaving.abort())
process.once('SIGINT', () => leaving.abort())

/** Packs one order that no other worker has; resolves to whether there was one. What fails is done again by the next. */
const packNext = () =>
  sql.begin(async (transaction) => {
    const [order] =
      await transaction`select id, item from orders where state = 'new' order by id limit 1 for update skip locked`
    if (!order) return false
    await writeFile(`${uploads}/receipt-${order.id}.txt`, `one ${order.item}, packed\n`)
    await transaction`update orders set state = 'packed' where id = ${order.id}`
    return true
  })

process.stdout.write('waits for orders\n')
while (!leaving.signal.aborted) if (!(await packNext())) await pause(idleMilliseconds)
await sql.end()
