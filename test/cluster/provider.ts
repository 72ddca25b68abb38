import process from 'node:process'
import { tryRun } from './process.ts'
import { levels, type Level, type Provider } from './state.ts'

/** What the choice of a cluster depends on; read from the machine by `readSurroundings`. */
export interface Surroundings {
  environment: Record<string, string | undefined>
  platform: string
  root: boolean
  /** The container engine that answers, if any; asked only when it matters. */
  findEngine: () => Promise<string | undefined>
}

/** What will run the cluster, at which level, and why, in words for the user. */
export interface Choice {
  provider: Exclude<Provider, 'given'>
  level: Level
  /** The container engine that kind is to use. */
  engine?: string
  why: string
}

/** The container engines that kind can use. */
const engines = ['docker', 'podman', 'nerdctl']

async function findEngine(): Promise<string | undefined> {
  for (const engine of engines) {
    if ((await tryRun(engine, ['info'], { timeoutMilliseconds: 5000 })).status === 0) return engine
  }
  return undefined
}

/** Looks at this machine. */
export function readSurroundings(): Surroundings {
  return {
    environment: process.env,
    platform: process.platform,
    root: process.getuid?.() === 0,
    findEngine,
  }
}

/** Reads a level as a user wrote it. Throws when it is none. */
export function parseLevel(text: string): Level {
  const level = levels.find((known) => known === text)
  if (level === undefined) throw new Error(`LEVEL=${JSON.stringify(text)} is no level: use one of ${levels.join(', ')}`)
  return level
}

/**
 * Chooses who runs a cluster of our own (see `findGiven` for another's):
 * kind if a container engine answers and a node is wanted, else this machine.
 * Throws when what is wanted cannot be had here, and says what would be needed.
 */
export async function chooseProvider(wanted: Level | undefined, surroundings: Surroundings): Promise<Choice> {
  const { platform, root } = surroundings
  if (wanted === 'control' || wanted === 'kwok') {
    return { provider: 'local', level: wanted, why: `level ${wanted} runs as processes of this machine` }
  }
  const engine = await surroundings.findEngine()
  if (engine !== undefined)
    return { provider: 'kind', level: 'node', engine, why: `${engine} answers, so kind runs the node` }
  const missing = [...(platform === 'linux' ? [] : ['Linux']), ...(root ? [] : ['root'])]
  if (missing.length === 0) {
    return { provider: 'local', level: 'node', why: 'Linux and root: a real node runs in namespaces of its own' }
  }
  if (wanted === 'node') {
    throw new Error(
      `LEVEL=node needs ${missing.join(' and ')}, or a container engine (${engines.join(', ')}) for kind: ` +
        'none answers. LEVEL=control and LEVEL=kwok work without',
    )
  }
  return { provider: 'local', level: 'control', why: `no node without ${missing.join(' and ')} or a container engine` }
}

/**
 * The kubeconfig of the cluster that the user wants to be used, or undefined when it is to be one of our own.
 * Throws when the wish is not clear, or when KUBECONFIG names none.
 */
export function findGiven(environment: Record<string, string | undefined>): string | undefined {
  const flag = environment['APPSTEAD_USE_KUBECONFIG'] ?? ''
  if (flag === '' || flag === '0') return undefined
  if (flag !== '1') {
    throw new Error(
      `APPSTEAD_USE_KUBECONFIG=${JSON.stringify(flag)}: 1 takes the cluster of KUBECONFIG; leave it out for a test cluster`,
    )
  }
  const kubeconfig = environment['KUBECONFIG']
  if (!kubeconfig) {
    throw new Error(
      'APPSTEAD_USE_KUBECONFIG=1 and KUBECONFIG is not set: set it to the kubeconfig of the cluster to use',
    )
  }
  return kubeconfig
}
