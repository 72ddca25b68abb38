import type { ResolvedService } from '../api/service/resolvedService.ts'
import { literal } from './environment.ts'

/**
 * One health check becomes three probes: startup gives the replica its time, readiness takes it out of the Service
 * within seconds, and a slower liveness re-creates a dead one.
 */
export function probes({ healthCheck: check }: ResolvedService): object {
  if (!check) return {}
  const probe = { ...handler(check), timeoutSeconds: check.timeoutSeconds }
  return {
    startupProbe: { ...probe, periodSeconds: 1, failureThreshold: check.startupSeconds },
    readinessProbe: { ...probe, periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...probe, periodSeconds: 10, failureThreshold: 6 },
  }
}

/** References to variables are looked for in a command that is run as in that of the container. */
function handler({ path, command, port }: NonNullable<ResolvedService['healthCheck']>): object {
  if (command !== undefined) return { exec: { command: command.map(literal) } }
  return path === undefined ? { tcpSocket: { port } } : { httpGet: { path, port } }
}
