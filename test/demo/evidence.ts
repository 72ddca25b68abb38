import { instance } from './hello.ts'
import type { Kubectl } from './kubectl.ts'
import { platformNamespace, type Platform } from './platform.ts'

/** Why the demo did not go on: what the cluster says about it, and the error. */
export async function describeFailure(error: unknown, kubectl: Kubectl, platform?: Platform): Promise<string> {
  const sections = [
    await section(kubectl, 60, 'describe', 'appinstance', instance, '--namespace=default'),
    await section(kubectl, 20, 'get', 'pods', '--namespace', instance, '-o', 'wide'),
    await section(kubectl, 15, 'get', 'events', '--namespace', instance, '--sort-by=.lastTimestamp'),
    await section(kubectl, 20, 'get', 'pods', '--namespace', platformNamespace, '-o', 'wide'),
    await section(kubectl, 15, 'get', 'events', '--namespace', platformNamespace, '--sort-by=.lastTimestamp'),
    await logsOf(kubectl, platform),
  ]
  const message = error instanceof Error ? error.message : String(error)
  return [...sections, `\nThe demo stopped: ${message}`].join('\n')
}

/** A command, and the last lines of what it says. */
async function section(kubectl: Kubectl, lines: number, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await kubectl.ask(...args)
  return `\n$ kubectl ${args.join(' ')}\n${tail(`${stdout}${stderr}`, lines)}`
}

async function logsOf(kubectl: Kubectl, platform: Platform | undefined): Promise<string> {
  const logs = platform?.logs() ?? kubectl.text('-n', platformNamespace, 'logs', 'deployment/appstead')
  const text = await logs.catch((error: Error) => error.message)
  return `\nThe end of the operator's log:\n${tail(text, 15).split('\n').map(shorten).join('\n')}`
}

function tail(text: string, lines: number): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n')
}

/** A line of the log, without what only programs read; whatever is no such line stays as it is. */
function shorten(line: string): string {
  if (!line.startsWith('{')) return line
  const { time, level, msg, key = '', outcome, err, reason = '' } = JSON.parse(line) as LogLine
  const why = outcome === undefined ? (err?.message ?? reason) : `${outcome.kind} ${outcome.message ?? ''}`
  return [time.slice(11, 23), level.padEnd(5), msg, key, why].filter((part) => part !== '').join('  ')
}

interface LogLine {
  readonly time: string
  readonly level: string
  readonly msg: string
  readonly key?: string
  readonly reason?: string
  readonly outcome?: { readonly kind: string; readonly message?: string }
  readonly err?: { readonly message: string }
}
