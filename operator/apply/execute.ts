import type { KubeObject, Ref } from '../api/meta.ts'
import { deploymentType } from '../api/builtin.ts'
import { refOf } from '../api/meta.ts'
import type { Desired, Plan, Stage } from '../render/plan.ts'
import type { Writer } from '../runtime/controller.ts'
import { differingPaths, foreignManagerOf, textOfPath } from './differences.ts'
import type { Drift } from './drift.ts'
import { foundInstead, lookForDrift } from './drift.ts'
import type { Contest, Fights } from './fights.ts'
import { identityOf, peaceSeconds } from './fights.ts'
import type { Owned } from './owned.ts'
import { prune } from './prune.ts'
import type { Refused } from './refusal.ts'
import { isRefusal, refusedBy } from './refusal.ts'
import { write } from './write.ts'

export type { Owned } from './owned.ts'
export type { Refused } from './refusal.ts'

/** What is known besides the plan and the objects. */
export interface Standing {
  /** Of the cluster that is written to. */
  readonly fights: Fights
  readonly now: Date
  /** What the plan was rendered from: the uid of a release, and what counts beside it. */
  readonly of: string
  /** Whether the Deployment of that name is as rendered and rolled out. */
  readonly isRolledOut: (deployment: string) => boolean
  /** How the Job of that name stands, as the release it is for records it; undefined when it was not started. */
  readonly recordOf: (job: string) => 'Running' | 'Succeeded' | 'Failed' | undefined
  /** Whether Jobs may be started now. */
  readonly mayRun: boolean
  /** Whether just this object was in place once, and nothing else was asked for since: what differs now is drift. */
  readonly wasInPlace: (desired: Desired) => boolean
  /** Whether the Deployment of that name asks for no replica, as we had it do. */
  readonly isIdle: (deployment: string) => boolean
  /** Whether a live object differs by nothing but another number of replicas, which we asked for. */
  readonly isToScale: (desired: Desired) => boolean
}

/** What execute did; every list in plan order. */
export interface Applied {
  readonly created: readonly Desired[]
  readonly changed: readonly Desired[]
  readonly pruned: readonly Ref[]
  /** Of what was created and changed: what others had done to it. */
  readonly drifted: readonly Drift[]
  /** Not written yet: the Deployments named in `for` are not rolled out, or a Job has not succeeded or may not start. */
  readonly waiting: readonly { readonly desired: Desired; readonly for: readonly string[] }[]
  /** What the API server stores otherwise than sent; `isNew`: it said so in this very call. */
  readonly altered: readonly {
    readonly desired: Desired
    readonly paths: readonly string[]
    readonly isNew: boolean
  }[]
  /** What somebody undoes after each write; written again not before `retryAfterSeconds`. */
  readonly contested: readonly {
    readonly desired: Desired
    readonly contest: Contest
    readonly retryAfterSeconds: number
  }[]
  /** The object the API server refused, or its removal, and why; nothing after its stage was done. */
  readonly refused?: Refused
  /** The stage after which nothing was done, since not all of it is there; undefined when all is. */
  readonly stoppedAt?: string
}

type Lists = 'created' | 'changed' | 'drifted' | 'waiting' | 'altered' | 'contested'
type Done = { -readonly [Key in Lists]: Applied[Key][number][] }

/**
 * Makes the cluster be what the plan says, stage by stage, writing only what differs; then deletes what is ours and in
 * no stage. An object that waits for others holds up only itself, those that wait for it, and the deleting; one that
 * was refused also the stages after its own; one that somebody undoes again and again is written ever more seldom, and
 * holds up the stages after its own while it is missing.
 * Throws the first transient KubeError of a stage after its other writes have ended; a refusal is returned.
 */
