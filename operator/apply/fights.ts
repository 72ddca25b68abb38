import type { KubeObject } from '../api/meta.ts'
import type { KubeError } from '../kube/errors.ts'
import type { Desired } from '../render/plan.ts'
import type { Reader } from '../runtime/controller.ts'
import { desiredDigest, ownedDigest } from './digest.ts'
import { differingPaths, textOfPath } from './differences.ts'

/** Who undoes our writes to an object, as far as that can be seen. */
export interface Contest {
  /** The paths that are set otherwise; none when the object is removed as a whole. */
  readonly paths: readonly string[]
  /** The other's field manager; '' when it is not known. */
  readonly manager: string
}

/** Why an object that is not as rendered is not written now. */
export interface Hold {
  /** The API server refused just this object a short while ago. */
  readonly refusal?: KubeError
  readonly retryAfterSeconds: number
}

/** What the API server made of an object of ours, when that is not what we sent. */
interface Answer {
  readonly uid: string
  readonly desired: string
  readonly digest: string
  readonly paths: readonly string[]
}

/** The writes of one rendered object, and what became of them. Times are in milliseconds. */
interface Struggle {
  readonly desired: string
  /** Of the last writes that succeeded. */
  writes: readonly number[]
  refusal?: { readonly error: KubeError; readonly at: number; readonly seconds: number; readonly uid: string }
  /** How often it was refused since it last was not. */
  refusals: number
  /** Since then we write ever more seldom: the seconds between two writes. */
  intervalSeconds?: number
  contest?: Contest
}

const windowMilliseconds = 120_000
/** Writes of the same within the window before we take it that someone undoes them: the first, and four more. */
const freeWrites = 5
const firstIntervalSeconds = 30
const maxIntervalSeconds = 600
/** A write that has stood for so long has won. */
export const peaceSeconds = 60
/** Struggles that are remembered; the one least lately looked at is forgotten first. */
const maxStruggles = 4096

/**
 * What the operator remembers of its own writes to one cluster, so that it never writes in an endless loop: answers of
 * the API server that differ from what was sent (an admission policy changes it), writes that someone undoes, and writes
 * that were refused; and what was in place, so that drift can be told from what was never written. In memory only: after
 * a restart each of these costs one more write. `now` is in milliseconds; a clock that was set back makes us write
 * earlier, never later.
 */
export class Fights {
  /** By the object's namespace, then by its kind and name. */
  readonly #answers = new Map<string, Map<string, Answer>>()
  readonly #struggles = new Map<string, Struggle>()
  /** By namespace: of what (a release's uid) all was in place once, as this process has seen. */
  readonly #stood = new Map<string, string>()

  /** Whether a live object is what was rendered, or what the API server made of just that. */
  isAsDesired(desired: Desired, uid: string, digest: string): boolean {
    if (isNeverChanged(desired)) return true
    const wanted = desiredDigest(desired.object)
    if (digest === wanted) return true
    const answer = this.#answerTo(desired)
    return answer?.uid === uid && answer.desired === wanted && answer.digest === digest
  }

  /** Where the API server stores the object otherwise than rendered; undefined when it stores it as it is. */
  alteredPaths(desired: Desired): readonly string[] | undefined {
    const answer = this.#answerTo(desired)
    return answer?.desired === desiredDigest(desired.object) ? answer.paths : undefined
  }

  /** Remembers a write that succeeded, and the object that the API server answered with. */
  wrote(desired: Desired, answer: KubeObject, now: number): void {
    const struggle = this.#struggleOf(desired)
    struggle.refusals = 0
    struggle.writes = [...struggle.writes, now].slice(-freeWrites)
    if (struggle.intervalSeconds !== undefined) {
      struggle.intervalSeconds = Math.min(maxIntervalSeconds, struggle.intervalSeconds * 2)
    }
    this.#touch(desired, struggle)
    if (!isNeverChanged(desired)) this.#remember(desired, answer)
  }

  /**
   * Remembers that the API server refused the object; the same is not sent again for so many seconds, as long as the
   * object with this uid stands where it is to be; '' is none.
   */
  refused(desired: Desired, error: KubeError, now: number, seconds: number, uid = ''): void {
    const struggle = this.#struggleOf(desired)
    struggle.refusal = { error, at: now, seconds, uid }
    struggle.refusals += 1
    this.#touch(desired, struggle)
  }

  /** Why an object that is not as rendered must not be written now, where one with this uid stands; undefined when it may be. */
  holdOf(desired: Desired, now: number, uid = ''): Hold | undefined {
    const struggle = this.#known(desired)
    if (!struggle) return undefined
    const { refusal, writes } = struggle
    if (refusal?.uid === uid) {
      const retryAfterSeconds = remainingSeconds(refusal.at, refusal.seconds, now)
      if (retryAfterSeconds > 0) return { refusal: refusal.error, retryAfterSeconds }
    }
    const isUndone = writes.filter((at) => isWithin(at, windowMilliseconds, now)).length >= freeWrites
    if (isUndone) struggle.intervalSeconds ??= firstIntervalSeconds
    const retryAfterSeconds = remainingSeconds(writes.at(-1) ?? now, struggle.intervalSeconds ?? 0, now)
    if (retryAfterSeconds <= 0) return undefined
    this.#touch(desired, struggle)
    return { retryAfterSeconds }
  }

  /** How often just this was refused in a row. */
  refusalsOf(desired: Pick<Desired, 'type' | 'object'>): number {
    return this.#known(desired)?.refusals ?? 0
  }

