import { compareQuantities, cpuOf, memoryOf, type Share } from '../api/quantity.ts'
import type { Quota } from '../api/quota.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import { requestOf } from '../api/service/resources.ts'
import { mostReplicas } from '../api/service/scale.ts'

/** What of a quota is taken: by the replicas of services at rest, as many as there may be (ADR 0025). Pure. */

/** One amount that a quota limits. */
export interface Line {
  /** As a ResourceQuota calls it; below spec.defaults.quota, too. */
  readonly key: string
  readonly most: string
  /** Of one replica; undefined when it has no bound. */
  readonly ofReplica: (service: ResolvedService) => string | undefined
  readonly sumOf: (shares: readonly Share[]) => string
}

/** What a quota limits. */
export function linesOf({ requests, limits, pods }: Quota): readonly Line[] {
  const lines = (['cpu', 'memory'] as const).flatMap((amount) => {
    const sumOf = amount === 'cpu' ? cpuOf : memoryOf
    const asked = { key: `requests.${amount}`, most: requests?.[amount], sumOf }
    const allowed = { key: `limits.${amount}`, most: limits?.[amount], sumOf }
    return [
      { ...asked, ofReplica: ({ resources }: ResolvedService) => requestOf(resources, amount) },
      { ...allowed, ofReplica: ({ resources }: ResolvedService) => resources.limits?.[amount] },
    ]
  })
  const counted = { key: 'pods', most: pods === undefined ? undefined : String(pods), sumOf: cpuOf }
  return [...lines, { ...counted, ofReplica: () => '1' }].flatMap(({ most, ...line }) =>
    most === undefined ? [] : [{ ...line, most }],
  )
}

/** What all replicas of these services take of it at most. */
export function takenOf({ ofReplica, sumOf }: Line, services: readonly ResolvedService[]): string {
  return sumOf(services.map((service) => ({ quantity: ofReplica(service) ?? '0', times: mostReplicas(service) })))
}

/** The lines of which the services would take more than there is. */
export function exceededBy(services: readonly ResolvedService[], quota: Quota | undefined): readonly Line[] {
  return quota ? linesOf(quota).filter((line) => compareQuantities(takenOf(line, services), line.most) > 0) : []
}
