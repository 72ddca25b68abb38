import { describe, expect, it } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { KubeError } from '../../../operator/kube/errors.ts'
import { Redacted } from '../../../operator/kube/secret.ts'
import { makeLog } from '../../../operator/runtime/log.ts'
import { makeCanary } from '../../support/canaries.ts'
import { logMessages } from '../../support/logMessages.ts'

type Line = Record<string, unknown>

/** What a log writes when `say` is called with it. */
function linesOf(say: (log: ReturnType<typeof makeLog>) => void): Line[] {
  const lines: string[] = []
  say(makeLog('debug', { write: (line) => void lines.push(line) }))
  return lines.map((line) => JSON.parse(line) as Line)
}

describe('the log', () => {
  it('writes an entry as one line of JSON, whatever is in it', () => {
    const lines: string[] = []
    makeLog('info', { write: (line) => void lines.push(line) }).info({ reason: 'a\nb\u2028"' }, 'Watching again')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[^\n]+\n$/)
    const line = JSON.parse(lines[0] ?? '') as Line
    expect(line).toEqual({ level: 'info', time: expect.any(String), reason: 'a\nb\u2028"', msg: 'Watching again' })
    expect(new Date(line['time'] as string).toISOString()).toBe(line['time'])
  })

  it('shows of an error its class, code and status, and nothing that hangs on it', () => {
    const canary = makeCanary('request header')
    const cause = Object.assign(new Error('socket'), { options: { headers: { authorization: canary } } })
    const error = new KubeError('Invalid', 'apply deployments a/b: no', {
      status: 422,
      reason: 'Invalid',
      field: 'spec.replicas',
      cause,
    })
    Object.assign(error, { request: { body: canary }, response: { headers: canary } })
    const [line] = linesOf((log) => log.error({ err: error }, 'Reconciling again after a failure'))
    expect(line?.['err']).toEqual({
      type: 'KubeError',
      message: 'apply deployments a/b: no',
      stack: expect.stringContaining('KubeError: apply deployments a/b: no'),
      code: 'Invalid',
      status: 422,
      reason: 'Invalid',
      field: 'spec.replicas',
    })
    expect(JSON.stringify(line)).not.toContain(canary)
  })

  it('shows nothing of a thrown object that is no error', () => {
    const canary = makeCanary('thrown object')
    const lines = linesOf((log) => {
      log.error({ err: { token: canary } }, 'Unhandled rejection')
      log.error({ err: Object.create(null) as unknown }, 'Unhandled rejection')
      log.error({ err: 'text' }, 'Unhandled rejection')
    })
    expect(lines.map(({ err }) => err)).toEqual([
      { type: 'object', message: '' },
      { type: 'object', message: '' },
      { type: 'string', message: 'text' },
    ])
  })

  it('shows a redacted value as redacted, at any depth', () => {
    const canary = makeCanary('token')
    const token = new Redacted(canary)
    const [line] = linesOf((log) => log.info({ token, user: { token } }, 'Stopping'))
    expect(line).toMatchObject({ token: '[redacted]', user: { token: '[redacted]' } })
    expect(JSON.stringify(line)).not.toContain(canary)
  })

  it('has a constant for every message in the source', () => {
    // Nine when this was written: a parser that finds none proves nothing.
    expect(logMessages().length).toBeGreaterThan(8)
    for (const message of logMessages()) expect(message).toMatch(/^[A-Z][^`${}]*$/)
  })
})

/** A process that logs `count` lines of 500 bytes every millisecond and after that says on its IPC channel that it went on. */
const writer = `
import { makeLog } from './operator/runtime/log.ts'
import { makeLogOutput } from './operator/runtime/logOutput.ts'
const output = makeLogOutput()
const log = makeLog('info', output)
const fill = 'x'.repeat(400)
let turns = 0
const timer = setInterval(() => {
  for (let i = 0; i < 40; i += 1) log.info({ fill, turn: turns }, 'Reconciled')
  turns += 1
  if (turns === 100) {
    clearInterval(timer)
    process.send({ droppedLines: output.droppedLines })
  }
}, 1)
process.on('message', async (milliseconds) => {
  const isOut = await output.flush(milliseconds)
  process.send({ isOut }, () => process.exit(0))
})
`

function startWriter(): ChildProcess & { readonly stdout: Readable } {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', writer], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  return child as ChildProcess & { readonly stdout: Readable }
}

async function messageOf(child: ChildProcess): Promise<Line> {
  const [message] = (await once(child, 'message')) as [Line]
  return message
}

describe('the output of the log', () => {
  it('does not stop the process when nobody reads; keeps what fits, counts the rest and says so', async () => {
    const child = startWriter()
    // 4,000 lines, 2 MB: neither the pipe nor the buffer holds them.
    const { droppedLines } = await messageOf(child)
    expect(droppedLines).toBeGreaterThan(0)
    const read = text(child.stdout)
    child.send(5000)
    expect(await messageOf(child)).toEqual({ isOut: true })
    const lines = (await read).trimEnd().split('\n')
    const parsed = lines.map((line) => JSON.parse(line) as Line)
    const reports = parsed.filter(({ msg }) => msg === 'Left out log lines that nobody read')
    expect(reports.map(({ lines: dropped }) => dropped)).toEqual([droppedLines])
    expect(parsed.length - reports.length + Number(droppedLines)).toBe(4000)
  }, 20_000)

  it('does not keep the process from ending when nobody ever reads', async () => {
    const child = startWriter()
    await messageOf(child)
    child.send(50)
    expect(await messageOf(child)).toEqual({ isOut: false })
    const [code] = (await once(child, 'exit')) as [number]
    expect(code).toBe(0)
    child.stdout.destroy()
  }, 20_000)

  it('takes lines in silence when the reader is gone', async () => {
    const child = startWriter()
    child.stdout.destroy()
    expect((await messageOf(child))['droppedLines']).toBeGreaterThan(0)
    child.send(50)
    expect(await messageOf(child)).toEqual({ isOut: false })
    const [code] = (await once(child, 'exit')) as [number]
    expect(code).toBe(0)
  }, 20_000)
})
