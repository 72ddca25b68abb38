import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { ensureBinaries, goModuleFolder } from '../cluster/binaries.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { ensurePackages } from '../cluster/packages.ts'
import { findFreePorts } from '../cluster/ports.ts'
import { reportToTerminal } from '../cluster/progress.ts'
import { writeAccountKubeconfig } from '../demo/account.ts'
import { makeKubectl, type Kubectl } from '../demo/kubectl.ts'

/** Argo CD's own repo server and application controller, as processes of the test that started them. */
export interface ArgoCd {
  /** How an Application stands; undefined when there is none. */
  find(application: string): Promise<Application | undefined>
  /** Has it look at the repository; resolves when it has compared what is there with the cluster. */
  refresh(application: string): Promise<Application>
  /** Asks for a sync, as its command line does, and resolves to what came of it. */
  sync(application: string): Promise<Application>
  /** Ends a sync that goes on trying, as its command line does. */
  terminate(application: string): Promise<Application>
  /** Resolves to the Application when this holds; rejects with how it stood last, and what Argo CD said. */
  until(application: string, holds: (application: Application) => boolean, seconds?: number): Promise<Application>
  stop(): Promise<void>
}

/** What is read of an Application here. */
export interface Application {
  readonly metadata: { readonly resourceVersion: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: { readonly syncPolicy?: { readonly syncOptions?: readonly string[] } }
  readonly operation?: object
  readonly status?: {
    readonly reconciledAt?: string
    readonly health?: { readonly status?: string }
    readonly sync?: { readonly status: string; readonly revision?: string }
    readonly resources?: readonly Managed[]
    readonly conditions?: readonly { readonly type: string; readonly message: string }[]
    readonly operationState?: {
      readonly phase: string
      readonly startedAt: string
      readonly message?: string
      readonly syncResult?: { readonly revision: string; readonly resources?: readonly Synced[] }
    }
  }
}

interface Managed {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly status: string
  readonly health?: { readonly status: string; readonly message?: string }
}

interface Synced {
  readonly kind: string
  readonly name: string
  readonly status: string
  readonly message: string
}

const namespace = 'argocd'
const account = 'argocd-application-controller'
const configMaps = ['cm', 'rbac-cm', 'cmd-params-cm', 'ssh-known-hosts-cm', 'tls-certs-cm', 'gpg-keys-cm']
const all = { group: '*', kind: '*' }

/** What its parts expect to find, as its own installation makes it; all of it under `argocd`, and a project for everything. */
const objects: readonly object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  ...configMaps.map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: partOf(`argocd-${name}`) })),
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: partOf('argocd-secret'),
    stringData: { 'server.secretkey': crypto.randomUUID() },
  },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: partOf(account) },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: account },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  },
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'default', namespace },
    spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }], clusterResourceWhitelist: [all] },
  },
]

function partOf(name: string): object {
  return { name, namespace, labels: { 'app.kubernetes.io/part-of': 'argocd' } }
}

/**
 * Installs Argo CD's kinds, and starts its repo server and its application controller, which acts under an account of its
 * own. Configuration: a patch of its ConfigMap argocd-cm, as a file. The first time on a machine it is built.
 */
export async function startArgoCd(cluster: Cluster, configuration: string): Promise<ArgoCd> {
  await ensurePackages([{ name: 'redis-server', command: 'redis-server' }], reportToTerminal)
  const { argocd } = await ensureBinaries(['argocd'], reportToTerminal)
  const kubectl = makeKubectl(cluster.kubectl, cluster.kubeconfig)
  await install(kubectl, configuration)
  const folder = mkdtempSync(join(tmpdir(), 'appstead-argocd-'))
  const kubeconfig = join(folder, 'kubeconfig')
  await writeAccountKubeconfig(kubectl, { namespace, name: account }, kubeconfig)
  const parts = await startParts(argocd, folder, { ...environmentIn(folder), KUBECONFIG: kubeconfig })
  return {
    ...clientOf(kubectl, () => parts.map((part) => part.said()).join('\n')),
    async stop() {
      for (const part of parts.toReversed()) await part.end()
      rmSync(folder, { recursive: true })
    },
  }
}

async function install(kubectl: Kubectl, configuration: string): Promise<void> {
  const crds = join(await goModuleFolder('argocd'), 'manifests/crds')
  await kubectl.text('apply', '--server-side', '--force-conflicts', '-k', crds)
  // Once the kinds are served; what a run before left would begin to sync at once.
  await waitUntil('Argo CD’s kinds are served', 30, async () => {
    const { status } = await kubectl.ask('-n', namespace, 'delete', 'applications,appprojects', '--all')
    return status === 0
  })
  await kubectl.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), namespace)
  await kubectl.text('patch', 'configmap', 'argocd-cm', '-n', namespace, '--type=merge', '--patch-file', configuration)
}

