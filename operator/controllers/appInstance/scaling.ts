import type { AppInstance, AppInstanceStatus } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import { isSuspended, textOfScale } from '../../render/scaling.ts'
import type { Suspension } from '../../status/appInstance.ts'
import { hasSucceeded } from '../../status/appRelease.ts'
import { serviceCause } from '../../status/causes.ts'
import { conditionOf } from '../../status/conditions.ts'
import { isAlive } from '../../status/pods.ts'
import type { ServiceRollout } from '../../status/rollout.ts'
import type { Observed } from './observe.ts'

/** What the number of replicas, where it changes without a release, means for what is told. Pure. */

interface Told {
  readonly rollout: readonly ServiceRollout[]
}

/** That a service that scales itself is about to have more than its least number is as declared, unless something is in the way. */
export function withGrowth(seen: Observed, row: ServiceRollout): ServiceRollout {
  return row.isGrowing && !serviceCause(row.service, seen.instance.metadata.name, seen)
    ? { ...row, isComplete: true }
    : row
}

/** How far spec.suspend is: until no pod is left. */
export function suspensionOf({ instance, pods, jobPods }: Observed, { rollout }: Told): Suspension {
  const { name } = instance.metadata
  const isDone = rollout.every(({ isComplete }) => isComplete) && ![...pods, ...jobPods].some(isAlive)
  return { isDone, command: isDone ? resumeCommand(instance) : `kubectl get pods -n ${name}` }
}

/** What ends a suspension. */
export function resumeCommand({ metadata: { name, namespace } }: AppInstance): string {
  return `kubectl patch appinstance ${name} -n ${namespace} --type=merge -p '{"spec":{"suspend":false}}'`
}

/** That spec.replicas counts for nothing, where the main service scales itself; '' where it does not. */
export function ignoredReplicas({ rollout }: Told): string {
  const main = rollout.find(({ service }) => service.main)?.service
  if (!main?.autoscaling) return ''
  return `Service '${main.name}' scales itself, ${textOfScale(main)}: spec.replicas is ignored.`
}

/**
 * Whether what lacks was asked for only since all was ready, and is on its way. Told from the last status, for it is
 * about the telling alone: nothing is done otherwise, and without it the lack is told as one.
 */
export function isScaling(before: AppInstanceStatus | undefined, rollout: readonly ServiceRollout[]): boolean {
  if (conditionOf(before?.conditions, 'Reconciling')?.reason === 'Scaling') return true
  if (conditionOf(before?.conditions, 'Ready')?.status !== 'True') return false
  const told = new Map(before?.services?.map(({ name, desired }) => [name, desired]))
  return rollout.some(({ service, desired }) => desired > (told.get(service.name) ?? desired))
}

/** That all services went to no replica says nothing of the release that is suspended. */
export function mayBeJudged({ instance }: Observed, release: AppRelease): boolean {
  return hasSucceeded(release) || !isSuspended(instance)
}
