import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { makeCanary } from '../../support/canaries.ts'

const main = join(import.meta.dirname, '../../../operator/main.ts')
const token = makeCanary('a token in a kubeconfig')

const context = { name: 'x', context: { cluster: 'c', user: 'u' } }
const users = [{ name: 'u', user: { token } }]
/** Of a cluster that is not there, so that nothing can go wrong but what a test asks for. */
const good = {
  'current-context': 'x',
  contexts: [context],
  users,
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
}
const notYaml = `users:\n- name: u\n  user: {token: ${token}\n b: c\n`

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'appstead-start-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly how: number | string | null
  /** All it wrote; its own folder is `FOLDER`. */
  readonly text: string
}

const killedAfterMilliseconds = 20_000
/** Of a test that starts one process. */
const timeout = killedAfterMilliseconds + 5000

/** Starts the operator and resolves when it has ended; one that has not in time is killed. */
async function start(environment: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // In no cluster and in nobody's home.
    env: { HOME: folder, APPSTEAD_HEALTH_PORT: '0', APPSTEAD_METRICS_PORT: '0', ...environment },
    timeout: killedAfterMilliseconds,
    killSignal: 'SIGKILL',
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (text += part))
  const how = await new Promise<Ended['how']>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  )
  return { how, text: text.replaceAll(folder, 'FOLDER') }
}

/** The kubeconfig is written to the folder; undefined: there is none. */
async function startWith(kubeconfig: unknown): Promise<Ended> {
  const file = join(folder, 'kubeconfig')
  rmSync(file, { force: true })
  if (kubeconfig !== undefined) {
    writeFileSync(file, typeof kubeconfig === 'string' ? kubeconfig : JSON.stringify(kubeconfig))
  }
  return start({ KUBECONFIG: file })
}

describe('a process that cannot start says why in one line, without a secret, and ends with 1:', () => {
  it.each<[string, unknown, string]>([
    ['there is no such file', undefined, '"FOLDER/kubeconfig" cannot be read (ENOENT)'],
    ['it is no YAML', notYaml, 'is no YAML, line 4, column 2'],
    ['it leads to no cluster', { ...good, clusters: [] }, 'the current context names no cluster'],
  ])(
    '%s',
    async (_what, kubeconfig, reason) => {
      expect(await startWith(kubeconfig)).toEqual({ how: 1, text: `kubeconfig "FOLDER/kubeconfig": ${reason}\n` })
    },
    timeout,
  )

  it(
    'a setting is wrong',
    async () => {
      const line = 'APPSTEAD_WORKERS="many": must be a whole number from 1 to 64'
      expect(await start({ APPSTEAD_WORKERS: 'many' })).toEqual({ how: 1, text: `${line}\n` })
    },
    timeout,
  )

  it(
    'its port is taken',
    async () => {
      const other = createServer()
      await new Promise<void>((resolve) => other.listen(0, resolve))
      try {
        const { port } = other.address() as AddressInfo
        const kubeconfig = join(folder, 'good')
        writeFileSync(kubeconfig, JSON.stringify(good))
        const { how, text } = await start({ KUBECONFIG: kubeconfig, APPSTEAD_METRICS_PORT: String(port) })
        expect(text).toMatch(new RegExp(`^listen EADDRINUSE: [^\\n]*:${port}\\n$`))
        expect(how).toBe(1)
      } finally {
        await new Promise((resolve) => other.close(resolve))
      }
    },
    timeout,
  )
})
