import { beforeAll, describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../operator/api/meta.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient } from '../../operator/kube/restClient.ts'
import type { KubeError } from '../../operator/kube/errors.ts'
import { boxKind, installBox, makeBox } from './engineBox.ts'
import { configMapType, makeConfigMap, makeNamespace, useCluster } from './engineCluster.ts'

const here = useCluster('test-engine-client')
let namespace: string

beforeAll(async () => {
  namespace = await makeNamespace(here.client)
  await installBox(here.client)
}, 60_000)

const failure = (call: Promise<unknown>): Promise<KubeError> =>
  call.then(
    () => Promise.reject(new Error('succeeded')),
    (error: KubeError) => error,
  )

describe('writes', () => {
  it('creates once, and says that a taken name is taken', async () => {
    const made = await here.client.create(configMapType, makeConfigMap(namespace, 'once'))
    expect(made.metadata.uid).toBeTruthy()
    const error = await failure(here.client.create(configMapType, makeConfigMap(namespace, 'once')))
    expect(error).toMatchObject({ name: 'KubeError', code: 'AlreadyExists', status: 409, isTransient: false })
    expect(error.message).toContain(`create configmaps ${namespace}/once: configmaps "once" already exists`)
  })

  it('applies under our field manager, removes what we no longer say, leaves what others said', async () => {
    const ours = { ...makeConfigMap(namespace, 'applied'), data: { a: '1', b: '2' } }
    await here.client.apply(configMapType, ours)
    await here.client.patch(configMapType, { namespace, name: 'applied' }, [
      { op: 'add', path: '/data/foreign', value: 'x' },
    ])
    const applied = (await here.client.apply(configMapType, {
      ...ours,
      data: { a: '1' },
    } as KubeObject)) as KubeObject & { data: object }
    expect(applied.data).toEqual({ a: '1', foreign: 'x' })
    const entries = (applied.metadata as { managedFields?: { manager: string; operation: string }[] }).managedFields
    expect(entries?.map(({ manager, operation }) => `${manager} ${operation}`).toSorted()).toEqual([
      'appstead Apply',
      'appstead Update',
    ])
  })

  it('replaces the status of this object only, not of one that took its name', async () => {
    const box = await here.client.create(boxKind, makeBox(namespace, 'box'))
    const ref = { namespace, name: 'box' }
    await here.client.patchStatus(boxKind, ref, box.metadata.uid ?? '', { old: true })
    const after = await here.client.patchStatus(boxKind, ref, box.metadata.uid ?? '', { fresh: true })
    expect(after).toMatchObject({ status: { fresh: true } })
    expect(after).not.toHaveProperty('status.old')
    const error = await failure(here.client.patchStatus(boxKind, ref, 'another-uid', {}))
    expect(error).toMatchObject({ code: 'Conflict', status: 422, isTransient: true })
  })

  it('applies with a uid only to the object with that uid', async () => {
    const made = await here.client.create(configMapType, makeConfigMap(namespace, 'claimed'))
    const stranger = makeConfigMap(namespace, 'claimed', { uid: 'another-uid', labels: { ours: 'yes' } })
    expect(await failure(here.client.apply(configMapType, stranger))).toMatchObject({ code: 'Conflict' })
    const missing = makeConfigMap(namespace, 'missing', { uid: 'another-uid' })
    expect(await failure(here.client.apply(configMapType, missing))).toMatchObject({ code: 'Conflict' })
    const own = makeConfigMap(namespace, 'claimed', { uid: made.metadata.uid ?? '', labels: { ours: 'yes' } })
    expect((await here.client.apply(configMapType, own)).metadata.labels).toEqual({ ours: 'yes' })
  })

  it('deletes only the object with the uid', async () => {
    const made = await here.client.create(configMapType, makeConfigMap(namespace, 'doomed'))
    const ref = { namespace, name: 'doomed' }
    expect(await failure(here.client.delete(configMapType, ref, 'another-uid'))).toMatchObject({
      code: 'Conflict',
      status: 409,
    })
    await here.client.delete(configMapType, ref, made.metadata.uid ?? '')
    expect(await failure(here.client.delete(configMapType, ref, made.metadata.uid ?? ''))).toMatchObject({
      code: 'NotFound',
      status: 404,
    })
  })
})

