import type { ResolvedService } from '../api/service/resolvedService.ts'

/** What carries a port's protocol, as Kubernetes names it. */
export function transportOf(protocol: ResolvedService['ports'][number]['protocol']): 'TCP' | 'UDP' {
  return protocol === 'UDP' ? 'UDP' : 'TCP'
}
