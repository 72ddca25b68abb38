import { apiVersionOf, resourceQuotaType } from '../api/builtin.ts'
import { compareQuantities } from '../api/quantity.ts'
import type { Quota } from '../api/quota.ts'
import type { ResolvedService } from '../api/service/resolvedService.ts'
import type { Owner } from './labels.ts'
import { ownerLabels } from './labels.ts'
import { resourceQuotaName } from './names.ts'
import type { Desired } from './plan.ts'
import { canonicalQuantity } from './quantity.ts'
import { linesOf, takenOf, type Line } from './quota.ts'

type Services = readonly ResolvedService[]

/**
 * The ResourceQuota of an instance, so large that a roll-out is never held up by what it replaces: what may be at rest, or
 * was before (a quota that was lowered does not undo what runs), and beside it all replicas anew, since one that leaves is
 * counted until it is gone, and one Job.
 * In: the quota, the services that are to run, and those of releases whose pods may still be there.
 */
export function makeResourceQuota(
  owner: Owner,
  quota: Quota,
  services: Services,
  before: readonly Services[],
): Desired {
  const hard = linesOf(quota).map((line) => [line.key, canonicalQuantity(mostOf(line, services, before))] as const)
  return {
    type: resourceQuotaType,
    mode: 'apply',
    object: {
      apiVersion: apiVersionOf(resourceQuotaType),
      kind: resourceQuotaType.kind,
      metadata: { name: resourceQuotaName, namespace: owner.instance, labels: ownerLabels(owner) },
      spec: { hard: Object.fromEntries(hard) },
    } as Desired['object'],
  }
}

function mostOf(line: Line, services: Services, before: readonly Services[]): string {
  const wanted = takenOf(line, services)
  const atRest = [wanted, ...before.map((each) => takenOf(line, each))].reduce(larger, line.most)
  const ofJob = [...services, ...before.flat()]
    .filter(({ actions }) => actions)
    .map((service) => line.ofReplica(service) ?? '0')
    .reduce(larger, '0')
  return line.sumOf([atRest, wanted, ofJob].map((quantity) => ({ quantity, times: 1 })))
}

function larger(a: string, b: string): string {
  return compareQuantities(a, b) < 0 ? b : a
}
