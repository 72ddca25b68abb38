import { expect, it } from '@jest/globals'
import type { AppRelease } from '../../../operator/api/appRelease.ts'
import { deploymentType } from '../../../operator/api/builtin.ts'
import type { KubeObject } from '../../../operator/api/meta.ts'
import { Fights } from '../../../operator/apply/fights.ts'
import { runningOf, standingOf } from '../../../operator/controllers/appInstance/decide.ts'
import { deploymentsOf, followRollout } from '../../../operator/controllers/rollout.ts'
import { ownerOf } from '../../../operator/render/appInstance.ts'
import { decide, now, readerOf, withRevisions } from '../../render/world.ts'
import { alteredLive, objects } from './instance.ts'

it('a service counts as rolled out from the write on that shows what the API server makes of its Deployment', async () => {
  const { seen, release, plan } = decide(await withRevisions(Object.values(objects)))
  const desired = plan!.stages.flatMap((stage) => stage.objects).find(({ type }) => type === deploymentType)!
  const live = alteredLive(desired)
  const fights = new Fights()
  const deployments = deploymentsOf(readerOf([live]), seen.instance.metadata.name)
  const running = { release: release!, services: runningOf(seen, release!) }
  const rollout = followRollout(ownerOf(seen.instance), running, [], deployments, fights)
  const { isRolledOut } = standingOf(seen, release!, rollout, fights, now)
  expect(isRolledOut('web')).toBe(false)
  fights.wrote(desired, live, now.getTime())
  expect(isRolledOut('web')).toBe(true)
  expect(isRolledOut('another')).toBe(false)
})

it('no pod is of what is rolled out until that is written and the Deployment controller has looked', async () => {
  const { seen, release, plan } = decide(await withRevisions(Object.values(objects)))
  const desired = plan!.stages.flatMap((stage) => stage.objects).find(({ type }) => type === deploymentType)!
  const live = alteredLive(desired)
  const unseen = { ...live, metadata: { ...live.metadata, generation: 2 } }
  const running = { release: release!, services: runningOf(seen, release!) }
  const isAhead = (fights: Fights, deployment: KubeObject): unknown => {
    const deployments = deploymentsOf(readerOf([deployment]), seen.instance.metadata.name)
    return followRollout(ownerOf(seen.instance), running, [], deployments, fights)().map((row) => row.isAhead)
  }
  const fights = new Fights()
  expect(isAhead(fights, live)).toEqual([true])
  fights.wrote(desired, live, now.getTime())
  expect(isAhead(fights, unseen)).toEqual([true])
  expect(isAhead(fights, live)).toEqual([false])
})

it('what was in place once is what the last good release and each since rendered alike', async () => {
  const { seen, release, plan } = decide(await withRevisions(Object.values(objects)))
  const all = plan!.stages.flatMap((stage) => stage.objects)
  const conditions = [{ type: 'Succeeded', status: 'True', reason: 'RolledOut', message: '', lastTransitionTime: '' }]
  const good = { ...release!, status: { observedGeneration: 1, conditions } } as AppRelease
  const services = good.spec.services.map((service) => ({ ...service, image: 'hello:2' }))
  const there: AppRelease = { ...release!, spec: { ...good.spec, number: 2, services } }
  const back: AppRelease = { ...release!, spec: { ...good.spec, number: 3 } }
  const inPlace = (...releases: readonly [AppRelease, ...AppRelease[]]): readonly string[] => {
    const { wasInPlace } = standingOf({ ...seen, releases }, releases[0], () => [], new Fights(), now)
    return all.filter(wasInPlace).map(({ object }) => object.kind)
  }
  const kinds = all.map(({ object }) => object.kind)
  expect(inPlace(good)).toEqual(kinds)
  expect(inPlace(release!)).toEqual([])
  // As it was once, but not since: its Deployment changes, and is no drift.
  expect(inPlace(back, there, good)).toEqual(kinds.filter((kind) => kind !== 'Deployment'))
})
