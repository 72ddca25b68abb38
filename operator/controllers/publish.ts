import type { AppInstance } from '../api/appInstance.ts'
import { appInstanceKind } from '../api/appInstance.ts'
import { appReleaseKind } from '../api/appRelease.ts'
import type { AppStackRevision } from '../api/appStackRevision.ts'
import { appStackRevisionKind } from '../api/appStackRevision.ts'
import { namespaceType } from '../api/builtin.ts'
import type { Condition } from '../api/conditions.ts'
import type { ApiObject } from '../api/meta.ts'
import { keyOf, labels, refOf } from '../api/meta.ts'
import type { Stack } from '../render/revision.ts'
import { latestRevision, newestFirst, nextRevision } from '../render/revision.ts'
import type { Ctx, EventRecord, Reader, Report } from '../runtime/controller.ts'
import { conditionsOf } from '../status/conditions.ts'
import { transitionsOf } from '../status/events.ts'
import { publishedVerdicts, revisionTakenVerdicts } from '../status/published.ts'
import { revisionsOf } from './revisions.ts'
import { removeSurplus } from './surplus.ts'

/** What a stack has come to. */
export interface Published {
  /** What it runs as; undefined while the name of its first revision is taken. */
  readonly latest: AppStackRevision | undefined
  /** The name that its content would have is taken: why, and what to do; undefined when it is published. */
  readonly taken?: string
  /** RevisionPublished, if this call published it. */
  readonly events: readonly EventRecord[]
}

/**
 * Publishes a stack's services as its next revision, if their content is new; and removes revisions nobody needs any more.
 * In: the stack. Out: what it runs as. Throws a KubeError.
 */
export async function publish(ctx: Ctx, stack: Stack): Promise<Published> {
  const revisions = revisionsOf(ctx.cache, stack)
  const latest = latestRevision(stack, revisions)
  const next = nextRevision(stack, revisions)
  if (!next) {
    await pruneRevisions(ctx, revisions, latest)
    return { latest, events: [] }
  }
  const taken = ctx.cache.get<AppStackRevision>(appStackRevisionKind, refOf(next))
  if (taken) return { latest, taken: takenSentence(taken, stack), events: [] }
  const created = (await ctx.kube.create(appStackRevisionKind, next)) as AppStackRevision
  const event: EventRecord = {
    type: 'Normal',
    reason: 'RevisionPublished',
    action: 'Publishing',
    message: `Revision ${created.metadata.name} published.`,
  }
  return { latest: created, events: [event] }
}

/** Status, Events and outcome of an AppStack or App whose stack came to this; members of the status only it has in `more`. */
export function reportPublished<More extends object>(
  object: ApiObject<unknown, { readonly conditions?: readonly Condition[] | undefined }>,
  { latest, taken: message, events }: Published,
  now: Date,
  more?: More,
): Report<PublishedStatus & More> {
  const generation = object.metadata.generation ?? 0
  const verdicts = message ? revisionTakenVerdicts(message) : publishedVerdicts(latest?.metadata.name ?? '')
  const before = object.status?.conditions
  const conditions = conditionsOf(before, verdicts, generation, now)
  const status = {
    observedGeneration: generation,
    conditions,
    ...(latest && { latestRevision: latest.metadata.name }),
    ...(more as More),
  }
  if (!message) return { status, outcome: { kind: 'settled' }, events }
  const outcome = { kind: 'invalid', reason: 'RevisionNameTaken', field: 'spec.version', message } as const
  // Whoever holds the name may be of another stack: its going wakes nobody here.
  return {
    status,
    outcome: { ...outcome, retryAfterSeconds: takenRetrySeconds },
    events: [...events, ...transitionsOf(before, conditions)],
  }
}

interface PublishedStatus {
  readonly observedGeneration: number
  readonly conditions: Condition[]
  readonly latestRevision?: string
}

const takenRetrySeconds = 30

function takenSentence({ metadata: { name, namespace }, spec }: AppStackRevision, stack: Stack): string {
  const look = `kubectl get appstackrevision ${name} -n ${namespace} -o yaml shows what it holds.`
  if (spec.stack !== stack.name) {
    return `The name '${name}' of the next revision of stack '${stack.name}' is taken by one of stack '${spec.stack}': delete that one if nobody needs it; ${look}`
  }
  return `Revision '${name}' of stack '${spec.stack}' is there with other content, and a revision never changes: give the new content another spec.version; ${look}`
}

/** Kept of a stack, newest first, besides those in use. */
const keptRevisions = 20

/** One at a time: its event brings the next. Those from git are not ours to remove. */
async function pruneRevisions(
  ctx: Ctx,
  revisions: readonly AppStackRevision[],
  latest: AppStackRevision | undefined,
): Promise<void> {
  const surplus = newestFirst(revisions)
    .slice(keptRevisions)
    .find((each) => each !== latest && isOurs(each) && !isInUse(ctx.cache, each))
  if (surplus) await removeSurplus(ctx, appStackRevisionKind, surplus)
}

function isOurs({ metadata }: AppStackRevision): boolean {
  return metadata.labels?.[labels.managedBy] === 'appstead'
}

/** Whether an instance pins it, or a kept release was made from it. */
function isInUse(cache: Reader, revision: AppStackRevision): boolean {
  const key = keyOf(refOf(revision))
  const pins = cache.byIndex<AppInstance>(appInstanceKind, 'revision', key)
  return pins.length > 0 || cache.byIndex(appReleaseKind, 'revision', key).length > 0
}

/** Whether the project is being deleted: nothing can be made in it any more, and all it holds is on its way out. */
export function isProjectLeaving(cache: Reader, project: string | undefined): boolean {
  const namespace = cache.get(namespaceType, { namespace: '', name: project ?? '' })
  return namespace?.metadata.deletionTimestamp !== undefined
}
