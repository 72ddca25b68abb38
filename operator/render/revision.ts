import { canonical } from '../api/canonical.ts'
import type { AppStackRevision } from '../api/appStackRevision.ts'
import { appStackRevisionKind, largestNumber } from '../api/appStackRevision.ts'
import { apiVersion, finalizers, labels } from '../api/meta.ts'
import type { StackService } from '../api/service/stackService.ts'
import { countedRevisionName, versionedRevisionName } from './names.ts'

/** A stack as it is to be published: an AppStack, or the services that stand in an App. */
export interface Stack {
  readonly namespace: string
  /** That of the AppStack, or app-<app>. */
  readonly name: string
  /** Names its revision; without one they are counted. */
  readonly version?: string | undefined
  readonly services: readonly StackService[]
}

/** `1.10` comes after `1.9`. */
const byName = new Intl.Collator('en', { numeric: true })

/**
 * All revisions of a stack, the newest first: the highest number. Those from git need none; they are older than those the
 * operator counted, and among themselves ordered by when they were created, then by name.
 */
export function newestFirst(revisions: readonly AppStackRevision[]): AppStackRevision[] {
  return revisions.toSorted(
    (a, b) =>
      numberOf(b) - numberOf(a) ||
      createdOf(b).localeCompare(createdOf(a)) ||
      byName.compare(b.metadata.name, a.metadata.name),
  )
}

function numberOf({ spec }: AppStackRevision): number {
  return spec.number ?? 0
}

function createdOf({ metadata }: AppStackRevision): string {
  return metadata.creationTimestamp ?? ''
}

/** The revision that a stack of this version runs as: the one of that version, else the newest; undefined without any. */
export function latestRevision(
  stack: Pick<Stack, 'name' | 'version'>,
  revisions: readonly AppStackRevision[],
): AppStackRevision | undefined {
  const { version } = stack
  const named = version === undefined ? undefined : versionedRevisionName(stack.name, version)
  return revisions.find(({ metadata }) => metadata.name === named) ?? newestFirst(revisions)[0]
}

/**
 * The revision that an edit of a stack publishes.
 * In: the stack, all its revisions. Out: the revision to create; undefined when its content is published under its version
 * or, without one, as the newest (A→A publishes none, A→B→A three).
 */
export function nextRevision(stack: Stack, revisions: readonly AppStackRevision[]): AppStackRevision | undefined {
  const { namespace, name, version, services } = stack
  const versioned = version === undefined ? undefined : versionedRevisionName(name, version)
  const published = latestRevision(stack, revisions)
  const isNamedSo = versioned === undefined || published?.metadata.name === versioned
  if (published && isNamedSo && hasContent(published, services)) return undefined
  // Somebody may have taken the largest: those that share it are ordered by when they were created.
  const number = Math.min(Math.max(0, ...revisions.map(numberOf)) + 1, largestNumber)
  return {
    apiVersion,
    kind: appStackRevisionKind.kind,
    metadata: {
      name: versioned ?? countedRevisionName(name, number, services),
      namespace,
      labels: { [labels.managedBy]: 'appstead' },
      // With its finalizer from the start, it need not be written a second time.
      finalizers: [finalizers.inUse],
    },
    spec: { stack: name, number, services: [...services] },
  }
}

function hasContent({ spec }: AppStackRevision, services: readonly StackService[]): boolean {
  return canonical(spec.services) === canonical(services)
}
