import type { AppStackRevision } from '../api/appStackRevision.ts'
import { appStackRevisionKind } from '../api/appStackRevision.ts'
import type { StackService } from '../api/service/stackService.ts'
import { canonical } from '../api/canonical.ts'
import { apiVersion } from '../api/meta.ts'
import { revisionName } from './names.ts'

/** The newest of a stack's revisions, of two with one number always the same; undefined when there is none. */
export function newestRevision(revisions: readonly AppStackRevision[]): AppStackRevision | undefined {
  return revisions.toSorted((a, b) => b.spec.number - a.spec.number || (a.metadata.name < b.metadata.name ? -1 : 1))[0]
}

/**
 * The revision that an edit of a stack publishes.
 * In: the stack's name and namespace, its services, all its revisions. Out: the revision to create; undefined when the
 * newest one has the same content (A→A publishes none, A→B→A three).
 */
export function nextRevision(
  stack: { readonly namespace: string; readonly name: string },
  services: readonly StackService[],
  revisions: readonly AppStackRevision[],
): AppStackRevision | undefined {
  const newest = newestRevision(revisions)
  if (newest && canonical(newest.spec.services) === canonical(services)) return undefined
  const number = (newest?.spec.number ?? 0) + 1
  return {
    apiVersion,
    kind: appStackRevisionKind.kind,
    metadata: { name: revisionName(stack.name, number, services), namespace: stack.namespace },
    spec: { stack: stack.name, number, services: [...services] },
  }
}
