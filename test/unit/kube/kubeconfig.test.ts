import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { dump } from 'js-yaml'
import { KubeconfigError, type KubeconfigFault, parseClusterKubeconfig } from '../../../operator/clusters/kubeconfig.ts'
import { makeAuthority } from '../../cluster/certificates.ts'

const authority = makeAuthority('test')
const person = authority.issue({ commonName: 'someone' })
const other = authority.issue({ commonName: 'other' })
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const ca = base64(authority.certificate)
const token = 'canary-0f3e.token'

const pair = {
  'client-certificate-data': base64(person.certificate),
  'client-key-data': base64(person.key),
}

/** A kubeconfig of one context, with more fields for its cluster, its user and the whole. */
function kubeconfig(cluster: object = {}, user: object = { token }, whole: object = {}): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server: 'https://api.test:6443', 'certificate-authority-data': ca, ...cluster } },
    ],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
    ...whole,
  }
}

/** What a kubeconfig is refused for. No word of `canary`, which stands for what it holds, may be in the error. */
function faultsOf(text: string | object): readonly KubeconfigFault[] {
  let thrown: unknown
  try {
    parseClusterKubeconfig(typeof text === 'string' ? text : JSON.stringify(text))
  } catch (error) {
    thrown = error
  }
  if (!(thrown instanceof KubeconfigError)) throw new Error('taken, or not refused in order', { cause: thrown })
  expect(inspect(thrown)).not.toContain('canary')
  return thrown.faults
}

const pathsOf = (text: string | object): readonly string[] => faultsOf(text).map(({ path }) => path)

describe('a kubeconfig that is taken', () => {
  it('gives its server, its authority and its token', async () => {
    const credentials = parseClusterKubeconfig(
      dump(kubeconfig({ server: 'https://api.test/k8s/c-1/', 'tls-server-name': 'inner.test' })),
    )
    expect(credentials).toMatchObject({ origin: 'https://api.test', basePath: '/k8s/c-1' })
    expect((await credentials.identity()).headers.reveal()).toEqual({ authorization: `Bearer ${token}` })
    expect((await credentials.tls()).reveal()).toEqual({
      ca: authority.certificate,
      servername: 'inner.test',
      rejectUnauthorized: true,
    })
  })

  it('gives a client certificate, from JSON too, and needs no current-context when there is one', async () => {
    const { 'current-context': _, ...rest } = kubeconfig({}, pair, { preferences: {} })
    const credentials = parseClusterKubeconfig(JSON.stringify(rest))
    expect((await credentials.identity()).headers.reveal()).toEqual({})
    expect((await credentials.tls()).reveal()).toMatchObject({ cert: person.certificate, key: person.key })
  })

  it('takes the current one of several contexts', async () => {
    const whole = kubeconfig({}, { token }, { 'current-context': 'second' })
    ;(whole['users'] as object[]).push({ name: 'v', user: { token: 'of-v' } })
    ;(whole['contexts'] as object[]).push({ name: 'second', context: { cluster: 'c', user: 'v', namespace: 'n' } })
    const credentials = parseClusterKubeconfig(dump(whole))
    expect((await credentials.identity()).headers.reveal()).toEqual({ authorization: 'Bearer of-v' })
  })

  it('shows no secret of itself', async () => {
    const credentials = parseClusterKubeconfig(dump(kubeconfig()))
    const identity = await credentials.identity()
    const tls = parseClusterKubeconfig(dump(kubeconfig({}, pair))).tls()
    for (const each of [credentials, identity, await tls, identity.headers]) {
      for (const shown of [inspect(each, { depth: 9, showHidden: true }), JSON.stringify(each)]) {
        expect(shown).not.toContain('canary')
        expect(shown).not.toContain('PRIVATE KEY')
      }
    }
  })
})

