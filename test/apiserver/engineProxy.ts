import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadKubeConfig } from '../../operator/kube/clientNode.ts'
import type { Cluster } from '../cluster/cluster.ts'

/** What is to be done when the test is over. */
type Ends = (() => Promise<void> | void)[]

const nothing: Matches = () => false

type Matches = (method: string, url: string) => boolean

export interface Proxy {
  readonly kubeconfig: string
  /** From now on requests that match do not reach the API server until `letThrough`. */
  hold(matches: Matches): void
  /** How many requests are held. */
  held(): number
  letThrough(): void
  /** Ends the running watches as the API server does after 30 to 60 minutes. */
  endWatches(): void
}

/** Plain HTTP in front of the real API server, so that a test may choose the moment at which a request gets there. */
export async function startProxy(cluster: Cluster, ends: Ends): Promise<Proxy> {
  const tls = {}
  await loadKubeConfig(cluster.kubeconfig).applyToHTTPSOptions(tls)
  const watches = new Set<ServerResponse>()
  let matches: Matches = nothing
  const held: (() => void)[] = []
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', headers, url = '/' } = incoming
    const forward = (): void => {
      const upstream = httpsRequest(new URL(url, cluster.server), { ...tls, method, headers }, (answer) => {
        answer.on('error', () => undefined)
        // A watch may have been ended, or given up by its client, before the API server answered.
        if (outgoing.headersSent || outgoing.destroyed) return void upstream.destroy()
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(outgoing)
      })
      upstream.on('error', () => undefined)
      outgoing.once('close', () => upstream.destroy())
      incoming.pipe(upstream)
      if (url.includes('watch=')) watches.add(outgoing)
    }
    if (matches(method, url)) held.push(forward)
    else forward()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    kubeconfig: writeKubeconfig((server.address() as AddressInfo).port, ends),
    hold: (which) => (matches = which),
    held: () => held.length,
    letThrough() {
      matches = nothing
      for (const forward of held.splice(0)) forward()
    },
    endWatches() {
      for (const watch of watches) watch.end()
      watches.clear()
    },
  }
}

function writeKubeconfig(port: number, ends: Ends): string {
  const folder = mkdtempSync(join(tmpdir(), 'engine-doti-'))
  ends.push(() => rmSync(folder, { recursive: true }))
  const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }
  const config = {
    'current-context': 'proxy',
    clusters: [{ name: 'proxy', cluster }],
    users: [{ name: 'proxy', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
  }
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify(config))
  return kubeconfig
}
