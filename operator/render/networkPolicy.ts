import { apiVersionOf, networkPolicyType } from '../api/builtin.ts'
import { labels } from '../api/meta.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { ownerLabels, serviceLabels, serviceSelector } from './labels.ts'
import type { Desired } from './plan.ts'

/** Nobody reaches an instance's pods but its own namespace; makeHttpNetworkPolicy opens what is meant for others. */
export function makeBaseNetworkPolicy(owner: Owner): Desired {
  return networkPolicy(owner, 'same-namespace', ownerLabels(owner), {
    podSelector: {},
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: {} }] }],
  })
}

/** The HTTP ports of a service are open to namespaces that are no instance of ours: gateways, monitoring, people. */
export function makeHttpNetworkPolicy(owner: Owner, service: ResolvedService): Desired {
  const ports = service.ports.filter(({ protocol }) => protocol === 'HTTP')
  return networkPolicy(owner, `${service.name}-http`, serviceLabels(owner, service.name), {
    podSelector: { matchLabels: serviceSelector(owner, service.name) },
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [{ namespaceSelector: { matchExpressions: [{ key: labels.instance, operator: 'DoesNotExist' }] } }],
        ports: ports.map(({ name }) => ({ port: name, protocol: 'TCP' })),
      },
    ],
  })
}

function networkPolicy(owner: Owner, name: string, objectLabels: Record<string, string>, spec: object): Desired {
  return {
    type: networkPolicyType,
    mode: 'apply',
    object: {
      apiVersion: apiVersionOf(networkPolicyType),
      kind: 'NetworkPolicy',
      metadata: { name, namespace: owner.instance, labels: objectLabels },
      spec,
    } as Desired['object'],
  }
}
