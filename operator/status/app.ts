import type { AppStatus } from '../api/app.ts'
import type { AppInstance, AppInstancePhase } from '../api/appInstance.ts'
import { phase as phases } from '../api/appInstanceStatus.ts'
import { conditionOf } from './conditions.ts'

type Instances = NonNullable<AppStatus['instances']>
type Needy = NonNullable<Instances['attention']>[number]

/** Phases that do not end well by themselves, the worst first. */
const worst: readonly AppInstancePhase[] = ['Errored', 'Down', 'Invalid', 'Degraded', 'Pending']

/** How many are named. */
const mostNamed = 20

/**
 * What an App says of its instances: how many there are, are ready and are in each phase, and which need somebody.
 * In: the instances, in any order. Out: for its status; the same for the same instances. Pure.
 */
export function instancesStatus(instances: readonly AppInstance[]): Instances {
  const total = instances.length
  const ready = instances.filter(({ status }) => conditionOf(status?.conditions, 'Ready')?.status === 'True').length
  const byPhase = Map.groupBy(instances, ({ status }) => status?.phase)
  const counted = phases.options.flatMap((phase) => {
    const count = byPhase.get(phase)?.length ?? 0
    return count === 0 ? [] : [{ phase, count }]
  })
  const attention = worst.flatMap((phase) =>
    (byPhase.get(phase) ?? []).map((each) => needy(each, phase)).toSorted(byName),
  )
  return {
    total,
    ready,
    summary: `${ready}/${total}`,
    ...(counted.length > 0 && { phases: counted }),
    ...(attention.length > 0 && { attention: attention.slice(0, mostNamed) }),
  }
}

function needy({ metadata, spec, status }: AppInstance, phase: AppInstancePhase): Needy {
  return { name: metadata.name, env: spec.env, phase, reason: conditionOf(status?.conditions, 'Ready')?.reason ?? '' }
}

function byName(one: Needy, other: Needy): number {
  return one.name < other.name ? -1 : 1
}
