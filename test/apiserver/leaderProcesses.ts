import { spawn, type ChildProcess } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { apiVersion, leaseName } from '../../operator/api/meta.ts'
import { objectPath } from '../../operator/kube/paths.ts'
import { leaseType } from '../../operator/runtime/lease.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { waitUntil } from '../cluster/kubeApi.ts'
import { demand, type Admin } from '../support/apiserver.ts'
import { requestsOf, type Request } from '../support/auditLog.ts'
import { failOnLeaks, leaksIn } from '../support/canaries.ts'
import type { Anything } from '../support/hands.ts'
import type { ProductCluster } from '../support/productCluster.ts'

const root = join(import.meta.dirname, '../..')
export const namespace = 'appstead-system'
export const leasePath = objectPath(leaseType, { namespace, name: leaseName })

/** An operator as a process of its own. */
export interface Operator {
  readonly name: string
  /** Its log so far. */
  readonly log: readonly Line[]
  /** What it wrote to standard error so far. */
  errors(): string
  /** Whatever it wrote so far. */
  output(): string
  /** Resolves with the exit code, or with the signal that ended it. */
  readonly ended: Promise<number | string>
  /** True from when it took the lead until it ended. */
  isLeading(): boolean
  isCampaigning(): boolean
  kill(signal: NodeJS.Signals): void
  /** Its requests since `from` bytes of audit log, in the order in which they came. */
  requests(from?: number): readonly AuditedRequest[]
}

interface Line {
  readonly level: string
  readonly msg: string
  readonly reason?: string
  /** Whose line it is, of what says something of the Lease. */
  readonly identity?: string
}

export interface AuditedRequest extends Request {
  readonly userAgent: string
  readonly stageTimestamp: string
}

/** How one is started that is not like the others. */
interface How {
  /** With the code of which folder. */
  readonly folder?: string
  /** With another way to the cluster, and rights, than the operator's own. */
  readonly kubeconfig?: string
}

/** All that tests of leadership start; `end` ends what is left of it. */
export class Operators {
  readonly #world: ProductCluster
  readonly #started: { readonly operator: Operator; readonly child: ChildProcess }[] = []
  readonly #folders: string[] = []

  constructor(world: ProductCluster) {
    this.#world = world
  }

  /** Starts one; resolves when its caches are full and it takes part in the election. */
  async start(name: string, leaseSeconds: number, how: How = {}): Promise<Operator> {
    const operator = this.launch(name, leaseSeconds, how)
    const ending = operator.ended.then((end) =>
      Promise.reject(new Error(`${name} ended before it took part: ${end} ${operator.errors()}`)),
    )
    await Promise.race([ending, waitUntil(`${name} takes part`, 60, async () => operator.isCampaigning())])
    return operator
  }

  /** Starts one and waits for nothing. */
  launch(name: string, leaseSeconds: number, { folder = root, kubeconfig }: How = {}): Operator {
    const { operatorKubeconfig, cluster } = this.#world
    const child = spawn(process.execPath, ['operator/main.ts'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        KUBECONFIG: kubeconfig ?? operatorKubeconfig,
        HOSTNAME: name,
        APPSTEAD_HEALTH_PORT: '0',
        APPSTEAD_METRICS_PORT: '0',
        APPSTEAD_LEASE_SECONDS: String(leaseSeconds),
      },
    })
    const operator = makeOperator(name, child, cluster)
    this.#started.push({ operator, child })
    return operator
  }

  /** A copy of the operator whose package says that it is of another version; returns its folder. */
  copyAs(version: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'appstead-version-'))
    this.#folders.push(folder)
    cpSync(join(root, 'operator'), join(folder, 'operator'), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', version }))
    return folder
  }

  /** Kills what still runs; then rejects if a secret is seen in what any of them wrote. */
  async end(): Promise<void> {
    const started = this.#started.splice(0)
    for (const { operator, child } of started) {
      child.kill('SIGKILL')
      await operator.ended
    }
    failOnLeaks(started.flatMap(({ operator }) => leaksIn(`what operator ${operator.name} wrote`, operator.output())))
  }

  /** Removes the copies. */
  clean(): void {
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true })
  }
}

function makeOperator(name: string, child: ChildProcess, cluster: Cluster): Operator {
  const log: Line[] = []
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? ''))
  })
  const lines: string[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => {
    lines.push(line)
    log.push(JSON.parse(line) as Line)
  })
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const user = 'system:serviceaccount:appstead-system:appstead'
  const said = (message: string): boolean => log.some(({ msg }) => msg === message)
  // The audit log may still tell of the last request of one that had the same name, and was killed before.
  const isOfThis = ({ userAgent }: AuditedRequest): boolean =>
    log.some(({ identity }) => identity !== undefined && userAgent.includes(`(${identity})`))
  return {
    name,
    log,
    errors: () => errors,
    output: () => lines.join('\n') + errors,
    ended,
    isCampaigning: () => said('Campaigning'),
    isLeading: () => said('Leading') && child.exitCode === null && child.signalCode === null,
    kill: (signal) => void child.kill(signal),
    requests: (from = 0) =>
      (requestsOf(cluster, user, from) as readonly AuditedRequest[])
        .filter(isOfThis)
        .toSorted((a, b) => (a.requestReceivedTimestamp < b.requestReceivedTimestamp ? -1 : 1)),
  }
}

export const isOfLease = ({ objectRef }: AuditedRequest): boolean => objectRef?.resource === 'leases'

/** A review is asked by creating one, and nothing is stored. */
export const isWrite = ({ verb, objectRef }: AuditedRequest): boolean =>
  !['get', 'list', 'watch'].includes(verb) && objectRef?.resource !== 'selfsubjectrulesreviews'

export function getLease(admin: Admin): Promise<Anything> {
  return demand<Anything>(admin, { path: leasePath })
}

/** Users at work: an AppStack is made every 100 ms, and whoever leads answers each with a revision. */
export function keepBusy({ hands }: ProductCluster, project: string): { end(): Promise<void> } {
  const over = new AbortController()
  const services = [{ name: 'web', ports: [{ port: 8080 }], healthCheck: { path: '/healthz' } }]
  const work = async (): Promise<void> => {
    for (let round = 0; !over.signal.aborted; round += 1) {
      const metadata = { namespace: project, name: `stack-${round}` }
      // The server may be away: that is not what is tested.
      await hands.apply({ apiVersion, kind: 'AppStack', metadata, spec: { services } }).catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const working = work()
  return {
    async end() {
      over.abort()
      await working
    },
  }
}

/** Every AppStack of the project has its revision. */
export async function isAllDone({ hands }: ProductCluster, project: string): Promise<boolean> {
  const revisions = await hands.list('AppStackRevision', project)
  const stacks = await hands.list('AppStack', project)
  return stacks.length > 0 && revisions.length >= stacks.length
}
