import type { ResolvedService } from '../api/service/resolvedService.ts'
import { leastReplicas } from '../api/service/scale.ts'
import type { Verdict } from './conditions.ts'

interface Risk extends Pick<Verdict, 'reason'> {
  /** Name of the service. */
  readonly service: string
  readonly why: string
}

/** The worst first. */
const risks: readonly ((service: ResolvedService) => Risk | undefined)[] = [
  stopsBeforeItStarts,
  runsOnOneNode,
  hasNoHealthCheck,
  hasOneReplica,
]

/**
 * Whether updates and drained nodes interrupt nobody, told from what is declared, before it is rolled out.
 * In: the services of the next release. Out: the verdict with the worst reason, and what is in the way of each service
 * that answers on ports; undefined when none does. Pure.
 */
export function zeroDowntimeVerdict(services: readonly ResolvedService[]): Verdict | undefined {
  const answering = services.filter(({ ports }) => ports.length > 0)
  if (answering.length === 0) return undefined
  const found = risks.flatMap((risk) => answering.flatMap((service) => risk(service) ?? []))
  const [worst] = found
  if (worst) return { status: 'False', reason: worst.reason, message: sentences(found) }
  const message = 'New replicas serve before old ones leave, and a drained node takes one replica at a time.'
  return { status: 'True', reason: 'NoInterruption', message }
}

/** One sentence a service. */
function sentences(found: readonly Risk[]): string {
  const services = Map.groupBy(found, ({ service }) => service)
  const told = [...services].map(
    ([name, own]) => `Service '${name}': ${own.map(({ why }) => why).join('; besides, ')}.`,
  )
  return told.join(' ')
}

function stopsBeforeItStarts({ name, volumes = [] }: ResolvedService): Risk | undefined {
  const volume = volumes.find(({ accessMode }) => accessMode === 'ReadWriteOncePod')
  return (
    volume && {
      reason: 'ReplicaStopsFirst',
      service: name,
      why: `the old replica is stopped before the new one starts, since volume '${volume.name}' is ReadWriteOncePod; a new volume with accessMode ReadWriteMany has no such limit`,
    }
  )
}

function runsOnOneNode({ name, volumes = [] }: ResolvedService): Risk | undefined {
  const volume = volumes.find(({ accessMode }) => accessMode === 'ReadWriteOnce')
  return (
    volume && {
      reason: 'ReplicasShareNode',
      service: name,
      why: `all its replicas run on one node, and leave it together when it is drained, since volume '${volume.name}' is ReadWriteOnce; a new volume with accessMode ReadWriteMany has no such limit`,
    }
  )
}

function hasNoHealthCheck({ name, healthCheck }: ResolvedService): Risk | undefined {
  if (healthCheck) return undefined
  return {
    reason: 'NoHealthCheck',
    service: name,
    why: `new replicas get requests before they can answer, since services[${name}].healthCheck is not set (such as {path: /healthz})`,
  }
}

function hasOneReplica({ name, main, ...scale }: ResolvedService): Risk | undefined {
  if (leastReplicas(scale) > 1) return undefined
  const field = main ? 'spec.replicas of the AppInstance' : `services[${name}].replicas`
  return {
    reason: 'SingleReplica',
    service: name,
    why: `nobody is served while the node of its only replica is drained; set ${field} to 2 or more`,
  }
}
