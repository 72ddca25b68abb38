import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import type { Cluster } from './cluster.ts'
import { waitUntil } from './kubeApi.ts'
import { layoutOf } from './layout.ts'
import { networkAround } from './network.ts'
import { ensurePackages, mayInstallPackages } from './packages.ts'
import { killAll, launch, recorded, run, tailOf } from './process.ts'
import { withProgress, type Report } from './progress.ts'

/** Debian's PostgreSQL on this machine, outside of a cluster with a real node, whose pods reach it. */

/** Where a database is, by the keys under which Secrets say it (CloudNativePG's words). */
export interface Binding {
  readonly host: string
  readonly port: string
  readonly username: string
  readonly password: string
  readonly dbname: string
  readonly uri: string
}

/** A server that runs. */
export interface PostgresServer {
  /** Makes a database and who owns it, of one name: lower-case letters and _. */
  createDatabase(name: string, password: string): Promise<Binding>
  /** The rows of a query in a database, seen as its owner. */
  rows(of: Binding, query: string): Promise<readonly Readonly<Record<string, unknown>>[]>
}

const processName = 'postgres'
const port = 5432
const superuser = 'postgres'
const versions = '/usr/lib/postgresql'

/**
 * Starts a server without any database of before, in place of the one that ran; it ends with the cluster.
 * Throws where it cannot be installed (it needs Debian and root), and with the end of its log when it does not come up.
 */
export async function startPostgres(cluster: Cluster, password: string, report: Report): Promise<PostgresServer> {
  const programs = await ensureServer(report)
  const layout = layoutOf(cluster.name)
  const previous = recorded(layout.folder).get(processName)
  if (previous) await killAll([previous])
  const { hostAddress: host, whole } = networkAround(new URL(cluster.server).hostname)
  await withProgress(report, `  starting a PostgreSQL on ${host}, outside of the cluster`, 5, async () => {
    const data = await makeData(layout.outside, programs, password, whole)
    const settings = [`listen_addresses=${host}`, `port=${port}`, 'unix_socket_directories=', 'fsync=off']
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
    await launch({
      name: processName,
      folder: layout.folder,
      command: 'setpriv',
      args: [...asPostgres, join(programs, 'postgres'), ...args],
    })
    const admin = postgres({ host, port, username: superuser, password, database: 'postgres', max: 1 })
    await waitUntil('the PostgreSQL', 30, () =>
      admin`select 1`.then(
        () => true,
        () => false,
      ),
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${tailOf(layout.folder, processName)}`)
    })
    await admin.end()
  })
  return serverAt(host, password)
}

/** It refuses to run as root. */
const asPostgres = [`--reuid=${superuser}`, `--regid=${superuser}`, '--clear-groups']

async function ensureServer(report: Report): Promise<string> {
  // Its programs are not on the PATH; this one comes with them, and is.
  if (findServer() === undefined) await ensurePackages([{ name: 'postgresql', command: 'pg_ctlcluster' }], report)
  const found = findServer()
  if (found === undefined) throw new Error(`no PostgreSQL below ${versions}: apt-get install postgresql`)
  return found
}

/** Whether there is a PostgreSQL, or one can be installed. */
export function mayStartPostgres(): boolean {
  return findServer() !== undefined || mayInstallPackages()
}

/** The folder with the programs of the newest version. */
function findServer(): string | undefined {
  if (!existsSync(versions)) return undefined
  const folders = readdirSync(versions).toSorted((a, b) => Number(b) - Number(a))
  return folders.map((version) => join(versions, version, 'bin')).find((folder) => existsSync(join(folder, 'postgres')))
}

async function makeData(folder: string, programs: string, password: string, network: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  const data = join(folder, 'postgres')
  const passwordFile = join(folder, 'password')
  mkdirSync(data, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  const [uid = 0, gid = 0] = await Promise.all(
    ['-u', '-g'].map(async (which) => Number(await run('id', [which, superuser]))),
  )
  for (const path of [data, passwordFile]) chownSync(path, uid, gid)
  const settings = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync', `--pwfile=${passwordFile}`]
  await run('setpriv', [...asPostgres, join(programs, 'initdb'), '-D', data, '-U', superuser, ...settings], {
    cwd: folder,
  })
  rmSync(passwordFile)
  writeFileSync(join(data, 'pg_hba.conf'), `host all all ${network} scram-sha-256\n`)
  return data
}

function serverAt(host: string, password: string): PostgresServer {
  const asAdmin = postgresAs({ host, port: String(port), username: superuser, password, dbname: superuser })
  return {
    async createDatabase(name, ownPassword) {
      await asAdmin(`create role ${name} login password '${ownPassword}'`)
      await asAdmin(`create database ${name} owner ${name}`)
      const uri = `postgresql://${name}:${encodeURIComponent(ownPassword)}@${host}:${port}/${name}`
      return { host, port: String(port), username: name, password: ownPassword, dbname: name, uri }
    },
    rows: (of, query) => postgresAs(of)(query),
  }
}

/** What runs a query over a connection of its own. */
function postgresAs({ host, port: at, username, password, dbname }: Omit<Binding, 'uri'>) {
  return async (query: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const client = postgres({ host, port: Number(at), username, password, database: dbname, max: 1 })
    try {
      return await client.unsafe(query)
    } finally {
      await client.end()
    }
  }
}
