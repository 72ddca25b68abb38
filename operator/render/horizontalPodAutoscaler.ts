import { apiVersionOf, deploymentType, horizontalPodAutoscalerType } from '../api/builtin.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { serviceLabels } from './labels.ts'
import type { Desired } from './plan.ts'

/** Scales a Deployment by the CPU its replicas use; at no replica it leaves it alone, so that it may stay while suspended. */
export function makeHorizontalPodAutoscaler(
  owner: Owner,
  service: ResolvedService,
  { min, max, cpu }: NonNullable<ResolvedService['autoscaling']>,
): Desired {
  return {
    type: horizontalPodAutoscalerType,
    mode: 'apply',
    object: {
      apiVersion: apiVersionOf(horizontalPodAutoscalerType),
      kind: horizontalPodAutoscalerType.kind,
      metadata: { name: service.name, namespace: owner.instance, labels: serviceLabels(owner, service.name) },
      spec: {
        scaleTargetRef: { apiVersion: apiVersionOf(deploymentType), kind: deploymentType.kind, name: service.name },
        minReplicas: min,
        maxReplicas: max,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } },
        ],
      },
    } as Desired['object'],
  }
}
