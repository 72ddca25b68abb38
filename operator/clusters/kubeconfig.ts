import { createPrivateKey, X509Certificate } from 'node:crypto'
import { CORE_SCHEMA, load, YAMLException } from 'js-yaml'
import { fixedCredentials, type Credentials, type TlsOptions } from '../kube/credentials.ts'

/** One thing that is wrong with a kubeconfig. */
export interface KubeconfigFault {
  /** Where: `users[0].user.exec`; '' for the whole. */
  readonly path: string
  /** What is wrong and what would be right. Never a value: this ends in conditions and logs. */
  readonly message: string
}

/** A kubeconfig we do not take; lists every fault, at most 20. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError'
  readonly faults: readonly KubeconfigFault[]

  constructor(faults: readonly KubeconfigFault[]) {
    const few = faults.slice(0, 20)
    super(`kubeconfig: ${few.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}`)
    this.faults = few
  }
}

type Fields = Readonly<Record<string, unknown>>
type Note = (path: string, message: string) => void

/** An entry of clusters, users or contexts. */
interface Entry {
  readonly name: string
  readonly path: string
  readonly fields: Fields
}

const maxBytes = 64 * 1024
const maxDepth = 8
const maxEntries = 20

const identityHint = 'use token, or client-certificate-data with client-key-data'

/** Fields we know and do not take, and what would be right. Any other is said to be unknown, without its name. */
const refused: Readonly<Record<string, string>> = {
  'certificate-authority': 'files are not read; put the certificates into certificate-authority-data',
  'insecure-skip-tls-verify': 'the server must prove who it is; use certificate-authority-data',
  'proxy-url': 'proxies are not supported; server must be reachable directly',
  'disable-compression': 'is not supported; remove it',
  extensions: 'are not supported; remove them',
  exec: `programs are not run; ${identityHint}`,
  'auth-provider': `plugins are not run; ${identityHint}`,
  tokenFile: 'files are not read; put the token into token',
  'client-certificate': 'files are not read; put the certificate into client-certificate-data',
  'client-key': 'files are not read; put the key into client-key-data',
  username: `passwords are not supported; ${identityHint}`,
  password: `passwords are not supported; ${identityHint}`,
  as: 'impersonation is not supported; use the credentials of the account itself',
  'as-uid': 'impersonation is not supported; use the credentials of the account itself',
  'as-groups': 'impersonation is not supported; use the credentials of the account itself',
  'as-user-extra': 'impersonation is not supported; use the credentials of the account itself',
}

const allowed = {
  top: ['apiVersion', 'kind', 'clusters', 'users', 'contexts', 'current-context', 'preferences'],
  cluster: ['server', 'certificate-authority-data', 'tls-server-name'],
  user: ['token', 'client-certificate-data', 'client-key-data'],
  context: ['cluster', 'user', 'namespace'],
}

/**
 * The credentials in the kubeconfig of a cluster that somebody hands to us: data only. Nothing in it may run a program,
 * read a file of ours, weaken TLS or send us through somebody else's proxy, so only what is listed above is taken and
 * all entries are looked at, also those of contexts that are not used. Throws a KubeconfigError.
 */
export function parseClusterKubeconfig(text: string): Credentials {
  const faults: KubeconfigFault[] = []
  const note: Note = (path, message) => void faults.push({ path, message })
  const whole = parseYaml(text)
  checkFields(whole, '', allowed.top, note)
  checkHeader(whole, note)
  const clusters = entriesOf(whole, 'clusters', 'cluster', note)
  const users = entriesOf(whole, 'users', 'user', note)
  const contexts = entriesOf(whole, 'contexts', 'context', note)
  const servers = new Map(clusters.map((entry) => [entry.name, readCluster(entry, note)]))
  const identities = new Map(users.map((entry) => [entry.name, readUser(entry, note)]))
  for (const { fields, path } of contexts) checkFields(fields, path, allowed.context, note)
  const context = currentContext(whole, contexts, note)
  const server = referenceOf(context, 'cluster', servers, note)
  const identity = referenceOf(context, 'user', identities, note)
  if (faults.length > 0 || server?.url === undefined || identity === undefined) throw new KubeconfigError(faults)
  return fixedCredentials(server.url, identity.headers, { ...server.tls, ...identity.tls })
}

