import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'

/** How the replicas of a service are replaced; what is usual is not recorded. */
export function rolloutOf({ rollout }: StackService): ResolvedService['rollout'] {
  const { maxSurge = 1, maxUnavailable = 0, ...seconds } = rollout ?? usual
  return { ...(maxSurge !== 1 && { maxSurge }), ...(maxUnavailable !== 0 && { maxUnavailable }), ...seconds }
}

const usual: ResolvedService['rollout'] = {
  progressDeadlineSeconds: 300,
  drainSeconds: 10,
  terminationGracePeriodSeconds: 30,
}