/** Switches and folders that are elsewhere in its image. */
function environmentIn(folder: string): NodeJS.ProcessEnv {
  const made = (name: string): string => {
    mkdirSync(join(folder, name), { mode: 0o700 })
    return join(folder, name)
  }
  return {
    PATH: process.env['PATH'],
    HOME: made('home'),
    TMPDIR: made('tmp'),
    ARGOCD_FAKE_IN_CLUSTER: 'true',
    ARGOCD_GPG_ENABLED: 'false',
    ARGOCD_TLS_DATA_PATH: made('tls'),
    ARGOCD_SSH_DATA_PATH: made('ssh'),
    ARGOCD_GPG_DATA_PATH: made('gpg'),
    ARGOCD_GNUPGHOME: made('gnupg'),
    ARGOCD_PLUGINSOCKFILEPATH: made('plugins'),
  }
}

interface Part {
  /** The end of what it wrote. */
  said(): string
  end(): Promise<void>
}

async function startParts(argocd: string, folder: string, env: NodeJS.ProcessEnv): Promise<readonly Part[]> {
  const [redis, repo, repoMetrics, metrics] = await findFreePorts(crypto.randomUUID(), 4)
  const common = ['--redis', `127.0.0.1:${redis}`, '--loglevel=warn']
  const repoServer = ['--disable-tls', '--address=127.0.0.1', `--port=${repo}`, '--metrics-address=127.0.0.1']
  const controller = [
    '--namespace',
    namespace,
    '--persist-resource-health',
    '--repo-server-plaintext',
    `--repo-server=127.0.0.1:${repo}`,
  ]
  const start = (command: string, ...args: readonly string[]): Part => startPart(command, args, { cwd: folder, env })
  return [
    start('redis-server', '--bind', '127.0.0.1', '--port', String(redis), '--save', '', '--appendonly', 'no'),
    start(argocd, 'argocd-repo-server', ...repoServer, `--metrics-port=${repoMetrics}`, ...common),
    start(argocd, 'argocd-application-controller', ...controller, `--metrics-port=${metrics}`, ...common),
  ]
}

function startPart(command: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Part {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-10_000)))
  }
  const ended = once(child, 'exit')
  return {
    said: () => said,
    async end() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function clientOf(kubectl: Kubectl, said: () => string): Omit<ArgoCd, 'stop'> {
  const find = async (name: string): Promise<Application | undefined> => {
    const args = ['-n', namespace, 'get', 'application', name, '--ignore-not-found', '-o', 'json']
    const text = await kubectl.text(...args)
    return text === '' ? undefined : (JSON.parse(text) as Application)
  }
  const until: ArgoCd['until'] = async (name, holds, seconds = 90) => {
    let last: Application | undefined
    await waitUntil(`the Application ${name}`, seconds, async () => {
      last = await find(name)
      return last !== undefined && holds(last)
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last?.status)}\n${said()}`)
    })
    return last as Application
  }
  const patch = (name: string, change: object): Promise<string> =>
    kubectl.text('-n', namespace, 'patch', 'application', name, '--type=merge', '-p', JSON.stringify(change))
  const refreshKey = 'argocd.argoproj.io/refresh'
  return {
    find,
    until,
    async refresh(name) {
      await kubectl.text('-n', namespace, 'annotate', 'application', name, `${refreshKey}=hard`)
      return until(name, ({ metadata }) => metadata.annotations?.[refreshKey] === undefined)
    },
    async terminate(name) {
      await patch(name, { status: { operationState: { phase: 'Terminating' } } })
      return until(name, isAtRest)
    },
    async sync(name) {
      const { spec, status: past } = await until(name, () => true)
      const before = past?.operationState?.startedAt
      const sync = { syncOptions: spec.syncPolicy?.syncOptions ?? [] }
      await patch(name, { operation: { initiatedBy: { username: 'test' }, sync } })
      return until(name, (now) => now.status?.operationState?.startedAt !== before && isAtRest(now))
    },
  }
}

/** Whether no sync is under way, nor asked for, nor to be tried again. */
export function isAtRest({ operation, status }: Application): boolean {
  return operation === undefined && !['Running', 'Terminating'].includes(status?.operationState?.phase ?? '')
}
