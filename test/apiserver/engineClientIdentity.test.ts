import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { KubeObject, ResourceType } from '../../operator/api/meta.ts'
import { parseClusterKubeconfig } from '../../operator/clusters/kubeconfig.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient, type PooledKubeClient } from '../../operator/kube/restClient.ts'
import { credentialsOf } from '../../operator/kube/credentials.ts'
import type { KubeError } from '../../operator/kube/errors.ts'
import { makeAuthority } from '../cluster/certificates.ts'
import { configMapType, makeConfigMap, makeNamespace, namespaceType, pause, useCluster } from './engineCluster.ts'

const here = useCluster('test-engine-identity')
const reviewType: ResourceType = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
}
const accountType = { group: '', version: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', namespaced: true }

let namespace: string
let folder: string
const ends: (() => Promise<void> | void)[] = []
const path = (name: string): string => join(folder, name)
const certificateUser = (): object => ({ certFile: path('me.crt'), keyFile: path('me.key') })
const tokenUser = (): object => ({ authProvider: { name: 'tokenFile', config: { tokenFile: path('token') } } })
const pki = (name: string): string => join(dirname(here.cluster.kubeconfig), 'pki', name)

beforeAll(async () => {
  namespace = await makeNamespace(here.client)
}, 60_000)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'identity-'))
  ends.push(() => rmSync(folder, { recursive: true }))
})

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** A client of the API server whose credentials are files, read again when they are older than `maxAge` ms. */
function clientOf(user: object, maxAge: number): PooledKubeClient {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromClusterAndUser(
    { name: 'c', server: here.cluster.server, caFile: pki('ca.crt'), skipTLSVerify: false },
    { name: 'u', ...user },
  )
  const client = makeKubeClient(credentialsOf(kubeConfig, maxAge))
  ends.push(() => client.close())
  return client
}

/** As whom the API server sees a client. */
async function whoAmI(client: PooledKubeClient): Promise<string | undefined> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: { name: '' } }
  const seen = (await client.create(reviewType, review)) as KubeObject & {
    status?: { userInfo?: { username?: string } }
  }
  return seen.status?.userInfo?.username
}

const failure = (call: Promise<unknown>): Promise<KubeError> =>
  call.then(
    () => Promise.reject(new Error('succeeded')),
    (error: KubeError) => error,
  )

/** Puts a pair of the cluster's own into the files of `certificateUser`. */
function become(name: string): void {
  for (const kind of ['crt', 'key']) copyFileSync(pki(`${name}.${kind}`), path(`me.${kind}`))
}

/** A token of a new ServiceAccount. */
async function makeToken(name: string): Promise<string> {
  await here.client.create(accountType, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } })
  const type = { ...accountType, kind: 'TokenRequest', plural: `serviceaccounts/${name}/token` }
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: { namespace, name } }
  const made = (await here.client.create(type, { ...request, spec: {} } as KubeObject)) as KubeObject & {
    status: { token: string }
  }
  return made.status.token
}

describe('a client certificate in files', () => {
  it('that is replaced makes us somebody else, in the same process', async () => {
    become('admin')
    const client = clientOf(certificateUser(), 0)
    const before = await whoAmI(client)
    become('kubelet-client')
    await pause(5)
    const after = await whoAmI(client)
    console.log(`the API server saw ${before}, then ${after}`)
    expect(after).not.toBe(before)
    expect([before, after].every((name) => typeof name === 'string' && name !== '')).toBe(true)
  })

  it('that is refused is read again at once, and the call goes through', async () => {
    const stranger = makeAuthority('stranger').issue({ commonName: 'stranger' })
    writeFileSync(path('me.crt'), stranger.certificate)
    writeFileSync(path('me.key'), stranger.key)
    const client = clientOf(certificateUser(), 60_000)
    expect(await failure(client.list(namespaceType))).toMatchObject({ code: 'Unauthorized', status: 401 })
    become('admin')
    expect((await client.list(namespaceType)).items.length).toBeGreaterThan(0)
  })
})

describe('a token in a file', () => {
  it('that is replaced makes us somebody else; one that is refused is read again at once', async () => {
    const [first, second] = [await makeToken('first'), await makeToken('second')]
    writeFileSync(path('token'), first)
    const quick = clientOf(tokenUser(), 0)
    const slow = clientOf(tokenUser(), 60_000)
    expect(await whoAmI(quick)).toBe(`system:serviceaccount:${namespace}:first`)
    writeFileSync(path('token'), 'nonsense')
    expect(await failure(whoAmI(slow))).toMatchObject({ code: 'Unauthorized', status: 401 })
    writeFileSync(path('token'), second)
    await pause(5)
    expect(await whoAmI(quick)).toBe(`system:serviceaccount:${namespace}:second`)
    expect(await whoAmI(slow)).toBe(`system:serviceaccount:${namespace}:second`)
  })
})

describe('a kubeconfig that was handed to us', () => {
  it('opens its cluster, with its data only', async () => {
    const client = makeKubeClient(parseClusterKubeconfig(readFileSync(here.cluster.kubeconfig, 'utf8')))
    ends.push(() => client.close())
    expect(await whoAmI(client)).toBe(await whoAmI(here.client))
  })

  it('with another authority does not trust the server', async () => {
    const text = readFileSync(here.cluster.kubeconfig, 'utf8')
    const ours = readFileSync(pki('ca.crt')).toString('base64')
    const other = Buffer.from(makeAuthority('other').certificate).toString('base64')
    expect(text).toContain(ours)
    const client = makeKubeClient(parseClusterKubeconfig(text.replace(ours, other)))
    ends.push(() => client.close())
    expect(await failure(client.list(namespaceType))).toMatchObject({ code: 'Unavailable' })
  })
})

it('writes nothing when it may not, over whatever connection', async () => {
  let leads = true
  const client = makeKubeClient(loadKubeConfig(here.cluster.kubeconfig), {
    callConnections: 4,
    beforeWrite: () => {
      if (!leads) throw new Error('the lease is lost')
    },
  })
  ends.push(() => client.close())
  const write = async (index: number): Promise<void> => {
    await client.create(configMapType, makeConfigMap(namespace, `fenced-${index}`, { labels: { fenced: 'y' } }))
    leads = false
  }
  const writes = Array.from({ length: 40 }, (_, index) => write(index))
  const results = await Promise.allSettled(writes)
  const made = results.filter(({ status }) => status === 'fulfilled').length
  const { items } = await here.client.list(configMapType, { labelSelector: 'fenced' })
  // Those that were on their way when it was lost: one a connection.
  expect(made).toBeLessThanOrEqual(5)
  expect(items).toHaveLength(made)
})
