import type { ResolvedService } from '../../api/service/resolvedService.ts'
import type { StackService } from '../../api/service/stackService.ts'
import { volumeClaimName } from '../names.ts'
import { inOrder } from './order.ts'

type Volume = NonNullable<ResolvedService['volumes']>[number]

/** The volumes of a service with the claims behind them; none without volumes. */
export function volumesOf({ name: service, volumes = [] }: StackService): Pick<ResolvedService, 'volumes'> {
  if (volumes.length === 0) return {}
  return {
    volumes: inOrder(volumes, ({ name }) => name).map(
      ({ name, path, accessMode, size, storageClassName, existingClaim }): Volume => ({
        name,
        path,
        accessMode,
        claim: existingClaim ?? volumeClaimName(service, name),
        ...(size !== undefined && {
          made: { service, size, ...(storageClassName !== undefined && { storageClassName }) },
        }),
      }),
    ),
  }
}

/**
 * Which services must share a node: those that mount a volume of one node alone, with all that mount another such volume
 * of theirs. Also a service that shares with nobody: while it is rolled out, its new replica mounts what the old one does.
 * Out: the services, each with the first name of the claims it is held together by.
 */
export function onSharedNodes(services: readonly ResolvedService[]): ResolvedService[] {
  const groups: Set<string>[] = []
  for (const claims of services.map(claimsOfOneNode).filter(({ length }) => length > 0)) {
    const joined = groups.filter((group) => claims.some((claim) => group.has(claim)))
    for (const group of joined) groups.splice(groups.indexOf(group), 1)
    groups.push(new Set([...claims, ...joined.flatMap((group) => [...group])]))
  }
  return services.map((service) => {
    const [claim] = claimsOfOneNode(service)
    const group = claim === undefined ? undefined : groups.find((each) => each.has(claim))
    return group ? { ...service, sameNode: [...group].toSorted()[0]! } : service
  })
}

function claimsOfOneNode({ volumes = [] }: ResolvedService): string[] {
  return volumes.filter(({ accessMode }) => accessMode === 'ReadWriteOnce').map(({ claim }) => claim)
}
