import { buildConnector, Pool } from 'undici'
import type { Credentials } from './credentials.ts'

/** How many connections have been opened since the start. */
interface Opened {
  calls: number
  watches: number
}

/** The connections of one cluster that were opened under the same certificates. */
export interface Connections {
  readonly calls: Pool
  readonly watches: Pool
}

export interface ConnectionsOptions {
  readonly credentials: Credentials
  /** At most so many for calls. */
  readonly callConnections: number
  /** One that nobody uses for so long is closed. */
  readonly idleSeconds: number
  /** Counted up with each connection. */
  readonly opened: Opened
}

/** A watch holds a connection for as long as it lasts, so this bounds the watched types of one cluster. */
const maxWatchConnections = 256

const connectTimeoutMilliseconds = 10_000

/** Two pools of HTTP/1.1 connections to the cluster: one for calls, one for watches, so that neither starves the other. */
export function makeConnections({
  credentials,
  callConnections,
  idleSeconds,
  opened,
}: ConnectionsOptions): Connections {
  const idle = idleSeconds * 1000
  const poolOf = (kind: keyof Opened, connections: number): Pool =>
    new Pool(credentials.origin, {
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: idle,
      keepAliveMaxTimeout: idle,
      // Our own deadlines end what takes too long, and they begin before undici's.
      headersTimeout: 0,
      bodyTimeout: 0,
      connections,
      connect: (target, callback) => {
        opened[kind] += 1
        void connect(credentials, target, callback)
      },
    })
  return { calls: poolOf('calls', callConnections), watches: poolOf('watches', maxWatchConnections) }
}

/** Lets what is under way come to its end; nothing new may be asked of them. */
export async function retireConnections({ calls, watches }: Connections): Promise<void> {
  await Promise.all([calls.close(), watches.close()])
}

/** Lets calls come to their end and cuts the watches. */
export async function closeConnections({ calls, watches }: Connections): Promise<void> {
  await Promise.all([calls.close(), watches.destroy()])
}

async function connect(
  credentials: Credentials,
  target: buildConnector.Options,
  callback: buildConnector.Callback,
): Promise<void> {
  let connector: buildConnector.connector
  try {
    const tls = await credentials.tls()
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: 30_000 }
    connector = buildConnector({ ...tls.reveal(), ...keepAlive, allowH2: false, timeout: connectTimeoutMilliseconds })
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)), null)
    return
  }
  connector(target, callback)
}