  /** Lets what was refused to an instance be sent at once: in its namespace, and of it (`<name>-…`) in its project. */
  pardon(instance: string, project: string): void {
    for (const [id, struggle] of this.#struggles) {
      const isOfInstance =
        id.startsWith(`${instance}/`) || (id.startsWith(`${project}/`) && id.includes(`/${instance}-`))
      if (isOfInstance) delete struggle.refusal
    }
  }

  /** Objects over which there is a fight. */
  get contestedCount(): number {
    let count = 0
    for (const { contest } of this.#struggles.values()) if (contest) count += 1
    return count
  }

  /** Who undoes our writes; undefined when that was not looked for yet. */
  contestOf(desired: Desired): Contest | undefined {
    return this.#known(desired)?.contest
  }

  /** Remembers what was found out about the other. */
  found(desired: Desired, contest: Contest): void {
    const struggle = this.#known(desired)
    if (struggle) struggle.contest = contest
  }

  /**
   * The object is as rendered now. Out: for how many seconds it must go on to be so until the fight over it has ended;
   * 0 when there is none.
   */
  unrestSeconds(desired: Desired, now: number): number {
    const struggle = this.#known(desired)
    if (!struggle) return 0
    const unrest =
      struggle.intervalSeconds === undefined ? 0 : remainingSeconds(struggle.writes.at(-1) ?? 0, peaceSeconds, now)
    const isRecent = struggle.writes.some((at) => isWithin(at, windowMilliseconds, now))
    if (unrest <= 0 && (struggle.intervalSeconds !== undefined || !isRecent)) this.#struggles.delete(idOf(desired))
    return Math.max(0, unrest)
  }

  /** Forgets the answers to what is not among these objects, all of one namespace, any more. */
  keepOnly(objects: readonly Desired[]): void {
    const answers = objects[0] && this.#answers.get(namespaceOf(objects[0]))
    if (!answers) return
    const wanted = new Set(objects.map(identityOf))
    for (const identity of answers.keys()) if (!wanted.has(identity)) answers.delete(identity)
  }

  /** Remembers that all objects of a plan, which was rendered from `of`, were seen as they should be. */
  stands([first]: readonly Desired[], of: string): void {
    if (first) this.#stood.set(namespaceOf(first), of)
  }

  /** Whether the object was seen as it should be, since its namespace was made. */
  hasStood(desired: Desired, of: string): boolean {
    return this.#stood.get(namespaceOf(desired)) === of
  }

  /** Forgets what stood in a namespace that was made anew. */
  fell(desired: Desired): void {
    this.#stood.delete(namespaceOf(desired))
  }

  /** Forgets a namespace that is gone. */
  forget(namespace: string): void {
    this.#answers.delete(namespace)
    this.#stood.delete(namespace)
  }

  #answerTo(desired: Desired): Answer | undefined {
    return this.#answers.get(namespaceOf(desired))?.get(identityOf(desired))
  }

  #remember(desired: Desired, object: KubeObject): void {
    const digest = ownedDigest(object)
    const wanted = desiredDigest(desired.object)
    const namespace = namespaceOf(desired)
    const answers = this.#answers.get(namespace) ?? new Map<string, Answer>()
    if (digest === '' || digest === wanted) answers.delete(identityOf(desired))
    else {
      const paths = differingPaths(desired.object, object).map(textOfPath)
      answers.set(identityOf(desired), { uid: object.metadata.uid ?? '', desired: wanted, digest, paths })
    }
    if (answers.size > 0) this.#answers.set(namespace, answers)
    else this.#answers.delete(namespace)
  }

  /** Of this very rendering: another one has no past. */
  #known(desired: Pick<Desired, 'type' | 'object'>): Struggle | undefined {
    const struggle = this.#struggles.get(idOf(desired))
    return struggle?.desired === desiredDigest(desired.object) ? struggle : undefined
  }

  #struggleOf(desired: Desired): Struggle {
    return this.#known(desired) ?? { desired: desiredDigest(desired.object), writes: [], refusals: 0 }
  }

  #touch(desired: Desired, struggle: Struggle): void {
    const id = idOf(desired)
    this.#struggles.delete(id)
    this.#struggles.set(id, struggle)
    if (this.#struggles.size <= maxStruggles) return
    const oldest = this.#struggles.keys().next()
    if (oldest.done !== true) this.#struggles.delete(oldest.value)
  }
}

const memories = new WeakMap<Reader, Fights>()

/** The memory of a cluster: all controllers share it, and it lasts as long as the caches of the cluster do. */
export function fightsOf(cache: Reader): Fights {
  const known = memories.get(cache)
  if (known) return known
  const fights = new Fights()
  memories.set(cache, fights)
  return fights
}

/** Kind and name: what tells the objects of one namespace apart. */
export function identityOf({ type, object }: Pick<Desired, 'type' | 'object'>): string {
  return `${type.plural}/${object.metadata.name}`
}

/** What is only ever created: as it is, it is as it should be. */
function isNeverChanged({ mode }: Desired): boolean {
  return mode === 'once' || mode === 'run' || mode === 'copy'
}

/** Of a namespace: itself, so that all of an instance is forgotten at once. */
function namespaceOf({ object: { metadata } }: Pick<Desired, 'object'>): string {
  return metadata.namespace ?? metadata.name
}

function idOf(desired: Pick<Desired, 'type' | 'object'>): string {
  return `${namespaceOf(desired)}/${identityOf(desired)}`
}

function isWithin(at: number, milliseconds: number, now: number): boolean {
  return now >= at && now - at < milliseconds
}

function remainingSeconds(at: number, seconds: number, now: number): number {
  return isWithin(at, seconds * 1000, now) ? Math.ceil((at + seconds * 1000 - now) / 1000) : 0
}
