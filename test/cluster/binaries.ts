import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { cacheFolder } from './layout.ts'
import { withLock } from './lock.ts'
import { run, tryRun } from './process.ts'
import { withProgress, type Report } from './progress.ts'

/** A binary, the Go module under `go/` that it is built from, and how long that takes. */
interface Source {
  module: string
  package: string
  /** The requirement that its version is taken from; without one it is part of this checkout. */
  requires?: string
  /** Cold, on two cores; includes what it shares with the ones before it in this table. */
  usualSeconds: number
}

const kubernetes = (name: string, usualSeconds: number): Source => ({
  module: 'kubernetes',
  package: `k8s.io/kubernetes/cmd/${name}`,
  requires: 'k8s.io/kubernetes',
  usualSeconds,
})

const containerd = (name: string, usualSeconds: number): Source => ({
  module: 'containerd',
  package: `github.com/containerd/containerd/v2/cmd/${name}`,
  requires: 'github.com/containerd/containerd/v2',
  usualSeconds,
})

const sources = {
  'kube-apiserver': kubernetes('kube-apiserver', 400),
  kubectl: kubernetes('kubectl', 60),
  'kube-controller-manager': kubernetes('kube-controller-manager', 140),
  'kube-scheduler': kubernetes('kube-scheduler', 20),
  kubelet: kubernetes('kubelet', 40),
  'kube-proxy': kubernetes('kube-proxy', 20),
  etcd: {
    module: 'etcd',
    package: 'go.etcd.io/etcd/server/v3',
    requires: 'go.etcd.io/etcd/server/v3',
    usualSeconds: 40,
  },
  kwok: { module: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok', requires: 'sigs.k8s.io/kwok', usualSeconds: 180 },
  containerd: containerd('containerd', 90),
  'containerd-shim-runc-v2': containerd('containerd-shim-runc-v2', 10),
  ctr: containerd('ctr', 10),
  pause: { module: 'pause', package: '.', usualSeconds: 5 },
  'metrics-server': {
    module: 'metrics-server',
    package: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
    requires: 'sigs.k8s.io/metrics-server',
    usualSeconds: 150,
  },
  'kube-state-metrics': {
    module: 'kube-state-metrics',
    package: 'k8s.io/kube-state-metrics/v2',
    requires: 'k8s.io/kube-state-metrics/v2',
    usualSeconds: 180,
  },
  celcost: { module: 'celcost', package: '.', usualSeconds: 110 },
  verdicts: { module: 'gitops', package: './verdicts', usualSeconds: 240 },
  argocd: { module: 'gitops', package: './argocd', requires: 'github.com/argoproj/argo-cd/v3', usualSeconds: 60 },
  kubeconform: {
    module: 'manifests',
    package: 'github.com/yannh/kubeconform/cmd/kubeconform',
    requires: 'github.com/yannh/kubeconform',
    usualSeconds: 5,
  },
  'kube-score': {
    module: 'manifests',
    package: 'github.com/zegl/kube-score/cmd/kube-score',
    requires: 'github.com/zegl/kube-score',
    usualSeconds: 25,
  },
  helm: { module: 'helm', package: 'helm.sh/helm/v4/cmd/helm', requires: 'helm.sh/helm/v4', usualSeconds: 200 },
  kind: { module: 'kind', package: 'sigs.k8s.io/kind', requires: 'sigs.k8s.io/kind', usualSeconds: 40 },
} as const satisfies Record<string, Source>

/** A binary that can be built here. */
export type Binary = keyof typeof sources

const moduleFolder = (source: Source): string => join(import.meta.dirname, 'go', source.module)

function versionOf(source: Source): string {
  if (source.requires === undefined) return 'local'
  const lines = readFileSync(join(moduleFolder(source), 'go.mod'), 'utf8').split('\n')
  const words = lines.map((line) =>
    line
      .trim()
      .replace(/^require /, '')
      .split(' '),
  )
  const version = words.find(([path, text]) => path === source.requires && text?.startsWith('v'))?.[1]
  if (version === undefined) throw new Error(`go/${source.module}/go.mod requires no version of ${source.requires}`)
  return version
}

const variable = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`

function linkerFlags(source: Source): string {
  if (source.module !== 'kubernetes') return '-s -w'
  const version = versionOf(source)
  const [major = '', minor = ''] = version.slice(1).split('.')
  return ['-s -w', variable('gitVersion', version), variable('gitMajor', major), variable('gitMinor', minor)].join(' ')
}

function buildArguments(source: Source): string[] {
  return ['build', '-trimpath', '-ldflags', linkerFlags(source)]
}

/** Where a binary lies once it is built. Another version, flag or platform is another folder. */
export function binaryPath(binary: Binary): string {
  const source: Source = sources[binary]
  const hash = createHash('sha256').update(JSON.stringify([process.platform, process.arch, buildArguments(source)]))
  const isOurs = source.package.startsWith('.')
  const inputs = ['go.mod', isOurs ? join(source.package, 'main.go') : 'go.sum']
  for (const file of inputs) hash.update(readFileSync(join(moduleFolder(source), file)))
  return join(cacheFolder(), `${source.module}-${versionOf(source)}-${hash.digest('hex').slice(0, 12)}`, binary)
}

/** The Go version that the module of a binary asks for. */
function wantedGo(source: Source): string {
  const line = /^go (\S+)$/m.exec(readFileSync(join(moduleFolder(source), 'go.mod'), 'utf8'))
  return line?.[1] ?? 'the newest'
}

async function requireGo(source: Source, binary: Binary): Promise<void> {
  const { status } = await tryRun('go', ['version'])
  if (status === 0) return
  throw new Error(
    `${binary} is built from its Go module and there is no 'go' on the PATH: ` +
      `install Go ${wantedGo(source)} or newer (https://go.dev/dl/), then run this again`,
  )
}