export async function execute(kube: Writer, plan: Plan, owned: readonly Owned[], standing: Standing): Promise<Applied> {
  const live = new Map(owned.map((entry) => [identityOf(entry), entry]))
  const done: Done = { created: [], changed: [], drifted: [], waiting: [], altered: [], contested: [] }
  const all = plan.stages.flatMap(({ objects }) => objects)
  standing.fights.keepOnly(all)
  for (const stage of plan.stages) {
    const stop = await applyStage(kube, stage, live, { ...standing, done })
    if (stop === 'incomplete') return { ...done, pruned: [], stoppedAt: stage.name }
    if (stop) return { ...done, pruned: [], refused: stop, stoppedAt: stage.name }
  }
  const isAsPlanned = [done.created, done.changed, done.waiting, done.contested].every(({ length }) => length === 0)
  if (isAsPlanned) standing.fights.stands(all, standing.of)
  return { ...done, ...(done.waiting.length > 0 ? { pruned: [] } : await prune(kube, plan, owned, standing)) }
}

interface Stand extends Standing {
  readonly done: Done
}

async function applyStage(
  kube: Writer,
  { objects }: Stage,
  live: ReadonlyMap<string, Owned>,
  stand: Stand,
): Promise<Refused | 'incomplete' | undefined> {
  const { done, fights } = stand
  const held: Refused[] = []
  const due: Desired[] = []
  let isIncomplete = false
  for (const desired of objects) {
    const turn = await turnOf(kube, desired, live.get(identityOf(desired)), stand)
    if (turn === 'due') due.push(desired)
    else if (turn === 'held') isIncomplete ||= !live.has(identityOf(desired))
    else if (turn !== 'later') held.push(turn)
  }
  const drifted = await driftOf(kube, due, live, stand)
  const { written, refused } = await writeAll(kube, due, live, stand)
  for (const [desired, answer] of written) {
    const drift = drifted.find((each) => each.desired === desired)
    if (live.has(identityOf(desired))) noteChange(desired, drift, stand)
    else noteCreation(desired, drift ?? foundInstead(desired, answer), stand)
  }
  for (const desired of objects) {
    const paths = fights.alteredPaths(desired)
    if (paths) done.altered.push({ desired, paths, isNew: due.includes(desired) })
  }
  if (refused) return refused
  return held[0] ?? (isIncomplete ? 'incomplete' : undefined)
}

function noteChange(desired: Desired, drift: Drift | undefined, { done }: Stand): void {
  done.changed.push(desired)
  if (drift) done.drifted.push(drift)
}

function noteCreation(desired: Desired, drift: Drift | undefined, { done, fights }: Stand): void {
  done.created.push(desired)
  if (drift) done.drifted.push(drift)
  if (!desired.type.namespaced) fights.fell(desired)
}

/**
 * What others did to those that are about to be written. What was not in place yet is our own roll-out, another number
 * in place of our own is no drift either, and a fight is told of as such: none of these is looked at.
 */
async function driftOf(
  kube: Writer,
  due: readonly Desired[],
  live: ReadonlyMap<string, Owned>,
  { fights, of, wasInPlace, isToScale }: Stand,
): Promise<Drift[]> {
  const looks = due.map(async (desired) => {
    if (desired.mode === 'run') return undefined
    const hasStood = fights.hasStood(desired, of)
    if (!(hasStood || wasInPlace(desired)) || fights.contestOf(desired) || isToScale(desired)) return undefined
    return lookForDrift(kube, desired, live.get(identityOf(desired)), hasStood)
  })
  return (await Promise.all(looks)).filter((drift) => drift !== undefined)
}

/** Whether an object is to be written now; or the refusal that stands against it. */
async function turnOf(
  kube: Writer,
  desired: Desired,
  live: Owned | undefined,
  stand: Stand,
): Promise<'due' | 'later' | 'held' | Refused> {
  const { done, fights } = stand
  const now = stand.now.getTime()
  if (live && fights.isAsDesired(desired, live.object.metadata.uid ?? '', live.digest)) {
    tell(stand, desired, fights.unrestSeconds(desired, now))
    return 'later'
  }
  const idle = whyNotMade(desired, stand)
  if (idle) return idle
  const needed = waitsFor(desired, live, stand)
  if (needed.length > 0 || waitsForJob(desired, live, stand)) {
    done.waiting.push({ desired, for: needed })
    return 'later'
  }
  const hold = fights.holdOf(desired, now, uidOf(live))
  if (hold?.refusal) return { desired, error: hold.refusal, retryAfterSeconds: hold.retryAfterSeconds }
  if (hold && !fights.contestOf(desired)) fights.found(desired, live ? await lookWho(kube, desired) : removed)
  tell(stand, desired, hold?.retryAfterSeconds ?? peaceSeconds)
  return hold ? 'held' : 'due'
}

