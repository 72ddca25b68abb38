import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Report } from '../cluster/progress.ts'
import type { Kubectl } from './kubectl.ts'
import { waitFor } from './wait.ts'

/** What client.ts counts. */
export interface Counts {
  readonly sent: number
  readonly answered: number
  readonly lost: number
  readonly slowestMilliseconds: number
  /** Answers by the version that gave them. */
  readonly versions: Readonly<Record<string, number>>
  /** Of the first requests that were lost. */
  readonly reasons: readonly string[]
}

/** Constant requests that go on until they are stopped. */
export interface Traffic {
  /** Where the clients are, for people. */
  readonly from: string
  /** Resolves with the first answers; throws NotReached when there are none. */
  begun(report: Report): Promise<void>
  /** Ends it; the counts at the end. Throws when the clients did not end well. */
  stop(): Promise<Counts>
  /** Ends it, without waiting. */
  end(): void
}

const program = fileURLToPath(import.meta.resolve('./client.ts'))
const podName = 'appstead-demo-client'

/** Starts the clients on this host. */
export function sendFromHost(url: string): Traffic {
  return follow('this host', spawn(process.execPath, [program, url], { stdio: ['pipe', 'pipe', 'pipe'] }))
}

/** Starts the clients in a pod of the namespace default, made from an image that has Node. */
export async function sendFromPod(kubectl: Kubectl, image: string, url: string): Promise<Traffic> {
  await kubectl.ask('delete', 'pod', podName, '--namespace=default', '--ignore-not-found', '--now')
  const [path, ...fixed] = kubectl.command
  const wanted = ['run', podName, '--namespace=default', '--image', image, '--image-pull-policy=IfNotPresent']
  const how = ['--restart=Never', '--rm', '--stdin', '--quiet', '--command', '--']
  const what = ['node', '--input-type=module-typescript', '--eval', readFileSync(program, 'utf8'), url]
  return follow('a pod', spawn(path, [...fixed, ...wanted, ...how, ...what], { stdio: ['pipe', 'pipe', 'pipe'] }))
}

/** Says how many requests were sent and lost. Throws when one was lost: that an update loses none is the promise. */
export function countRequests({ versions, ...counts }: Counts, from: string, report: Report): void {
  const by = Object.entries(versions).map(([version, count]) => `${count} by version ${version}`)
  report(`  ${counts.sent} requests from ${from}: ${counts.answered} answered (${by.join(', ')}), ${counts.lost} lost`)
  report(`  the slowest answer took ${counts.slowestMilliseconds} ms`)
  if (counts.lost > 0) throw new Error(`${counts.lost} requests were lost: ${counts.reasons.join('; ')}`)
}

function follow(from: string, child: ChildProcess): Traffic {
  let latest: Counts | undefined
  let complaints = ''
  if (child.stdout) createInterface(child.stdout).on('line', (line) => (latest = parseCounts(line) ?? latest))
  child.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const ended = new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? 1)))
  child.once('error', (error) => (complaints += error.message))
  return {
    from,
    begun: (report) =>
      waitFor('the first answers', 2, 60, report, async () => {
        if (child.exitCode !== null) throw new Error(`the clients in ${from} ended badly: ${complaints.trim()}`)
        const answered = latest?.answered ?? 0
        return { isDone: answered > 0, text: answered > 0 ? 'they come' : (latest?.reasons[0] ?? 'no answer yet') }
      }),
    async stop() {
      child.stdin?.end()
      const status = await ended
      if (latest === undefined || status !== 0)
        throw new Error(`the clients in ${from} ended badly: ${complaints.trim()}`)
      return latest
    },
    end: () => child.stdin?.end(),
  }
}

function parseCounts(line: string): Counts | undefined {
  return line.startsWith('{') ? (JSON.parse(line) as Counts) : undefined
}
