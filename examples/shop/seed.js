import process from 'node:process'
import { sql } from './database.js'

// An action of the service web that runs when somebody asks for it: kubectl create -f examples/shop/seed.yaml

await sql`insert into orders (item) values ('chair'), ('table')`
process.stdout.write('two orders are there\n')
await sql.end()
