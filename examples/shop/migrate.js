import process from 'node:process'
import { sql } from './database.js'

// An action of the service web: runs once for each release, before its replicas start.

const { SHOP_VERSION: version } = process.env

await sql.begin((transaction) => [
  transaction`create table if not exists migrations (id serial primary key, version text not null, at timestamptz not null default now())`,
  transaction`create table if not exists orders (id serial primary key, item text not null, state text not null default 'new')`,
  transaction`create table if not exists visits (id int primary key, count bigint not null)`,
  transaction`insert into visits values (1, 0) on conflict do nothing`,
  transaction`insert into migrations (version) values (${version})`,
])
process.stdout.write(`the schema is that of version ${version}\n`)
await sql.end()
