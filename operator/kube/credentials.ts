import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import type { KubeConfig } from '@kubernetes/client-node'
import { Redacted } from './secret.ts'

/** Where a cluster is and how we prove to it who we are. */
export interface Credentials {
  /** `https://host:port`. */
  readonly origin: string
  /** What stands before /api and /apis in the server's URL; '' as a rule. */
  readonly basePath: string
  /** Who we are: read again from its files when it is older than a minute, or after `expire`. */
  identity(): Promise<Identity>
  /** Authorities and client certificate as they are in the files now. */
  tls(): Promise<Redacted<TlsOptions>>
  /** The server refused us: read everything again. */
  expire(): void
}

/** Who we are, as one request proves it. */
export interface Identity {
  /** Of every request; the authorization among them. */
  readonly headers: Redacted<Readonly<Record<string, string>>>
  /** Tells one set of certificates from another: connections opened under another one are to be closed. */
  readonly tlsDigest: string
}

/** What a TLS connection to the cluster needs. */
export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>

/** As long as client-go keeps a token file's content; the kubelet renews tokens long before they end. */
const maxAgeMilliseconds = 60_000

/**
 * The Credentials of a KubeConfig's current context; `maxAge` is in milliseconds. Throws an Error that says what is
 * missing in it.
 */
export function credentialsOf(kubeConfig: KubeConfig, maxAge = maxAgeMilliseconds): Credentials {
  const cluster = kubeConfig.getCurrentCluster()
  if (cluster === null) throw new Error(`kubeconfig: no cluster for context '${kubeConfig.getCurrentContext()}'`)
  if (cluster.proxyUrl !== undefined)
    throw new Error(`kubeconfig: cluster '${cluster.name}' has a proxy-url; proxies are not supported`)
  const url = new URL(cluster.server)
  let current: Promise<Identity> | undefined
  let readAt = 0
  return {
    origin: url.origin,
    basePath: basePathOf(url),
    identity() {
      const now = performance.now()
      if (current === undefined || now - readAt > maxAge) {
        readAt = now
        const before = current
        const reading = readIdentity(kubeConfig).catch((error: unknown) => {
          // A file that is being replaced, an exec plugin: tried again with the next request, and as long as the
          // server takes what we had, that will do.
          if (current === reading) current = before
          if (before === undefined) throw error
          return before
        })
        current = reading
      }
      return current
    },
    tls: async () => new Redacted(tlsOf(await readOptions(kubeConfig))),
    expire() {
      current = undefined
    },
  }
}

/** Credentials that never change; `tls` holds the certificates themselves. */
export function fixedCredentials(server: URL, headers: Readonly<Record<string, string>>, tls: TlsOptions): Credentials {
  const identity = Promise.resolve({ headers: new Redacted(headers), tlsDigest: digestOf(tls) })
  const options = Promise.resolve(new Redacted(tls))
  return {
    origin: server.origin,
    basePath: basePathOf(server),
    identity: () => identity,
    tls: () => options,
    expire: () => undefined,
  }
}

/** True when the server will see no difference between the two. */
export function isSameIdentity(one: Identity, other: Identity): boolean {
  const names = Object.keys(one.headers.reveal())
  return (
    one.tlsDigest === other.tlsDigest &&
    names.length === Object.keys(other.headers.reveal()).length &&
    names.every((name) => one.headers.reveal()[name] === other.headers.reveal()[name])
  )
}

/** The path of a server's URL, without a slash at its end. */
function basePathOf(url: URL): string {
  return url.pathname.replace(/\/+$/, '')
}

/** Equal for equal certificates, keys and names. */
function digestOf(tls: TlsOptions): string {
  const { ca, cert, key, rejectUnauthorized, servername } = tls
  const parts = [ca, cert, key, rejectUnauthorized, servername].map((part) =>
    part === undefined ? '' : String(part as string | Buffer | boolean),
  )
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

async function readIdentity(kubeConfig: KubeConfig): Promise<Identity> {
  const options = await readOptions(kubeConfig)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value)
  if (typeof options.auth === 'string')
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
  // client-node keeps a token file's content for a minute of its own, also after the server has refused it.
  const tokenFile: unknown = kubeConfig.getCurrentUser()?.authProvider?.config?.tokenFile
  if (typeof tokenFile === 'string') headers['authorization'] = `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`
  return { headers: new Redacted(headers), tlsDigest: digestOf(tlsOf(options)) }
}

function tlsOf({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions): TlsOptions {
  const options = { ca, cert, key, rejectUnauthorized, servername }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** client-node reads every file of the kubeconfig anew on each call: hence the age limit above. */
async function readOptions(kubeConfig: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {}
  await kubeConfig.applyToHTTPSOptions(options)
  return options
}
