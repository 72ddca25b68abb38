import type { AppEnv } from '../api/appEnv.ts'
import type { AppInstance } from '../api/appInstance.ts'
import type { AppRelease } from '../api/appRelease.ts'
import type { ResolvedService, RunningService } from '../api/service/resolvedService.ts'
import type { Scale } from '../api/service/scale.ts'
import type { StackService } from '../api/service/stackService.ts'
import { declaredServices } from './resolve/declared.ts'
import { exceededBy } from './quota.ts'
import { deployRulesOf } from './resolve/deploy.ts'
import { scaleOf } from './resolve/scale.ts'

/** What a Deployment asks for now. */
interface Live {
  readonly replicas: number
  /** Whether the number is ours; else it was set by another. */
  readonly isScaledByUs: boolean
}

interface Input {
  readonly instance: AppInstance
  /** Its AppEnv; undefined when it is gone. */
  readonly env: AppEnv | undefined
  readonly release: AppRelease
  /** Services of the AppStackRevision that the release was made from; undefined when it is gone. */
  readonly stack: readonly StackService[] | undefined
  /** The Deployments there are, by the name of their service. */
  readonly deployments: ReadonlyMap<string, Live>
  /** The bounds of the autoscalers there are, by the name of their service; undefined of those that another changed. */
  readonly bounds: ReadonlyMap<string, Bounds | undefined>
}

type Bounds = NonNullable<Scale['autoscaling']>

/**
 * The services of a release with the numbers that count now: the declared ones where they take effect at once, else
 * those of the release; none while the instance is suspended. What is declared is looked up in the release's own
 * revision, so that a spec that cannot be deployed changes no number but those it names. Where they are more than the
 * environment's quota lets the instance have, what runs goes on.
 */
export function runningServices(input: Input): RunningService[] {
  const { instance, env, release, stack: services = [], deployments, bounds } = input
  const isImmediate = deployRulesOf(instance, env).replicaChanges === 'Immediate'
  const declared = isImmediate ? declaredServices({ instance, services }) : []
  const scaled = release.spec.services.map((service) =>
    scaledAs(
      declared.find(({ name }) => name === service.name),
      service,
    ),
  )
  const isTooMuch = exceededBy(scaled, env?.spec.defaults?.quota).length > 0
  const counting = isTooMuch
    ? release.spec.services.map((service) => asItRuns(service, deployments.get(service.name), bounds))
    : scaled
  return counting.map((service) => {
    const asked = isSuspended(instance) ? 0 : askedOf(service, deployments.get(service.name))
    return { ...service, asked }
  })
}

/** A service with the number or the bounds it was given last, also since its release. */
function asItRuns(service: ResolvedService, live: Live | undefined, bounds: Input['bounds']): ResolvedService {
  const autoscaling = bounds.get(service.name)
  if (autoscaling) return scaledAs({ autoscaling }, service)
  const scalesItself = service.autoscaling !== undefined && bounds.has(service.name)
  if (scalesItself || !live?.isScaledByUs || live.replicas === 0) return service
  return scaledAs({ replicas: live.replicas }, service)
}

/** A service with the scale of another, if there is one. */
export function scaledAs(declared: Scale | undefined, service: ResolvedService): ResolvedService {
  if (!declared) return service
  const { replicas: _replicas, autoscaling: _autoscaling, ...rest } = service
  return { ...rest, ...scaleOf(declared) }
}

/**
 * A service that scales itself begins with its least number, also when it comes back from none. What it has is kept
 * until its autoscaler takes over the number: to leave out one that is ours alone would make it 1.
 */
function askedOf({ autoscaling, replicas = 1 }: Scale, live: Live | undefined): number | undefined {
  if (!autoscaling) return replicas
  if (!live || live.replicas === 0) return autoscaling.min
  return live.isScaledByUs ? Math.max(live.replicas, autoscaling.min) : undefined
}

/** Whether nothing of the instance is to run. */
export function isSuspended({ spec }: AppInstance): boolean {
  return spec.suspend === true
}

/** How services are scaled, as one text that differs when we scale them otherwise. */
export function scaleText(services: readonly RunningService[]): string {
  return services.map((service) => (service.asked === 0 ? '0' : textOfScale(service))).join()
}

/** `3`, or `2 to 6 at 70% CPU`. */
export function textOfScale({ replicas = 1, autoscaling }: Scale): string {
  return autoscaling ? `${autoscaling.min} to ${autoscaling.max} at ${autoscaling.cpu}% CPU` : `${replicas}`
}