async function build(binary: Binary, path: string, report: Report): Promise<void> {
  const source: Source = sources[binary]
  await requireGo(source, binary)
  mkdirSync(dirname(path), { recursive: true })
  await withLock(`${path}.lock`, report, async () => {
    if (existsSync(path)) return
    const what = `building ${binary} ${versionOf(source)} from its Go module, once`
    await withProgress(report, what, source.usualSeconds, () =>
      // CGO off: the binaries are static and need no C compiler. No go.work of the user may change what is built.
      run('go', [...buildArguments(source), '-o', `${path}.new`, source.package], {
        cwd: moduleFolder(source),
        env: { CGO_ENABLED: '0', GOWORK: 'off' },
      }),
    )
    renameSync(`${path}.new`, path)
  })
}

/**
 * Builds those of these binaries that the cache does not have, one after another, and returns where each is.
 * Throws when there is no Go, or with the compiler's words.
 */
export async function ensureBinaries<B extends Binary>(
  binaries: readonly B[],
  report: Report,
): Promise<Record<B, string>> {
  const paths: Partial<Record<B, string>> = {}
  for (const binary of binaries) {
    const path = binaryPath(binary)
    if (!existsSync(path)) await build(binary, path, report)
    paths[binary] = path
  }
  return paths as Record<B, string>
}

/** Where Go keeps the module that a binary is built from; downloads it when it is not there any more. */
export async function goModuleFolder(binary: Binary): Promise<string> {
  const source: Source = sources[binary]
  await requireGo(source, binary)
  const settings = { cwd: moduleFolder(source), env: { GOWORK: 'off' } }
  const downloaded = JSON.parse(await run('go', ['mod', 'download', '-json', source.requires ?? ''], settings)) as {
    Dir: string
  }
  return downloaded.Dir
}

/** A Helm 4: the one on the PATH, or else one built from its Go module. Returns its path or command name. */
export async function ensureHelm(report: Report): Promise<string> {
  const { status, stdout } = await tryRun('helm', ['version', '--short'])
  if (status === 0 && stdout.startsWith('v4.')) return 'helm'
  return (await ensureBinaries(['helm'], report)).helm
}
