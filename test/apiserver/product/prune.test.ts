import { describe, expect, it } from '@jest/globals'
import { rollOut } from '../../support/kubelet.ts'
import { childWrites, createRunning, getInstance, makeApp, makeInstance, useWorld, web } from './world.ts'

const world = useWorld()

const secretServices = [
  { ...web, generatedSecrets: [{ name: 'SESSION_SECRET' }] },
  { name: 'api', image: 'api:1', ports: [{ port: 9090 }], generatedSecrets: [{ name: 'TOKEN', length: 16 }] },
]

describe('a service removed from the stack', () => {
  it('takes its objects with it, and nothing of anybody else; generated secrets stay as they were made', async () => {
    const { hands, operator, namespace, instance, app } = world
    await createRunning(world, { stack: secretServices })
    const foreign = [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: instance, name: 'by-hand' }, data: { a: 'b' } },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          namespace: instance,
          name: 'labelled-by-hand',
          labels: { 'appstead.dev/instance': instance, 'appstead.dev/service': 'api' },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: instance, name: 'mine' },
        spec: { ports: [{ port: 1 }] },
      },
    ]
    const made = await Promise.all(foreign.map((object) => hands.apply(object)))
    const secrets = await hands.list('Secret', instance)
    expect(secrets).toHaveLength(2)
    expect(secrets.map(({ data }) => Buffer.from(data.value as string, 'base64').toString())).toEqual([
      expect.stringMatching(/^[A-Za-z0-9]{16}$/),
      expect.stringMatching(/^[A-Za-z0-9]{64}$/),
    ])
    await operator.settle()
    operator.writes.splice(0)

    await hands.apply(makeApp(world, [{ ...web, generatedSecrets: [{ name: 'SESSION_SECRET' }] }]))
    await operator.settle()
    expect(childWrites(world)).toEqual([])
    const { latestRevision } = (await hands.get('App', { namespace, name: app }))['status']
    await hands.apply(makeInstance(world, { stack: { revision: latestRevision } }))
    await operator.settle()
    await operator.until('the service is gone', async () => (await hands.list('Deployment', instance)).length === 1)
    await operator.settle()
    expect(childWrites(world).toSorted()).toEqual([
      'delete Deployment api',
      'delete NetworkPolicy api-http',
      'delete Service api',
    ])
    for (const object of made) {
      const now = await hands.get(object.kind, { namespace: instance, name: object.metadata.name })
      expect(now.metadata.resourceVersion).toBe(object.metadata.resourceVersion)
    }
    expect((await hands.list('Secret', instance)).map(({ data, metadata }) => [metadata.uid, data])).toEqual(
      secrets.map(({ data, metadata }) => [metadata.uid, data]),
    )
    await rollOut(hands, operator, instance)
    expect((await getInstance(world))['status']).toMatchObject({ phase: 'Running', counts: { summary: '1/1' } })
  }, 30_000)
})
