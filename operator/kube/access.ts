import { delimiter } from 'node:path'
import process from 'node:process'
import { KubeConfig } from '@kubernetes/client-node'
import { conceal } from './secret.ts'

/**
 * Thrown for a kubeconfig that leads to no cluster. The message is one line: which file, what is wrong and where in it;
 * nothing of what stands in it, and no cause that would.
 */
export class AccessError extends Error {
  override readonly name = 'AccessError'
}

/**
 * A KubeConfig as kubectl would find it (KUBECONFIG, ~/.kube/config, in the cluster), or of one file. Throws an
 * AccessError when it cannot be read, or its current context leads to no cluster.
 */
export function loadKubeConfig(file?: string): KubeConfig {
  const files = file === undefined ? filesOfEnvironment() : [file]
  const kubeConfig = files.length === 0 ? findKubeConfig() : readKubeConfigs(files)
  const fault = faultOf(kubeConfig)
  if (fault !== undefined) throw new AccessError(`${describe(files)}: ${fault}`)
  return kubeConfig
}

function filesOfEnvironment(): readonly string[] {
  const value = process.env['KUBECONFIG'] ?? ''
  // The content in place of the name: a common slip, and an error about "the file" would print parts of it.
  if (/[\n{]/.test(value)) throw new AccessError('KUBECONFIG must name files, it seems to hold a kubeconfig itself')
  return value.split(delimiter).filter((name) => name !== '')
}

function readKubeConfigs(files: readonly string[]): KubeConfig {
  const [kubeConfig = emptyKubeConfig(), ...others] = files.map((name) => {
    const each = emptyKubeConfig()
    attempt(describe([name]), () => each.loadFromFile(name))
    return each
  })
  for (const other of others) attempt(describe(files), () => kubeConfig.mergeConfig(other))
  return kubeConfig
}

/** ~/.kube/config, or what a pod finds. */
function findKubeConfig(): KubeConfig {
  const kubeConfig = emptyKubeConfig()
  attempt(describe([]), () => kubeConfig.loadFromDefault())
  // client-node's last resort is a server on this machine, in the clear and without a name.
  if (kubeConfig.getCurrentContext() === 'loaded-context') {
    throw new AccessError('kubeconfig: there is none; set KUBECONFIG, or run in a cluster with a service account')
  }
  return kubeConfig
}

function emptyKubeConfig(): KubeConfig {
  return conceal(new KubeConfig())
}

function attempt(what: string, load: () => void): void {
  try {
    load()
  } catch (error) {
    throw new AccessError(`${what}: ${reasonOf(error)}`)
  }
}

/** In words of ours: js-yaml's messages quote the text, and with it keys and tokens. */
function reasonOf(error: unknown): string {
  const { name, code, path, mark, message } = error as Error & {
    readonly code?: string
    readonly path?: string
    readonly mark?: { readonly line: number; readonly column: number }
  }
  // The kubeconfig itself, or a token file it names.
  if (code !== undefined) return `${path === undefined ? '' : `${JSON.stringify(path)} `}cannot be read (${code})`
  if (name === 'YAMLException') {
    return `is no YAML${mark === undefined ? '' : `, line ${mark.line + 1}, column ${mark.column + 1}`}`
  }
  const [missing] = /^(clusters|users|contexts)\[\d+\]\.[a-z.]+ is missing$/.exec(message) ?? []
  const [twice] = /^Duplicate (cluster|user|context)\b/.exec(message) ?? []
  return missing ?? (twice === undefined ? 'is no kubeconfig' : `${twice.toLowerCase()} in several files`)
}

function faultOf(kubeConfig: KubeConfig): string | undefined {
  if (kubeConfig.getCurrentContext() === undefined) return 'current-context is missing'
  if (kubeConfig.getContextObject(kubeConfig.getCurrentContext()) === null) return 'current-context names no context'
  const cluster = kubeConfig.getCurrentCluster()
  if (cluster === null) return 'the current context names no cluster'
  if (cluster.proxyUrl !== undefined) return "the cluster's proxy-url is not supported"
  const protocol = URL.parse(cluster.server)?.protocol
  if (protocol !== 'https:' && protocol !== 'http:') return "the cluster's server is no URL such as https://host:6443"
  return undefined
}

function describe(files: readonly string[]): string {
  return ['kubeconfig', ...files.map((name) => JSON.stringify(name))].join(' ')
}
