import type { ResolvedService, RunningService } from '../api/service/resolvedService.ts'
import type { ObservedDeployment } from './observed.ts'

/** How far one service of a release is. */
export interface ServiceRollout {
  readonly service: ResolvedService
  /** Replicas there ought to be; 0 while it is suspended. */
  readonly desired: number
  /** Replicas, of any template, that serve. */
  readonly ready: number
  /** Every replica is of the newest template and ready, and no older one is left. */
  readonly isComplete: boolean
  /** It scales itself, has its least number, and more were asked for that are not ready. */
  readonly isGrowing?: boolean
  /** What is rolled out is not written, or the Deployment controller has not looked: whatever pods there are, none is of it. */
  readonly isAhead?: boolean
  /** The Deployment controller gave up waiting for progress. */
  readonly isDeadlineExceeded: boolean
}

/** What is known of a release whose services are looked at. */
export interface Term {
  /**
   * Whether it was complete, and nothing else was rolled out since: then the newest counts there are will do, even if
   * the Deployment controller has not looked since the object last changed, for an annotation breaks nothing.
   */
  readonly wasComplete: boolean
  /** RFC 3339: a deadline missed before that was missed by another release. */
  readonly onDutySince: string
}

/**
 * How far each service of a release is.
 * In: the services as they are to run now; their Deployments by name; whether a Deployment is what the release renders;
 * what is known of the release. Out: one row a service.
 */
export function rolloutOf(
  services: readonly RunningService[],
  deployments: ReadonlyMap<string, ObservedDeployment>,
  isCurrent: (deployment: ObservedDeployment) => boolean,
  { wasComplete, onDutySince }: Term,
): ServiceRollout[] {
  return services.map((service) => {
    const deployment = deployments.get(service.name)
    const desired = desiredOf(service, deployment)
    // That none is left must have been seen.
    const mayBeOld = wasComplete && desired > 0
    const isSeen = deployment !== undefined && isCurrent(deployment) && (mayBeOld || isObserved(deployment))
    return {
      service,
      desired,
      ready: deployment?.availableReplicas ?? 0,
      isComplete: isSeen && hasOnlyReadyNew(deployment, desired),
      isGrowing: isSeen && wasComplete && hasEnoughNew(deployment, service.autoscaling?.min),
      isAhead: !isSeen,
      isDeadlineExceeded: isSeen && (deployment.deadlineExceededAt ?? '') > onDutySince,
    }
  })
}

/** What is to be asked for; where somebody else scales it, what the Deployment asks for. */
function desiredOf({ asked, autoscaling }: RunningService, deployment: ObservedDeployment | undefined): number {
  return asked ?? deployment?.replicas ?? autoscaling?.min ?? 1
}

function isObserved(deployment: ObservedDeployment): boolean {
  return deployment.observedGeneration >= (deployment.metadata.generation ?? 0)
}

/** As many as were asked for; or more, where a policy of the cluster made the Deployment larger and that was accepted. */
function hasOnlyReadyNew(deployment: ObservedDeployment, asked: number): boolean {
  const { updatedReplicas, currentReplicas, availableReplicas } = deployment
  const replicas = Math.max(asked, deployment.replicas)
  return updatedReplicas === replicas && currentReplicas === replicas && availableReplicas === replicas
}

function hasEnoughNew(deployment: ObservedDeployment, least: number | undefined): boolean {
  const { updatedReplicas, currentReplicas, availableReplicas } = deployment
  return least !== undefined && updatedReplicas === currentReplicas && availableReplicas >= least
}
