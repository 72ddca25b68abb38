import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, get, type IncomingMessage } from 'node:http'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from '@jest/globals'
import { loadAll } from 'js-yaml'
import { kinds } from '../../../operator/api/kinds.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { findFreePorts } from '../../cluster/ports.ts'

const folder = new URL('../../../examples/hello/', import.meta.url)
const text = readFileSync(new URL('hello.yaml', folder), 'utf8')
const objects = loadAll(text) as (KubeObject & { spec: unknown })[]

describe('hello.yaml', () => {
  it('has at most 20 lines, and two objects', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
    expect(objects.map(({ kind }) => kind)).toEqual(['App', 'AppInstance'])
  })

  it.each(
    objects.flatMap((object) =>
      pathsOf(object.spec).map((path) => [object.kind, path.join('.'), object, path] as const),
    ),
  )('%s: %s cannot be left out', (_kind, _path, object, path) => {
    expect(parse(object.kind, without(object.spec, path))).not.toEqual(parse(object.kind, object.spec))
  })
})

describe('server.js', () => {
  let server: ChildProcess | undefined
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })

  afterEach(() => {
    server?.kill('SIGKILL')
    agent.destroy()
  })

  it('answers what comes in after SIGTERM, asks for another connection, and ends with the last one', async () => {
    const [port = 0] = await findFreePorts(crypto.randomUUID(), 1)
    const env = { HELLO_VERSION: '7', APPSTEAD_APP: 'hello', APPSTEAD_INSTANCE: 'hello-dev', PORT: String(port) }
    server = spawn(process.execPath, [fileURLToPath(new URL('server.js', folder))], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(server.stdout!, 'data')
    const before = await ask(agent, port)
    expect(before.body).toMatch(/^hello from hello-dev, app hello, version 7, on \S+\n$/)
    expect(before.connection).toBe('keep-alive')

    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    let after = await ask(agent, port)
    // The signal may arrive after the first request that was sent behind it.
    while (after.connection !== 'close') after = await ask(agent, port)
    expect(after.status).toBe(200)
    agent.destroy()
    expect(await ended).toEqual([0, null])
  })
})

function parse(kind: string, spec: unknown): unknown {
  const found = kinds.find((known) => known.kind === kind)
  return found?.spec.safeParse(spec)
}

/** The paths of all fields, the deepest ones too. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const own = [...path, name]
    return Array.isArray(value) ? pathsOf(inner, own) : [own, ...pathsOf(inner, own)]
  })
}

function without(value: unknown, [name = '', ...rest]: readonly string[]): unknown {
  const copy = structuredClone(value) as Record<string, unknown>
  if (rest.length === 0) delete copy[name]
  else copy[name] = without(copy[name], rest)
  return copy
}

function ask(agent: Agent, port: number): Promise<{ status: number; connection: string; body: string }> {
  return new Promise((resolve, reject) => {
    const answer = (response: IncomingMessage): void => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection ?? '', body }),
      )
    }
    get({ agent, port, host: '127.0.0.1', path: '/' }, answer).on('error', reject)
  })
}
