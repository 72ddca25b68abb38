import { apiVersionOf, deploymentType } from '../api/builtin.ts'
import { annotations } from '../api/meta.ts'
import type { ResolvedService, RunningService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { serviceLabels, serviceSelector } from './labels.ts'
import type { Desired } from './plan.ts'
import { nodeLabels, podSpec } from './pod.ts'

/** How long a replica that nobody can ask must have run before it counts: one that ends at once never does. */
const unprovenSeconds = 5

/**
 * The Deployment of one service. New replicas first, old ones drained, never fewer than asked for unless the stack
 * says so: maxUnavailable 0, and a native preStop sleep so that a leaving replica still answers while the
 * endpoints spread (design/api.md, Rolling update). Pods pass Pod Security `restricted`.
 */
export function makeDeployment(owner: Owner, service: RunningService): Desired {
  const selector = serviceSelector(owner, service.name)
  const { progressDeadlineSeconds } = service.rollout
  return {
    type: deploymentType,
    mode: 'apply',
    object: {
      apiVersion: apiVersionOf(deploymentType),
      kind: 'Deployment',
      metadata: { name: service.name, namespace: owner.instance, labels: serviceLabels(owner, service.name) },
      spec: {
        ...(service.asked !== undefined && { replicas: service.asked }),
        selector: { matchLabels: selector },
        strategy: strategy(service),
        progressDeadlineSeconds,
        revisionHistoryLimit: 2,
        ...(service.healthCheck ? {} : { minReadySeconds: unprovenSeconds }),
        template: {
          metadata: {
            labels: { ...serviceLabels(owner, service.name), ...nodeLabels(service) },
            // Nothing else changes when all is to be started anew.
            ...(service.restart && { annotations: { [annotations.restartedBy]: String(service.restart) } }),
          },
          spec: podSpec(service, selector),
        },
      },
    } as Desired['object'],
  }
}

/** A volume that one pod alone can mount leaves no choice: the old replica goes before the new one comes. */
function strategy({ volumes = [], rollout: { maxSurge = 1, maxUnavailable = 0 } }: ResolvedService): object {
  if (volumes.some(({ accessMode }) => accessMode === 'ReadWriteOncePod')) return { type: 'Recreate' }
  return { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }
}
