import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import type { KubeConfig } from '@kubernetes/client-node'

/** Where a cluster is and how we prove to it who we are. */
export interface Credentials {
  /** `https://host:port`. */
  readonly origin: string
  /** What stands before /api and /apis in the server's URL; '' as a rule. */
  readonly basePath: string
  /** Headers of a request: the authorization, read again when it is older than a minute or after `expire`. */
  headers(): Promise<Readonly<Record<string, string>>>
  /** Authorities and client certificate as they are in the files now. */
  tls(): Promise<TlsOptions>
  /** The server refused the headers: read them again. */
  expire(): void
}

/** What a TLS connection to the cluster needs. */
type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>

/** As long as client-go keeps a token file's content; the kubelet renews tokens long before they end. */
const maxAgeMilliseconds = 60_000

/** The Credentials of a KubeConfig's current context; throws an Error that says what is missing in it. */
export function credentialsOf(kubeConfig: KubeConfig): Credentials {
  const cluster = kubeConfig.getCurrentCluster()
  if (cluster === null) throw new Error(`kubeconfig: no cluster for context '${kubeConfig.getCurrentContext()}'`)
  if (cluster.proxyUrl !== undefined)
    throw new Error(`kubeconfig: cluster '${cluster.name}' has a proxy-url; proxies are not supported`)
  const url = new URL(cluster.server)
  let current: Promise<Readonly<Record<string, string>>> | undefined
  let readAt = 0
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    headers() {
      const now = performance.now()
      if (current === undefined || now - readAt > maxAgeMilliseconds) {
        readAt = now
        current = readHeaders(kubeConfig)
        // A failed read (an exec plugin, a file that is being replaced) is tried again with the next request.
        current.catch(() => (current = undefined))
      }
      return current
    },
    async tls() {
      const { ca, cert, key, rejectUnauthorized, servername } = await readOptions(kubeConfig)
      return dropUndefined({ ca, cert, key, rejectUnauthorized, servername })
    },
    expire() {
      current = undefined
    },
  }
}

async function readHeaders(kubeConfig: KubeConfig): Promise<Readonly<Record<string, string>>> {
  const options = await readOptions(kubeConfig)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value)
  if (typeof options.auth === 'string')
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
  // client-node keeps a token file's content for a minute of its own, also after the server has refused it.
  const tokenFile: unknown = kubeConfig.getCurrentUser()?.authProvider?.config?.tokenFile
  if (typeof tokenFile === 'string') headers['authorization'] = `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`
  return headers
}

/** client-node reads every file of the kubeconfig anew on each call: hence the age limit above. */
async function readOptions(kubeConfig: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {}
  await kubeConfig.applyToHTTPSOptions(options)
  return options
}

function dropUndefined(options: { [name in keyof TlsOptions]: TlsOptions[name] | undefined }): TlsOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
