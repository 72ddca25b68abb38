import { mostReplicas } from '../../api/service/scale.ts'
import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { Objection } from './objection.ts'

type Volume = NonNullable<ResolvedService['volumes']>[number]

interface Mount {
  readonly service: ResolvedService
  readonly volume: Volume
}

/** What is wrong with the volumes of services taken together; empty when nothing is. Pure. */
export function volumeObjectionsTo(services: readonly ResolvedService[]): Objection[] {
  const mounts = services.flatMap((service) => (service.volumes ?? []).map((volume) => ({ service, volume })))
  const byClaim = [...Map.groupBy(mounts, ({ volume }) => volume.claim).values()]
  return [...byClaim.flatMap(twoOfOneName), ...byClaim.flatMap(tooManyPods)]
}

/** The path of a volume in the services of a stack. */
export function volumeField(service: string, volume: string): string {
  return `services[${service}].volumes[${volume}]`
}

/** `a-b` of service `c` and `b-c` of service `a` would be one claim, and one's data the other's. */
function twoOfOneName(mounts: readonly Mount[]): Objection[] {
  const made = mounts.filter(({ volume }) => volume.made)
  const other = made.find(({ volume }) => volume.made?.service !== made[0]?.volume.made?.service)
  if (!made[0] || !other) return []
  const [first, second] = [made[0], other].map(({ service, volume }) => volumeField(service.name, volume.name))
  return [
    {
      reason: 'VolumeConflict',
      field: `${second}.name`,
      message: `${first} and ${second} would have one claim, '${other.volume.claim}': give one of the volumes another name`,
    },
  ]
}

function tooManyPods(mounts: readonly Mount[]): Objection[] {
  const one = mounts.find(({ volume }) => volume.accessMode === 'ReadWriteOncePod')
  const pods = mounts.reduce((sum, { service }) => sum + mostReplicas(service), 0)
  if (!one || pods <= 1) return []
  const who = mounts.map(({ service }) => `'${service.name}' (${mostReplicas(service)})`).join(', ')
  const field = `${volumeField(one.service.name, one.volume.name)}.accessMode`
  return [
    {
      reason: 'VolumeConflict',
      field,
      message: `${field} is ReadWriteOncePod, but ${pods} replicas would mount claim '${one.volume.claim}': ${who}; use a volume that is ReadWriteMany, or let one replica mount it`,
    },
  ]
}
