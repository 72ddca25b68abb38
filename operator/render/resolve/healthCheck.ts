import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'

/** How the replicas of a service are asked: by a command, or on the named port, else the first HTTP, else the first TCP one. */
export function healthCheckOf({ healthCheck, ports = [] }: StackService): Pick<ResolvedService, 'healthCheck'> {
  if (!healthCheck) return {}
  const { path, command, port, timeoutSeconds, startupSeconds } = healthCheck
  const times = { timeoutSeconds, startupSeconds }
  if (command) return { healthCheck: { command, ...times } }
  const asked = ports.find(({ protocol }) => protocol === 'HTTP') ?? ports.find(({ protocol }) => protocol === 'TCP')
  return { healthCheck: { ...(path !== undefined && { path }), port: port ?? asked?.name ?? 'http', ...times } }
}
