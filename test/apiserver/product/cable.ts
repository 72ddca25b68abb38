import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** How a connection goes: nothing arrives any more and nobody says so, or it is reset and every new one as well. */
export type Cut = 'silent' | 'reset'

/** TCP between a client and a server, TLS and all, that a test can cut. */
export interface Cable {
  /** Where the client is to connect to, on the loopback. */
  readonly port: number
  /** How often a client tried in vain since the cut: something sent, or a new connection. */
  readonly lost: number
  cut(how: Cut): void
  /** Lets new connections through; what was sent over the old ones is lost. */
  mend(): void
  close(): Promise<void>
}

/** Lays a cable to a port of the loopback. */
export async function layCable(serverPort: number): Promise<Cable> {
  const sockets = new Set<Socket>()
  let cut: Cut | undefined
  let lost = 0
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    // A reset is what is wanted here.
    socket.on('error', () => undefined)
    return socket.once('close', () => sockets.delete(socket))
  }
  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((near) => {
    keep(near)
    if (cut !== undefined) lost += 1
    if (cut === 'reset') return void near.destroy()
    // One that was opened during the cut leads nowhere, also afterwards.
    const far = cut === undefined ? keep(connect(serverPort, '127.0.0.1')) : undefined
    near.on('data', (data) => {
      if (cut === undefined) far?.write(data)
      else lost += 1
    })
    far?.on('data', (data) => {
      if (cut === undefined) near.write(data)
    })
    near.once('close', () => far?.destroy())
    far?.once('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get lost() {
      return lost
    },
    cut(how) {
      cut = how
      lost = 0
      if (how === 'reset') destroyAll()
    },
    mend() {
      cut = undefined
      destroyAll()
    },
    async close() {
      destroyAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
