import { apiVersionOf, serviceType } from '../api/builtin.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { serviceLabels, serviceSelector } from './labels.ts'
import type { Desired } from './plan.ts'
import { transportOf } from './port.ts'

/** The Service of one service with ports: its stable address inside the cluster. */
export function makeService(owner: Owner, service: ResolvedService): Desired {
  return {
    type: serviceType,
    mode: 'apply',
    object: {
      apiVersion: apiVersionOf(serviceType),
      kind: 'Service',
      metadata: { name: service.name, namespace: owner.instance, labels: serviceLabels(owner, service.name) },
      spec: {
        type: 'ClusterIP',
        selector: serviceSelector(owner, service.name),
        ports: service.ports.map(({ name, port, protocol }) => ({
          name,
          port,
          targetPort: name,
          protocol: transportOf(protocol),
          ...(protocol === 'HTTP' && { appProtocol: 'http' }),
        })),
      },
    } as Desired['object'],
  }
}
