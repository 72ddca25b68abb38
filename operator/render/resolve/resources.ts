import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'

const defaultRequests = { cpu: '50m', memory: '128Mi' }

/**
 * Every replica asks for something, so that no node is filled with guesses of zero; where only a limit is given,
 * Kubernetes takes it as the request.
 */
export function resourcesOf({ resources = {} }: StackService): ResolvedService['resources'] {
  const missing = Object.entries(defaultRequests).filter(([name]) => !(name in (resources.limits ?? {})))
  const requests = { ...Object.fromEntries(missing), ...resources.requests }
  return { ...resources, ...(Object.keys(requests).length > 0 && { requests }) }
}
