import { readFileSync } from 'node:fs'
import type { Cluster } from '../cluster/cluster.ts'

/** A request as the API server logged it when it was answered. */
export interface Request {
  readonly verb: string
  readonly requestURI: string
  readonly requestReceivedTimestamp: string
  readonly user: { readonly username: string }
  readonly responseStatus: { readonly code: number }
  readonly objectRef?: {
    readonly resource: string
    readonly namespace?: string
    readonly name?: string
    readonly subresource?: string
  }
}

/** The requests of a user that the API server answered since it held `from` bytes of log. */
export function requestsOf(cluster: Cluster, user: string, from = 0): readonly Request[] {
  const lines = readFileSync(cluster.auditLog ?? '')
    .subarray(from)
    .toString()
    .split('\n')
    // The last one may still be being written.
    .slice(0, -1)
  return lines
    .filter((line) => line.includes(user))
    .map((line) => JSON.parse(line) as Request)
    .filter(({ user: { username } }) => username === user)
}

/** How long the audit log is now. */
export function auditMark(cluster: Cluster): number {
  return readFileSync(cluster.auditLog ?? '').length
}

/** Verb and resource, such as `patch appinstances/status`. */
export function describeRequest({ verb, objectRef }: Request): string {
  const subresource = objectRef?.subresource === undefined ? '' : `/${objectRef.subresource}`
  return `${verb} ${objectRef?.resource ?? ''}${subresource}`
}
