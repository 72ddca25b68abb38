import { describe, expect, it } from '@jest/globals'
import type { AppInstance } from '../../../operator/api/appInstance.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { appInstance } from '../../../operator/controllers/appInstance/controller.ts'
import type { Report } from '../../../operator/runtime/controller.ts'
import { ctxOf, decide, readerOf, withRevisions } from '../../render/world.ts'
import { objects } from './instance.ts'

/** A reconcile, or a cleanup, with caches that hold just these objects; what it wrote. */
async function run(
  how: 'reconcile' | 'cleanup',
  world: readonly KubeObject[],
  instance: KubeObject = objects.instance,
): Promise<{ readonly report: Report<unknown> | undefined; readonly written: readonly string[] }> {
  const written: string[] = []
  const ctx = ctxOf(readerOf(world), ({ kind }) => written.push(kind))
  return { report: await appInstance[how]?.(ctx, instance as AppInstance), written }
}

const waits = {
  outcome: { kind: 'progressing', reason: 'Creating', retryAfterSeconds: 1, message: expect.any(String) },
}

describe('an instance whose view is incomplete', () => {
  it.each([
    ['its project', 'team'],
    ['kube-system', 'kube-system'],
  ])('because the namespace of %s was not seen yet is left alone, and nothing is said of it', async (_what, name) => {
    const all = await withRevisions(Object.values(objects))
    const world = all.filter(({ kind, metadata }) => kind !== 'Namespace' || metadata.name !== name)
    for (const how of ['reconcile', 'cleanup'] as const) {
      const { report, written } = await run(how, world)
      expect([how, written, report]).toEqual([how, [], waits])
    }
    expect((await run('reconcile', all)).written).toContain('Namespace')
  })

  it('because it is older than its own release is not rolled back', async () => {
    const all = await withRevisions(Object.values(objects))
    const metadata = { ...objects.instance.metadata, generation: 2 }
    const newer = {
      ...objects.instance,
      metadata,
      spec: { ...objects.instance.spec, image: 'registry.example/hello:2' },
    }
    const seen = await withRevisions(Object.values({ ...objects, instance: newer }))
    const { release } = decide(seen)
    expect(release?.spec.generation).toBe(2)
    const { report, written } = await run('reconcile', [...all, release!])
    expect([written, report]).toEqual([[], waits])
    const instance = seen.find(({ kind }) => kind === 'AppInstance')
    expect((await run('reconcile', [...seen, release!], instance)).written).toContain('Deployment')
  })
})
