import { apiVersionOf, podDisruptionBudgetType } from '../api/builtin.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { serviceLabels, serviceSelector } from './labels.ts'
import type { Desired } from './plan.ts'

/** From two replicas up, a drained node takes one at a time; a replica that is not healthy never holds up a drain. */
export function makePodDisruptionBudget(owner: Owner, service: ResolvedService): Desired {
  return {
    type: podDisruptionBudgetType,
    mode: 'apply',
    object: {
      apiVersion: apiVersionOf(podDisruptionBudgetType),
      kind: 'PodDisruptionBudget',
      metadata: { name: service.name, namespace: owner.instance, labels: serviceLabels(owner, service.name) },
      spec: {
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: serviceSelector(owner, service.name) },
      },
    } as Desired['object'],
  }
}
