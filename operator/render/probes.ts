import type { ResolvedService } from '../api/service/resolvedService.ts'

/**
 * One health check becomes three probes: startup gives the replica its time, readiness takes it out of the Service
 * within seconds, and a slower liveness re-creates a dead one.
 */
export function probes(service: ResolvedService): object {
  const check = service.healthCheck
  if (!check) return {}
  const httpGet = { path: check.path, port: check.port }
  const probe = { httpGet, timeoutSeconds: check.timeoutSeconds }
  return {
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: check.startupSeconds },
    readinessProbe: { ...probe, periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 6 },
  }
}
