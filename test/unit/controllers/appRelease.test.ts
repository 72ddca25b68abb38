import { expect, it } from '@jest/globals'
import { appInstanceKind } from '../../../operator/api/appInstance.ts'
import { deploymentType } from '../../../operator/api/builtin.ts'
import { refOf } from '../../../operator/api/meta.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { fightsOf } from '../../../operator/apply/fights.ts'
import { appRelease } from '../../../operator/controllers/appRelease/controller.ts'
import { ctxOf, decide, readerOf, withRevisions } from '../../render/world.ts'
import { alteredLive, objects } from './instance.ts'

it('a release of which the API server alters a Deployment is looked at again until that is known, and has succeeded then', async () => {
  const world = await withRevisions(Object.values(objects))
  const { release, plan } = decide(world)
  const desired = plan!.stages.flatMap((stage) => stage.objects).find(({ type }) => type === deploymentType)!
  const live = alteredLive(desired)
  const cache = readerOf([...world, release!, live])
  const ctx = ctxOf(cache, () => undefined)
  const early = await appRelease.reconcile(ctx, release!)
  expect(early.outcome).toMatchObject({ kind: 'progressing', reason: 'RollingOut', retryAfterSeconds: 30 })
  fightsOf(ctx.target.cache).wrote(desired, live, 0)
  const late = await appRelease.reconcile(ctx, release!)
  expect(late.status?.conditions).toMatchObject([{ type: 'Succeeded', status: 'True', reason: 'RolledOut' }])
})

it('a release whose AppInstance comes into view only now is looked at, until it is decided', async () => {
  const world = await withRevisions(Object.values(objects))
  const { release } = decide(world)
  const watch = appRelease.watches.find(({ type }) => type === appInstanceKind)!
  const keysIn = (made: KubeObject): readonly unknown[] => watch.keys(objects.instance, readerOf([...world, made]))
  expect(keysIn(release!)).toEqual([refOf(release!)])
  const conditions = [{ type: 'Succeeded', status: 'True', reason: 'RolledOut' }]
  expect(keysIn({ ...release!, status: { conditions } } as KubeObject)).toEqual([])
})
