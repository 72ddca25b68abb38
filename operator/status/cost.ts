import type { AppInstanceStatus } from '../api/appInstanceStatus.ts'
import { cpuOf, memoryOf, type Share } from '../api/quantity.ts'
import { requestOf } from '../api/service/resources.ts'
import type { ServiceRollout } from './rollout.ts'

type Cost = NonNullable<AppInstanceStatus['cost']>
type Amount = 'cpu' | 'memory'

/**
 * What an instance sets aside in CPU and memory: requests of its replicas, or limits where there is no request, as the
 * API server fills them in. In: how each service stands, the main one marked; the replicas there ought to be count. Out:
 * the cost; undefined without a main service. Pure.
 */
export function costOf(rollout: readonly ServiceRollout[]): Cost | undefined {
  const main = rollout.find(({ service }) => service.main)
  if (!main) return undefined
  return { perReplica: sumOf([{ ...main, desired: 1 }]), replicas: main.desired, total: sumOf(rollout) }
}

function sumOf(rollout: readonly ServiceRollout[]): Cost['total'] {
  const shares = (amount: Amount): Share[] =>
    rollout.map(({ service, desired }) => ({ quantity: requestOf(service.resources, amount) ?? '0', times: desired }))
  return { cpu: cpuOf(shares('cpu')), memory: memoryOf(shares('memory')) }
}
