import { expect, it } from '@jest/globals'
import { deploymentType } from '../../../operator/api/builtin.ts'
import { Fights } from '../../../operator/apply/fights.ts'
import { standingOf } from '../../../operator/controllers/appInstance/decide.ts'
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
  const rollout = followRollout(ownerOf(seen.instance), release!, deployments, fights)
  const { isRolledOut } = standingOf(release!, rollout, fights, now)
  expect(isRolledOut('web')).toBe(false)
  fights.wrote(desired, live, now.getTime())
  expect(isRolledOut('web')).toBe(true)
  expect(isRolledOut('another')).toBe(false)
})