function parseYaml(text: string): Fields {
  if (Buffer.byteLength(text) > maxBytes) throw fault(`is larger than ${maxBytes} bytes`)
  let value: unknown
  try {
    value = load(text, { schema: CORE_SCHEMA, maxAliases: 0, maxDepth })
  } catch (error) {
    // js-yaml's own messages quote the text, and with it keys and tokens.
    throw fault(yamlFault(error))
  }
  if (!isFields(value)) throw fault('is no kubeconfig: clusters, users and contexts are missing')
  return value
}

/** For what is wrong with the whole text. */
function fault(message: string): KubeconfigError {
  return new KubeconfigError([{ path: '', message }])
}

function yamlFault(error: unknown): string {
  if (!(error instanceof YAMLException)) return 'is no YAML'
  const where = error.mark === undefined ? '' : ` in line ${error.mark.line + 1}`
  if (error.reason.includes('lias')) return `aliases are not allowed${where}; write the values out`
  if (error.reason.includes('tag')) return `tags are not allowed${where}`
  if (error.reason.includes('duplicated')) return `a field stands twice${where}`
  if (error.reason.includes('depth') || error.reason.includes('nesting')) return `is nested too deeply${where}`
  if (error.reason.includes('single document')) return 'is more than one document'
  return `is no YAML${where}`
}

function checkHeader(whole: Fields, note: Note): void {
  if (own(whole, 'apiVersion') !== undefined && own(whole, 'apiVersion') !== 'v1') note('apiVersion', 'must be v1')
  if (own(whole, 'kind') !== undefined && own(whole, 'kind') !== 'Config') note('kind', 'must be Config')
  const preferences = own(whole, 'preferences') ?? {}
  if (!isFields(preferences) || Object.keys(preferences).length > 0) note('preferences', 'must be empty')
}

function checkFields(fields: Fields, path: string, names: readonly string[], note: Note): void {
  for (const [name, value] of Object.entries(fields)) {
    if (names.includes(name)) continue
    if (name === 'insecure-skip-tls-verify' && value === false) continue
    const hint = Object.hasOwn(refused, name) ? refused[name] : undefined
    if (hint === undefined) note(path, `has an unknown field; allowed are ${names.join(', ')}`)
    else note(path === '' ? name : `${path}.${name}`, hint)
  }
}

/** The named entries of a list; what is wrong with the list itself is noted. */
function entriesOf(whole: Fields, list: string, field: string, note: Note): readonly Entry[] {
  const items = own(whole, list)
  if (!Array.isArray(items) || items.length === 0) {
    note(list, 'must be a list with at least one entry')
    return []
  }
  if (items.length > maxEntries) note(list, `has more than ${maxEntries} entries`)
  const entries: Entry[] = []
  for (const [index, item] of items.slice(0, maxEntries).entries()) {
    const path = `${list}[${index}]`
    const [name, fields] = isFields(item) ? [own(item, 'name'), own(item, field)] : []
    if (isFields(item)) checkFields(item, path, ['name', field], note)
    if (typeof name !== 'string' || name === '') note(`${path}.name`, 'must be a text')
    else if (!isFields(fields)) note(`${path}.${field}`, 'is missing')
    else if (entries.some((entry) => entry.name === name)) note(`${path}.name`, 'stands twice')
    else entries.push({ name, path: `${path}.${field}`, fields })
  }
  return entries
}

function currentContext(whole: Fields, contexts: readonly Entry[], note: Note): Entry | undefined {
  const name = own(whole, 'current-context') ?? ''
  if (name === '' && contexts.length > 1)
    note('current-context', 'must name one of the contexts, for there are several')
  if (name === '') return contexts.length === 1 ? contexts[0] : undefined
  const found = contexts.find((each) => each.name === name)
  if (found === undefined) note('current-context', 'names no context')
  return found
}

