import type { AppInstanceStatus } from '../../api/appInstance.ts'
import type { AppRelease } from '../../api/appRelease.ts'
import { namespaceType } from '../../api/builtin.ts'
import { annotations } from '../../api/meta.ts'
import type { Applied } from '../../apply/execute.ts'
import type { EventRecord } from '../../runtime/controller.ts'
import { isForeign, type Objection } from './gates.ts'
import type { Observed } from './observe.ts'

/** The Events of what an instance has got: releases, its namespace. Pure. */

/** What a reconcile found and did, as far as it made something. */
interface Made {
  readonly release: AppRelease | undefined
  readonly applied: Applied | undefined
  readonly objection: Objection | undefined
}

/**
 * What was made since the status was last written: told from the status, so that a crash between the making and the
 * telling loses no Event.
 */
export function madeSince(seen: Observed, found: Made): EventRecord[] {
  const before = seen.instance.status
  const { release } = found
  if (!release) return takenOver(seen, found)
  return [
    ...(isReleaseNew(before, release) ? [releaseEvent(release)] : []),
    ...(isReleaseLost(before, release, seen.releases) ? [lossEvent(before, release)] : []),
    ...(isNamespaceNew(before, found) ? [namespaceEvent(release.spec.instance)] : []),
    ...takenOver(seen, found),
  ]
}

/** What ran is on no record any more, and what runs instead, under its number, is of another revision. */
function isReleaseLost(
  before: AppInstanceStatus | undefined,
  { metadata, spec }: AppRelease,
  releases: readonly AppRelease[],
): boolean {
  const was = before?.currentRelease
  if (!was || was.stackRevision === spec.stackRevision || was.number < spec.number) return false
  return was.name === metadata.name || !releases.some((each) => each.metadata.name === was.name)
}

function lossEvent(before: AppInstanceStatus | undefined, { metadata, spec }: AppRelease): EventRecord {
  const was = before?.currentRelease
  const patch = `kubectl patch appinstance ${spec.instance} -n ${metadata.namespace} --type=merge -p '{"spec":{"stack":{"revision":"${was?.stackRevision}"}}}'`
  const message = `The AppRelease '${was?.name}' is gone, and with it what it said of the stack: release ${metadata.name} runs revision '${spec.stackRevision}' instead of '${was?.stackRevision}'; to go back: ${patch}`
  return { type: 'Warning', reason: 'ReleaseLost', action: 'Deploying', message }
}

/** One that is restored was told of when it was made. */
function isReleaseNew(before: AppInstanceStatus | undefined, { spec: { number } }: AppRelease): boolean {
  const { currentRelease, failedRelease } = before ?? {}
  return number > Math.max(currentRelease?.number ?? 0, failedRelease?.number ?? 0)
}

function isNamespaceNew(before: AppInstanceStatus | undefined, { applied, objection }: Made): boolean {
  if (applied === undefined) return false
  if (applied.created.some(({ type }) => type.kind === namespaceType.kind)) return true
  // What has no namespace of its own says none in its status, so that the status cannot tell whether it was told.
  const isTold = before?.namespace !== undefined || isForeign(objection)
  return !isTold && applied.refused?.desired.type.kind !== 'Namespace'
}

/** The namespace was a predecessor's until this very reconcile. */
function takenOver({ namespace, instance }: Observed, { applied }: Made): EventRecord[] {
  const before = namespace?.metadata.annotations?.[annotations.instanceUid]
  const isWritten = applied?.changed.some(({ mode }) => mode === 'claim')
  if (!isWritten || before === undefined || before === instance.metadata.uid) return []
  const message = `Namespace ${instance.metadata.name}, until now of the instance with the uid ${before}, is this one's.`
  return [{ type: 'Normal', reason: 'NamespaceTakenOver', action: 'Creating', message }]
}

function namespaceEvent(name: string): EventRecord {
  return { type: 'Normal', reason: 'NamespaceCreated', action: 'Creating', message: `Namespace ${name} created.` }
}

function releaseEvent({ metadata, spec }: AppRelease): EventRecord {
  return {
    type: 'Normal',
    reason: 'ReleaseCreated',
    action: 'Deploying',
    message: `Release ${metadata.name} on revision ${spec.stackRevision}: ${spec.cause}.`,
  }
}
