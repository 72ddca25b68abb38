import process from 'node:process'
import { instanceOf, withCluster } from '../cluster.ts'
import { CommandError, exitCodes, type Call, type Colour, type Run } from '../command.ts'
import { followLogs, readLogs, type Listening } from '../logs.ts'
import { refuseBlocked, selectorOf } from '../replicas.ts'

/** `logs NAME`: what the replicas write; with -f until Ctrl-C, which is no failure. */
export const logs: Run = (call) => {
  const query = queryOf(call)
  return withCluster(call, async (cluster) => {
    const instance = await instanceOf(cluster, call.positionals[0] ?? '')
    refuseBlocked('logs', instance)
    const end = new AbortController()
    const listening: Listening = {
      instance,
      selector: selectorOf(instance, call.text('service')),
      signal: end.signal,
      query,
      line: lineOf(call),
      note: (text) => call.io.error(`${text}\n`),
    }
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => end.abort())
    // Who reads no further, such as head, need not be told the rest.
    process.stdout.once('error', () => end.abort())
    if (call.flag('follow')) await followLogs(cluster, listening)
    else if ((await readLogs(cluster, listening)) === 0)
      throw new CommandError(`${instance.metadata.name} has no replica: kubectl appstead why ${instance.metadata.name}`)
    return exitCodes.done
  })
}

const colours: readonly Colour[] = ['cyan', 'magenta', 'yellow', 'green', 'blue']

/** Writes a line, after the name of its pod, which has a colour of its own. */
function lineOf(call: Call): Listening['line'] {
  const { io } = call
  if (call.flag('plain')) return (_, text) => io.out(`${text}\n`)
  const prefixes = new Map<string, string>()
  return (pod, text) => {
    const prefix = prefixes.get(pod) ?? io.paint(colours[prefixes.size % colours.length] ?? 'cyan', `${pod} |`)
    prefixes.set(pod, prefix)
    io.out(`${prefix} ${text}\n`)
  }
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

function queryOf(call: Call): Listening['query'] {
  const tail = call.text('tail')
  if (tail !== undefined && !/^\d{1,9}$/.test(tail))
    throw new CommandError(`--tail of logs must be a number of lines, such as 100: '${tail}'`)
  const since = call.text('since')
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(since ?? '') ?? []
  if (since !== undefined && unit === undefined)
    throw new CommandError(`--since of logs must be a time such as 30s, 5m or 2h: '${since}'`)
  if (call.flag('previous') && call.flag('follow'))
    throw new CommandError('--previous and --follow exclude each other: a process that has ended writes no more')
  return {
    tailLines: tail,
    sinceSeconds: unit === undefined ? undefined : Number(count) * (secondsIn[unit] ?? 1),
    previous: call.flag('previous') || undefined,
  }
}
