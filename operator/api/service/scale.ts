import type { ResolvedService } from './resolvedService.ts'

/** How many replicas of a service run: a number, or what it scales itself between. */
export type Scale = Pick<ResolvedService, 'replicas' | 'autoscaling'>

/** The replicas that run at least. */
export function leastReplicas({ replicas = 1, autoscaling }: Scale): number {
  return autoscaling?.min ?? replicas
}

/** The most replicas that may run. */
export function mostReplicas({ replicas = 1, autoscaling }: Scale): number {
  return autoscaling?.max ?? replicas
}