/** What is not made although it is missing: what has run; and a copy of what is not there, for which all that needs it waits. */
function whyNotMade({ mode, object, values }: Desired, { recordOf }: Stand): 'later' | 'held' | undefined {
  if (mode === 'run' && recordOf(object.metadata.name)) return 'later'
  return mode === 'copy' && !values ? 'held' : undefined
}

const removed: Contest = { paths: [], manager: '' }

/** Says of a fight, if there is one, that it goes on: also in the moment in which our write stands. */
function tell({ done, fights }: Stand, desired: Desired, retryAfterSeconds: number): void {
  const contest = fights.contestOf(desired)
  if (contest && retryAfterSeconds > 0) done.contested.push({ desired, contest, retryAfterSeconds })
}

/** What an object waits for; nothing when it only has to be put right, unless it would start without what it needs. */
function waitsFor(
  desired: Desired,
  live: Owned | undefined,
  { isRolledOut, wasInPlace, isIdle }: Pick<Standing, 'isRolledOut' | 'wasInPlace' | 'isIdle'>,
): readonly string[] {
  const missing = (desired.after ?? []).filter((deployment) => !isRolledOut(deployment))
  return missing.length === 0 || starts(desired, live, isIdle) || !wasInPlace(desired) ? missing : []
}

/** Likewise of Jobs: of the one that comes before, and of a Job itself, of those it may not run beside. */
function waitsForJob(
  desired: Desired,
  live: Owned | undefined,
  { recordOf, mayRun, wasInPlace, isIdle }: Pick<Standing, 'recordOf' | 'mayRun' | 'wasInPlace' | 'isIdle'>,
): boolean {
  if (desired.mode === 'run' && !mayRun) return true
  if (desired.afterJob === undefined || recordOf(desired.afterJob) === 'Succeeded') return false
  return desired.mode === 'run' || starts(desired, live, isIdle) || !wasInPlace(desired)
}

function starts({ type, object }: Desired, live: Owned | undefined, isIdle: Standing['isIdle']): boolean {
  return type.kind === deploymentType.kind && (!live || isIdle(object.metadata.name))
}

/** A live look at who owns now what we would have otherwise; it is done once in a fight. */
async function lookWho(kube: Writer, { type, object }: Desired): Promise<Contest> {
  const live = await kube.getLive(type, refOf(object))
  if (!live) return removed
  const paths = differingPaths(object, live)
  return { paths: paths.map(textOfPath), manager: foreignManagerOf(live, paths) }
}

/**
 * All writes of a stage come to their end before anything is thrown: none is left running behind our back.
 * Out: what was written, with the API server's answers, and the first that was refused.
 */
async function writeAll(
  kube: Writer,
  due: readonly Desired[],
  live: ReadonlyMap<string, Owned>,
  { fights, now }: Stand,
): Promise<{ readonly written: readonly (readonly [Desired, KubeObject])[]; readonly refused: Refused | undefined }> {
  const results = await Promise.allSettled(due.map((desired) => write(kube, desired, live.get(identityOf(desired)))))
  const written: [Desired, KubeObject][] = []
  const failures: { readonly desired: Desired; readonly error: unknown }[] = []
  for (const [index, result] of results.entries()) {
    const desired = due[index]!
    if (result.status === 'rejected') failures.push({ desired, error: result.reason })
    else if (result.value) {
      written.push([desired, result.value])
      fights.wrote(desired, result.value, now.getTime())
    }
  }
  const refusals = failures
    .filter(({ error }) => isRefusal(error))
    .map(({ desired, error }) => refusedBy(fights, desired, error, now.getTime(), uidOf(live.get(identityOf(desired)))))
  const transient = failures.find(({ error }) => !isRefusal(error))
  if (transient) throw transient.error
  return { written, refused: refusals[0] }
}

function uidOf(live: Owned | undefined): string | undefined {
  return live?.object.metadata.uid
}
