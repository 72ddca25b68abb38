import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { ObservedPod, ObservedProbe } from './observed.ts'
import type { Cause } from './pods.ts'

/**
 * Why a pod does not serve by what the kubelet said of its probes.
 * In: the service, a pod of it, the failing probes in its namespace. Out: undefined when it is ready, when its process
 * ended by itself, or when nothing was said that is more than a slow start.
 */
export function probeCause(
  { healthCheck }: ResolvedService,
  pod: ObservedPod,
  probes: readonly ObservedProbe[],
): Cause | undefined {
  if (!healthCheck || pod.isReady || pod.phase !== 'Running' || !mayBeEndedByProbe(pod, healthCheck)) return undefined
  const own = probes.filter((probe) => probe.pod === pod.metadata.uid)
  const said = own.filter(({ isLasting }) => isLasting || pod.lastExit !== null).toSorted(byRank)[0]
  if (!said) return undefined
  const message = `its health check, ${questionOf(healthCheck)}, ${answered(said.answer, healthCheck)}`
  // Only one whose time to start is over is ended for it.
  const mayPass = pod.lastExit === null && own.every(({ isOfStart, isLasting }) => isOfStart || !isLasting)
  return { reason: 'HealthCheckFailed', message, ...(mayPass && { mayPass }) }
}

/** What is known of a service with a health check that nothing else keeps from being ready; undefined without such a check. */
export function healthCause({ name, healthCheck }: ResolvedService, pods: readonly ObservedPod[]): Cause | undefined {
  const isAsked = pods.some((pod) => pod.service === name && !pod.isReady && pod.phase === 'Running')
  if (!healthCheck || !isAsked) return undefined
  const message = `its health check, ${questionOf(healthCheck)}, does not succeed within ${healthCheck.timeoutSeconds} s`
  return { reason: 'HealthCheckFailed', message }
}

/** How a process ends that is told to (0, or 128 + SIGTERM), and one that is killed as it does not (128 + SIGKILL). */
const endings = new Set([0, 143, 137])

/** Before the liveness probe has failed too often, in seconds; render/probes.ts has the numbers. */
const livenessSeconds = 50
/** Of the times that a kubelet gives, which are whole seconds. */
const slackSeconds = 2

/** The kubelet ends a process whose startup or liveness probe fails, and says so nowhere but in an Event. */
function mayBeEndedByProbe({ lastExit }: ObservedPod, { startupSeconds }: HealthCheck): boolean {
  if (lastExit === null) return true
  if (!endings.has(lastExit.code) || lastExit.isOutOfMemory) return false
  return lastExit.seconds >= Math.min(startupSeconds, livenessSeconds) - slackSeconds
}

/** An answer tells more than that there was none, which it may have begun with. */
const ranks: readonly ObservedProbe['answer']['kind'][] = ['status', 'late', 'other', 'refused']

function byRank(a: ObservedProbe, b: ObservedProbe): number {
  return ranks.indexOf(a.answer.kind) - ranks.indexOf(b.answer.kind) || (a.metadata.name < b.metadata.name ? -1 : 1)
}

type HealthCheck = NonNullable<ResolvedService['healthCheck']>

function answered(answer: ObservedProbe['answer'], { timeoutSeconds, command }: HealthCheck): string {
  switch (answer.kind) {
    case 'status':
      return `is answered with status ${answer.code}`
    case 'late':
      return `is not answered within ${timeoutSeconds} s (healthCheck.timeoutSeconds)`
    case 'refused':
      return 'is refused: nothing listens on that port'
    case 'other':
      return `${command ? 'fails' : 'is not answered as it should be'}${answer.line === '' ? '' : `: ${answer.line}`}`
  }
}

function questionOf({ path, command, port }: HealthCheck): string {
  if (command) return `the command ${command[0]}`
  return path === undefined ? `a connection to port ${port}` : `GET ${path} on port ${port}`
}
