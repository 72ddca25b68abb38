import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where a server is to listen. */
export interface ListenOptions {
  /** 0: any free port. */
  readonly port: number
  /** Default: all addresses of the machine. */
  readonly host?: string
}

/** A server that listens. */
export interface ListeningServer {
  /** The one it was given, or the free one it found. */
  readonly port: number
  /** Takes nothing more and cuts what is under way; resolves when the port is free again. */
  close(): Promise<void>
}

/** Resolves when the server listens; rejects with Node's error when the port cannot be had. */
export async function listen(server: Server, { port, host }: ListenOptions): Promise<ListeningServer> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
