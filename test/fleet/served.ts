import { describeRequest, type Request } from '../support/auditLog.ts'
import type { Member } from './fleet.ts'

/** Requests that hold the connection to the cluster, not its objects. */
export function isStanding({ verb, objectRef }: Request): boolean {
  return verb === 'watch' || objectRef?.resource === 'leases'
}

/** How many of these requests renewed or looked at the Lease, and how often a watch began or ended: the log tells both. */
export function countStanding(requests: readonly Request[]): { readonly leases: number; readonly watches: number } {
  const watches = requests.filter(({ verb }) => verb === 'watch').length
  return { leases: requests.filter(isStanding).length - watches, watches }
}

/** A review is asked by creating one, and nothing is stored. */
export function isRead({ verb, objectRef }: Request): boolean {
  return verb === 'get' || verb === 'list' || objectRef?.resource === 'selfsubjectrulesreviews'
}

/** Every request by what it asks for, and how often: what a test prints and compares. */
export function countByKind(requests: readonly Request[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const request of requests) counts[describeRequest(request)] = (counts[describeRequest(request)] ?? 0) + 1
  return counts
}

/** The requests for each member: for itself, its releases and events, its namespace and what is in it. */
export function byMember(
  requests: readonly Request[],
  members: readonly Member[],
): ReadonlyMap<string, readonly Request[]> {
  const found = new Map(members.map(({ name }) => [name, [] as Request[]]))
  for (const request of requests) {
    const { namespace = '', name = '' } = request.objectRef ?? {}
    // A release is `name-uid-r1`, a Task `name-uid-create-1`, an event of any of them has a digest behind a dot.
    const holder = name.replace(/(-[0-9a-f]{5}-(r|create-|delete-)\d+)?(\.[^.]*)?$/, '')
    const member = [namespace, name, holder].find((each) => found.has(each))
    if (member !== undefined) found.get(member)?.push(request)
  }
  return found
}

/** The member's requests of one kind, oldest first. */
export function ofKind(requests: readonly Request[], kind: string): readonly Request[] {
  return requests.filter((request) => describeRequest(request) === kind)
}

/** Milliseconds since 1970 at which the server received a request. */
export function receivedAt({ requestReceivedTimestamp }: Request): number {
  return Date.parse(requestReceivedTimestamp)
}

/** What the creation of one instance may cost (promises, T3). */
export function isMadeOnce(requests: readonly Request[]): boolean {
  const counts = countByKind(requests)
  const {
    'patch appinstances/status': statuses = 0,
    'patch appreleases/status': releases = 0,
    'create events': events = 0,
    ...writes
  } = counts
  const expected: Readonly<Record<string, number>> = {
    'create namespaces': 1,
    'patch serviceaccounts': 1,
    'patch networkpolicies': 2,
    'patch services': 1,
    'patch deployments': 1,
    'create appreleases': 1,
    // The record of the creation: that it began, and how it ended.
    'create apptasks': 1,
    'patch apptasks/status': 1,
    // The finalizer.
    'patch appinstances': 1,
  }
  const isExact =
    Object.keys(writes).length === Object.keys(expected).length &&
    Object.entries(expected).every(([kind, count]) => writes[kind] === count)
  const times = ofKind(requests, 'patch appinstances/status').map(receivedAt)
  const seconds = Math.ceil((Math.max(...times) - Math.min(...times)) / 1000)
  return isExact && statuses <= 2 + seconds && releases <= 3 && events <= 4
}