describe('errors', () => {
  it('names the field the server refuses', async () => {
    const error = await failure(
      here.client.create(configMapType, makeConfigMap(namespace, 'bad', { labels: { a: '!' } })),
    )
    expect(error).toMatchObject({ code: 'Invalid', status: 422, field: 'metadata.labels' })
  })

  it('says that the data of an immutable object cannot be changed; its labels can', async () => {
    const made = { ...makeConfigMap(namespace, 'fixed'), data: { a: '1' }, immutable: true }
    await here.client.apply(configMapType, made)
    const metadata = { ...made.metadata, labels: { tier: 'web' } }
    expect((await here.client.apply(configMapType, { ...made, metadata })).metadata.labels).toEqual({ tier: 'web' })
    const error = await failure(here.client.apply(configMapType, { ...made, data: { a: '2' } } as KubeObject))
    expect(error).toMatchObject({ code: 'Invalid', status: 422, field: 'data' })
    expect(error.message).toContain('data: Forbidden: field is immutable when `immutable` is set')
  })

  it('tells a namespace that is missing, a type that is not served, a version that is gone', async () => {
    expect(await failure(here.client.create(configMapType, makeConfigMap('no-such', 'x')))).toMatchObject({
      code: 'NotFound',
    })
    expect(await failure(here.client.list({ ...boxKind, plural: 'nothings' }))).toMatchObject({ code: 'NotFound' })
  })

  it('tells an abort from a deadline', async () => {
    const signal = AbortSignal.abort()
    expect(await failure(here.client.list(configMapType, { signal }))).toMatchObject({ code: 'Aborted' })
    const hasty = makeKubeClient(loadKubeConfig(here.cluster.kubeconfig), { callTimeoutSeconds: 0.001 })
    expect(await failure(hasty.list(configMapType))).toMatchObject({ code: 'Timeout' })
    await hasty.close()
  })

  it('gives up on an answer that is too large, and goes on', async () => {
    const small = makeKubeClient(loadKubeConfig(here.cluster.kubeconfig), { maxBodyBytes: 2000 })
    await here.client.create(configMapType, {
      ...makeConfigMap(namespace, 'large'),
      data: { a: 'x'.repeat(100_000) },
    } as KubeObject)
    expect(await failure(small.get(configMapType, { namespace, name: 'large' }))).toMatchObject({ code: 'TooLarge' })
    expect(await small.get(configMapType, { namespace, name: 'once' })).toMatchObject({ metadata: { name: 'once' } })
    await small.close()
  })
})

describe('reads', () => {
  it('lists in pages, with the kind that lists leave out', async () => {
    const made = Array.from({ length: 7 }, (_, index) =>
      makeConfigMap(namespace, `page-${index}`, { labels: { page: 'y' } }),
    )
    await Promise.all(made.map((object) => here.client.create(configMapType, object)))
    const names: string[] = []
    let continueToken = ''
    do {
      const page = await here.client.list(configMapType, { labelSelector: 'page', limit: 3, continueToken })
      expect(page.items.length).toBeLessThanOrEqual(3)
      for (const item of page.items) names.push(`${item.apiVersion} ${item.kind} ${item.metadata.name}`)
      continueToken = page.continueToken
    } while (continueToken !== '')
    expect(names.toSorted()).toEqual(made.map(({ metadata }) => `v1 ConfigMap ${metadata.name}`))
  })

  it('lists only metadata when asked, under the kind it is of', async () => {
    await here.client.apply(configMapType, {
      ...makeConfigMap(namespace, 'meta', { labels: { meta: 'y' } }),
      data: { secret: 'x' },
    } as KubeObject)
    const { items } = await here.client.list(configMapType, { labelSelector: 'meta', metadataOnly: true })
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'meta' } })
    expect(items[0]).not.toHaveProperty('data')
  })
})

describe('connections', () => {
  it('sends 2,000 requests over the few connections of its pool', async () => {
    const client = makeKubeClient(loadKubeConfig(here.cluster.kubeconfig), { callConnections: 4 })
    const started = performance.now()
    let sent = 0
    const worker = async (): Promise<void> => {
      while (sent < 2000) {
        sent += 1
        await client.get(configMapType, { namespace, name: 'once' })
      }
    }
    await Promise.all(Array.from({ length: 16 }, worker))
    const { requests, callConnections } = client.stats()
    console.log(
      `${requests} requests over ${callConnections} connections, ${((performance.now() - started) / requests).toFixed(2)} ms each`,
    )
    expect(requests).toBeGreaterThanOrEqual(2000)
    expect(callConnections).toBeLessThanOrEqual(4)
    await client.close()
  }, 60_000)
})
