import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { AccessError, loadKubeConfig } from '../../../operator/kube/access.ts'
import { leaksIn, makeCanary } from '../../support/canaries.ts'

const token = makeCanary('a token in a kubeconfig')
const good = {
  'current-context': 'x',
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  users: [{ name: 'u', user: { token } }],
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
}
const clustersOf = (cluster: unknown): unknown => ({ ...good, clusters: [{ name: 'c', cluster }] })

let folder: string
const before = { KUBECONFIG: process.env['KUBECONFIG'], HOME: process.env['HOME'] }

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'appstead-access-'))
})
beforeEach(() => {
  // In nobody's home.
  process.env['HOME'] = folder
  delete process.env['KUBECONFIG']
})
afterEach(() => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, content: unknown): string {
  const file = join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

/** What it says, with `FOLDER` for ours; throws when it says nothing, or shows a secret to anybody. */
function complaintOf(load: () => unknown): string {
  let thrown: unknown
  try {
    load()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(AccessError)
  expect(leaksIn('the error', inspect(thrown, { depth: 10, showHidden: true }))).toEqual([])
  return (thrown as AccessError).message.replaceAll(folder, 'FOLDER')
}

describe('a kubeconfig that leads nowhere is said to be so in one line, without what stands in it:', () => {
  it.each<[string, unknown, string]>([
    ['no YAML', `users:\n- user: {token: ${token}\n b: c\n`, 'is no YAML, line 3, column 2'],
    ['an alias to nothing', `users: *${token}`, 'is no YAML, line 1, column 9'],
    ['empty', '', 'is no YAML'],
    ['null', 'null', 'is no kubeconfig'],
    ['some text', token, 'current-context is missing'],
    ['no such context', { ...good, contexts: [] }, 'current-context names no context'],
    ['no such cluster', { ...good, clusters: [] }, 'the current context names no cluster'],
    ['no server', clustersOf({}), 'clusters[0].cluster.server is missing'],
    ['a server that is no text', clustersOf({ server: 6443 }), 'is no kubeconfig'],
    ['no URL', clustersOf({ server: token }), "the cluster's server is no URL such as https://host:6443"],
    ['a proxy', clustersOf({ server: 'https://a', 'proxy-url': token }), "the cluster's proxy-url is not supported"],
    ['a list that holds null', { ...good, users: [null] }, 'is no kubeconfig'],
    [
      'a token file that is not there',
      { ...good, users: [{ name: 'u', user: { 'token-file': '/gone/away' } }] },
      '"/gone/away" cannot be read (ENOENT)',
    ],
  ])('%s', (_what, content, reason) => {
    const file = write('kubeconfig', content)
    expect(complaintOf(() => loadKubeConfig(file))).toBe(`kubeconfig "FOLDER/kubeconfig": ${reason}`)
  })

  it('a folder', () => {
    expect(complaintOf(() => loadKubeConfig(folder))).toBe('kubeconfig "FOLDER": cannot be read (EISDIR)')
  })

  it('of several files the one that is wrong', () => {
    process.env['KUBECONFIG'] = [write('one', good), write('two', `users: *${token}`)].join(delimiter)
    expect(complaintOf(() => loadKubeConfig())).toBe('kubeconfig "FOLDER/two": is no YAML, line 1, column 9')
  })

  it('none at all', () => {
    expect(complaintOf(() => loadKubeConfig())).toMatch(
      /^kubeconfig: there is none; set KUBECONFIG, or run in a cluster/,
    )
  })

  it.each([JSON.stringify(good), `users:\n- user:\n    token: ${token}\n`])(
    'the content in place of a name',
    (text) => {
      process.env['KUBECONFIG'] = text
      expect(complaintOf(() => loadKubeConfig())).toMatch(/^KUBECONFIG must name files/)
    },
  )
})

it('several files are one kubeconfig, and what is not there yet may come from a later one', () => {
  const { clusters, ...rest } = good
  process.env['KUBECONFIG'] = [write('one', rest), write('two', { clusters })].join(delimiter)
  expect(loadKubeConfig().getCurrentCluster()?.server).toBe('https://127.0.0.1:1')
})
