import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { ObservedDeployment } from './observed.ts'

/** How far one service of a release is. */
export interface ServiceRollout {
  readonly service: ResolvedService
  /** Replicas, of any template, that serve. */
  readonly ready: number
  /** Every replica is of the newest template and ready, and no older one is left. */
  readonly isComplete: boolean
  /** The Deployment controller gave up waiting for progress. */
  readonly isDeadlineExceeded: boolean
}

/**
 * How far each service of a release is.
 * In: the resolved services; their Deployments by name; whether a Deployment is what the release renders; whether the
 * release was complete once: then the newest counts there are will do, even if the Deployment controller has not looked
 * since the object last changed, for an annotation on a Deployment breaks nothing.
 * Out: one row a service.
 */
export function rolloutOf(
  services: readonly ResolvedService[],
  deployments: ReadonlyMap<string, ObservedDeployment>,
  isCurrent: (deployment: ObservedDeployment) => boolean,
  wasComplete: boolean,
): ServiceRollout[] {
  return services.map((service) => {
    const deployment = deployments.get(service.name)
    const isSeen = deployment !== undefined && isCurrent(deployment) && (wasComplete || isObserved(deployment))
    return {
      service,
      ready: deployment?.availableReplicas ?? 0,
      isComplete: isSeen && hasOnlyReadyNew(deployment, service.replicas),
      isDeadlineExceeded: isSeen && deployment.isDeadlineExceeded,
    }
  })
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