describe('a kubeconfig that is refused', () => {
  it('runs no program: the replay of CVE-2022-24817', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
    const proof = join(folder, 'ran')
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: [proof], env: null }
    const faults = faultsOf(kubeconfig({}, { exec }))
    expect(faults.map(({ path }) => path)).toEqual(['users[0].user.exec', 'users[0].user'])
    expect(faults[0]?.message).toBe('programs are not run; use token, or client-certificate-data with client-key-data')
    expect(existsSync(proof)).toBe(false)
    rmSync(folder, { recursive: true })
  })

  it.each([
    ['exec', { command: '/canary' }],
    ['auth-provider', { name: 'gcp', config: { 'cmd-path': '/canary' } }],
    ['tokenFile', '/canary'],
    ['client-certificate', '/canary'],
    ['client-key', '/canary'],
    ['username', 'canary'],
    ['password', 'canary'],
    ['as', 'canary'],
    ['as-uid', 'canary'],
    ['as-groups', ['canary']],
    ['as-user-extra', { canary: ['canary'] }],
  ])('a user with %s', (name, value) => {
    expect(pathsOf(kubeconfig({}, { token, [name]: value }))).toEqual([`users[0].user.${name}`])
  })

  it.each([
    ['certificate-authority', '/canary'],
    ['insecure-skip-tls-verify', true],
    ['insecure-skip-tls-verify', 'canary'],
    ['proxy-url', 'http://canary'],
    ['disable-compression', true],
    ['extensions', [{ name: 'canary' }]],
  ])('a cluster with %s', (name, value) => {
    expect(pathsOf(kubeconfig({ [name]: value }))).toEqual([`clusters[0].cluster.${name}`])
  })

  it.each([
    'http://api.test',
    'https://canary:canary@api.test',
    'https://api.test/?canary',
    'https://api.test/#canary',
    'file:///canary',
    'canary',
    '',
    7,
  ])('a server %j', (server) => {
    expect(pathsOf(kubeconfig({ server }))).toEqual(['clusters[0].cluster.server'])
  })

  it('certificates and keys that are none, or not a pair', () => {
    const key = 'clusters[0].cluster.certificate-authority-data'
    expect(pathsOf(kubeconfig({ 'certificate-authority-data': '/etc/canary' }))).toEqual([key])
    expect(pathsOf(kubeconfig({ 'certificate-authority-data': base64('canary') }))).toEqual([key])
    expect(pathsOf(kubeconfig({}, { ...pair, 'client-key-data': base64(other.key) }))).toEqual([
      'users[0].user.client-key-data',
    ])
    expect(pathsOf(kubeconfig({}, { ...pair, 'client-key-data': undefined }))).toEqual([
      'users[0].user.client-key-data',
    ])
    expect(pathsOf(kubeconfig({ 'tls-server-name': 'canary canary' }))).toEqual(['clusters[0].cluster.tls-server-name'])
  })

  it.each([
    ['no proof of identity', {}, ['users[0].user']],
    ['two proofs of identity', { token, ...pair }, ['users[0].user']],
    ['a token with a line break', { token: 'canary\r\nx-evil: 1' }, ['users[0].user.token']],
    ['a token that is a number', { token: 12_345_678 }, ['users[0].user.token']],
  ])('%s', (_, user, paths) => {
    expect(pathsOf(kubeconfig({}, user))).toEqual(paths)
  })

  it('several contexts and none current, one that is not there, references to nothing', () => {
    const two = kubeconfig({}, { token }, { 'current-context': '' })
    ;(two['contexts'] as object[]).push({ name: 'y', context: { cluster: 'c', user: 'u' } })
    expect(pathsOf(two)).toEqual(['current-context'])
    expect(pathsOf(kubeconfig({}, { token }, { 'current-context': 'canary' }))).toEqual(['current-context'])
    const contexts = [{ name: 'x', context: { cluster: 'canary', user: 'canary' } }]
    expect(pathsOf(kubeconfig({}, { token }, { contexts }))).toEqual([
      'contexts[0].context.cluster',
      'contexts[0].context.user',
    ])
  })

  it('for what stands in an entry nobody uses', () => {
    const whole = kubeconfig()
    ;(whole['users'] as object[]).push({ name: 'unused', user: { exec: { command: 'canary' }, token: 't' } })
    expect(pathsOf(whole)).toEqual(['users[1].user.exec'])
  })

  it('for entries that are none, of one name, or far too many', () => {
    const user = { name: 'u', user: { token } }
    expect(pathsOf(kubeconfig({}, {}, { users: [user, user] }))).toEqual(['users[1].name'])
    expect(pathsOf(kubeconfig({}, {}, { users: 'canary' }))).toContain('users')
    expect(pathsOf(kubeconfig({}, {}, { users: [user, null, 'canary', { name: 'v' }] }))).toEqual([
      'users[1].name',
      'users[2].name',
      'users[3].user',
    ])
    const many = Array.from({ length: 1000 }, (_, index) => ({ name: `u${index}`, user: {} }))
    expect(faultsOf(kubeconfig({}, {}, { users: many })).length).toBe(20)
  })

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'canary-field'])('an unknown field %s', (name) => {
    const text = JSON.stringify(kubeconfig()).replace('"token":', `${JSON.stringify(name)}:{"canary":1},"token":`)
    expect(faultsOf(text)).toEqual([
      {
        path: 'users[0].user',
        message: 'has an unknown field; allowed are token, client-certificate-data, client-key-data',
      },
    ])
    expect(({} as { canary?: number }).canary).toBeUndefined()
  })

  it('whatever a prototype would lend it', () => {
    const text = '{"__proto__":{"clusters":[],"users":[]},"current-context":"canary"}'
    expect(pathsOf(text)).toEqual(expect.arrayContaining(['', 'clusters', 'users', 'contexts']))
  })

  it.each([
    ['aliases', 'a: &x [canary]\nb: *x\n', 'aliases are not allowed in line 2; write the values out'],
    ['a tag', 'clusters: !!js/function "canary"', 'tags are not allowed in line 1'],
    ['a field twice', 'token: canary\ntoken: canary', 'a field stands twice in line 2'],
    ['two documents', 'a: 1\n---\nb: canary', 'is more than one document'],
    ['no YAML', 'token: canary: [', 'is no YAML in line 1'],
    ['deep nesting', `a: ${'['.repeat(50)}${']'.repeat(50)}`, 'is nested too deeply in line 1'],
    ['nothing', '', 'is no YAML'],
    ['a list', '- canary', 'is no kubeconfig: clusters, users and contexts are missing'],
    ['a text', 'canary', 'is no kubeconfig: clusters, users and contexts are missing'],
  ])('%s', (_, text, message) => {
    const faults = faultsOf(text)
    expect(faults).toEqual([{ path: '', message }])
  })

  it('a bomb, without reading it', () => {
    const started = performance.now()
    const levels = Array.from({ length: 30 }, (_, level) => {
      const before = `*l${level - 1}`
      return `l${level}: &l${level} [${level === 0 ? 'canary' : [before, before, before].join(', ')}]`
    })
    expect(faultsOf(levels.join('\n'))[0]?.message).toContain('aliases')
    expect(faultsOf(`a: ${'x'.repeat(70_000)}`)[0]?.message).toBe('is larger than 65536 bytes')
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
