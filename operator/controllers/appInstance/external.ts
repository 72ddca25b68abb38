import type { AppInstanceStatus } from '../../api/appInstance.ts'
import { externalServices } from '../../render/resolve/external.ts'
import type { Observed } from './observe.ts'

/** What the status says of services that are given from outside: they have no replicas, and so count nowhere. */

type Row = NonNullable<AppInstanceStatus['services']>[number]

/** A row for each: what says where it is, and why that cannot be used. */
export function externalRows({ input, wanted }: Observed): Row[] {
  if (!input || !wanted) return []
  return externalServices(input).map(({ service: { name, type }, source }) => {
    const { reason, message } = wanted.obstacles.find(({ by }) => by === source) ?? {}
    return { name, type, ready: 0, desired: 0, external: source, ...(reason && { reason, message }) }
  })
}
