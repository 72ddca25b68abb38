import type { AppRelease } from '../../api/appRelease.ts'
import type { Applied, Refused } from '../../apply/execute.ts'
import { identityOf } from '../../apply/fights.ts'
import type { Blame } from '../../status/conditions.ts'
import { conditionOf } from '../../status/conditions.ts'
import { sightsBefore } from '../actions.ts'
import type { Objection } from './gates.ts'
import type { Observed } from './observe.ts'

/** Which object in the instance's namespace is to blame for what is told, so that it is told beside it, too. Pure. */

/** What came of acting on the spec. */
interface Hindrance {
  readonly objection: Objection | undefined
  readonly refused?: Refused
  readonly applied: Applied | undefined
}

/** The object that the API server refuses to change, or that somebody changes again and again; undefined where it is not there. */
export function hinderedIn(
  { owned }: Pick<Observed, 'owned'>,
  { objection, refused, applied }: Hindrance,
): Blame | undefined {
  const isRefused = objection?.reason === 'Forbidden' || objection?.reason === 'RefusedByServer'
  const desired = objection ? isRefused && refused?.desired : applied?.contested[0]?.desired
  // Events of the namespace itself would be in another one, which is not ours to write to.
  if (!desired || !desired.type.namespaced) return undefined
  return { child: owned.find((each) => identityOf(each) === identityOf(desired))?.object }
}

/** The Job for which a release failed, or the Deployment of the service that did not become ready. */
export function failedBlame(seen: Observed, release: AppRelease): Blame {
  const action = sightsBefore(release, seen).find(({ record }) => record?.state === 'Failed')
  if (action) return { child: action.observed }
  const { message = '' } = conditionOf(release.status?.conditions, 'Succeeded') ?? {}
  const late = release.spec.services.find(({ name }) => message.startsWith(`Service '${name}' `))
  return { child: late && seen.deployments.get(late.name) }
}