function referenceOf<T>(
  context: Entry | undefined,
  field: 'cluster' | 'user',
  targets: ReadonlyMap<unknown, T>,
  note: Note,
): T | undefined {
  if (context === undefined) return undefined
  const target = targets.get(own(context.fields, field))
  if (target === undefined) note(`${context.path}.${field}`, `names none of the ${field}s`)
  return target
}

function readCluster({ fields, path }: Entry, note: Note): { url: URL | undefined; tls: TlsOptions } {
  checkFields(fields, path, allowed.cluster, note)
  const ca = readPem(fields, path, 'certificate-authority-data', note)
  if (ca !== undefined && !isCertificate(ca)) note(`${path}.certificate-authority-data`, 'holds no certificate')
  const servername = own(fields, 'tls-server-name')
  const isName = typeof servername === 'string' && /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(servername)
  if (servername !== undefined && !isName) note(`${path}.tls-server-name`, 'must be a host name')
  return {
    url: readServer(fields, path, note),
    tls: { ...(ca === undefined ? {} : { ca }), ...(isName ? { servername } : {}), rejectUnauthorized: true },
  }
}

function readServer(fields: Fields, path: string, note: Note): URL | undefined {
  const server = own(fields, 'server')
  const url = typeof server === 'string' ? URL.parse(server) : null
  if (url === null || url.hostname === '') note(`${path}.server`, 'must be a URL such as https://host:6443')
  else if (url.protocol !== 'https:') note(`${path}.server`, 'must begin with https://')
  else if (url.username !== '' || url.password !== '') note(`${path}.server`, 'must not hold a user or a password')
  else if (url.search !== '' || url.hash !== '') note(`${path}.server`, 'must not have a query or a fragment')
  else return url
  return undefined
}

function readUser({ fields, path }: Entry, note: Note): { headers: Record<string, string>; tls: TlsOptions } {
  checkFields(fields, path, allowed.user, note)
  const token = own(fields, 'token')
  const hasPair = ['client-certificate-data', 'client-key-data'].some((name) => own(fields, name) !== undefined)
  if ((token !== undefined) === hasPair) note(path, `needs one proof of identity: ${identityHint}`)
  const tls = hasPair ? readPair(fields, path, note) : {}
  if (token === undefined) return { headers: {}, tls }
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token))
    return { headers: { authorization: `Bearer ${token}` }, tls }
  note(`${path}.token`, 'must be a text without spaces')
  return { headers: {}, tls }
}

function readPair(fields: Fields, path: string, note: Note): TlsOptions {
  const cert = readPem(fields, path, 'client-certificate-data', note)
  const key = readPem(fields, path, 'client-key-data', note)
  if (own(fields, 'client-certificate-data') === undefined) note(`${path}.client-certificate-data`, 'is missing')
  if (own(fields, 'client-key-data') === undefined) note(`${path}.client-key-data`, 'is missing')
  if (cert === undefined || key === undefined) return {}
  if (!isCertificate(cert)) note(`${path}.client-certificate-data`, 'holds no certificate')
  else if (!isKeyOf(key, cert)) note(`${path}.client-key-data`, 'is not the private key of client-certificate-data')
  return { cert, key }
}

function readPem(fields: Fields, path: string, name: string, note: Note): string | undefined {
  const value = own(fields, name)
  if (value === undefined) return undefined
  const text = typeof value === 'string' ? value.replaceAll(/\s/g, '') : ''
  if (text !== '' && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) return Buffer.from(text, 'base64').toString('latin1')
  note(`${path}.${name}`, 'must be base64 of PEM')
  return undefined
}

function isCertificate(pem: string): boolean {
  return attempt(() => pem.includes('-----BEGIN CERTIFICATE-----') && new X509Certificate(pem).raw.length > 0)
}

function isKeyOf(key: string, cert: string): boolean {
  return attempt(() => new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
}

/** False also when it throws: OpenSSL's messages tell nothing to a user, and may quote what they read. */
function attempt(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own field; undefined for a missing one, for null, and for what a prototype has. */
function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? (fields[name] ?? undefined) : undefined
}
