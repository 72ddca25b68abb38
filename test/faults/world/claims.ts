import { membersOf, type Members } from '../double/json.ts'
import type { Double } from '../double/server.ts'
import { servedKind } from '../double/served.ts'
import { metaOf } from '../double/writes.ts'
import { pathOf, type Act } from './objects.ts'

const claimType = servedKind('PersistentVolumeClaim')
const podType = servedKind('Pod')
const manager = 'kube-controller-manager'

/**
 * What the controllers of volumes do next for a claim: it gets one, and when it is deleted, it is let go once no pod is left
 * in its namespace that could use it; undefined when there is nothing to do.
 */
export function nextOfClaim(double: Double, claim: Members): Act | undefined {
  const { namespace, deletionTimestamp, finalizers = [] } = metaOf(claim)
  if (deletionTimestamp !== undefined) {
    const isUsed = double.store.list(podType).some(([key]) => key.startsWith(`${namespace}/`))
    return isUsed || finalizers.length === 0
      ? undefined
      : () => patch(double, claim, '', { metadata: { finalizers: null } })
  }
  if (membersOf(claim['status'])['phase'] === 'Bound') return undefined
  const { accessModes, resources } = membersOf(claim['spec'])
  const capacity = membersOf(resources)['requests']
  return () => patch(double, claim, '/status', { status: { phase: 'Bound', accessModes, capacity } })
}

function patch(double: Double, claim: Members, subresource: string, body: Members): void {
  const path = `${pathOf(claimType, claim)}${subresource}?fieldManager=${manager}`
  double.handle({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body }, 'world')
}
