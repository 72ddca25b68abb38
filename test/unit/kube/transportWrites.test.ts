import { describe, expect, it } from '@jest/globals'
import { makeKubeClient } from '../../../operator/kube/restClient.ts'
import type { Credentials } from '../../../operator/kube/credentials.ts'
import { atEnd, failure, makeRig, pod, podType, ref, until } from './transportRig.ts'

const object = { apiVersion: 'v1', kind: 'Pod', metadata: ref }

describe('beforeWrite', () => {
  it('stops every kind of write with its own error, and no read', async () => {
    const lost = new Error('the lease is lost')
    const { client, requests } = await makeRig((_request, response) => response.end(pod), {
      beforeWrite: () => {
        throw lost
      },
    })
    const writes = [
      client.create(podType, object),
      client.apply(podType, object),
      client.patch(podType, ref, []),
      client.patchStatus(podType, ref, 'uid', {}),
      client.delete(podType, ref, 'uid'),
    ]
    for (const write of writes) expect(await failure(write)).toBe(lost)
    await client.get(podType, ref)
    expect(requests.map(({ method }) => method)).toEqual(['GET'])
  })

  it('is asked when a connection is free, not when the call is made', async () => {
    let leads = true
    const answers: (() => void)[] = []
    const { client, requests } = await makeRig((_request, response) => answers.push(() => response.end(pod)), {
      callConnections: 2,
      beforeWrite: () => {
        if (!leads) throw new Error('lost')
      },
    })
    const writes = Array.from({ length: 6 }, () => client.apply(podType, object))
    const ended = Promise.allSettled(writes)
    await until(() => answers.length === 2)
    leads = false
    for (const answer of answers) answer()
    expect((await ended).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'rejected',
    ])
    expect(requests).toHaveLength(2)
  })

  it('is asked once the connection is there, however long that took', async () => {
    let leads = true
    const { requests, credentials } = await makeRig((_request, response) => response.end(pod))
    const slow: Credentials = {
      ...credentials,
      async tls() {
        leads = false
        return credentials.tls()
      },
    }
    const beforeWrite = (): void => {
      if (!leads) throw new Error('lost')
    }
    const client = makeKubeClient(slow, { beforeWrite })
    atEnd(() => client.close())
    expect((await failure(client.apply(podType, object))).message).toBe('lost')
    expect(requests).toHaveLength(0)
  })

  it('lets the next call have the connection of a refused one', async () => {
    let leads = false
    const { client } = await makeRig((_request, response) => response.end(pod), {
      callConnections: 1,
      beforeWrite: () => {
        if (!leads) throw new Error('lost')
      },
    })
    for (let tries = 0; tries < 10; tries += 1) await failure(client.apply(podType, object))
    leads = true
    await client.apply(podType, object)
    expect(client.stats()).toMatchObject({ requests: 11, callConnections: 1 })
  })
})
