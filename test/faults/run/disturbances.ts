import { instance } from './scenarios.ts'
import { isMembers } from '../double/json.ts'
import type { Question } from '../double/server.ts'
import { routeOf } from '../double/routes.ts'
import { statusAnswer, type Answer } from '../double/statuses.ts'
import type { Fate, Network } from '../schedule/link.ts'
import { makeRandom, type Random } from '../schedule/random.ts'
import type { PlayOptions } from './play.ts'
import { quickNetwork, type World } from './world.ts'

/** What goes wrong in a run, drawn from its seed. */
export interface Disturbance {
  /** The names of the faults, for people. */
  readonly faults: readonly string[]
  readonly options: PlayOptions
  /** Whether children were changed by hand, so that some are made anew or written again. */
  readonly isByHand: boolean
  /** Whether the API server refuses requests that are right. */
  readonly isRefusing: boolean
  /** How often each fault really happened, as far as the run has got. */
  readonly fired: Readonly<Partial<Record<FaultName, number>>>
}

/** How long after each of the user's steps things go wrong, in virtual milliseconds. */
const troubleMilliseconds = 120_000

/** Drawn alike; a seed means what it meant as long as the list stays as it is. */
const drawnAlike = [
  'slow',
  'refusals',
  'lost',
  'duplicates',
  'frozen',
  'dropped',
  'old-lists',
  'empty-lists',
  'cuts',
  'crashes',
  'by-hand',
] as const

/** Drawn each by itself, beside the others. */
const drawnApart = ['twice', 'unprocessable'] as const

/** All that can go wrong. */
export const faultNames = [...drawnAlike, ...drawnApart] as const

export type FaultName = (typeof faultNames)[number]

/** The fault of a name; throws a TypeError that says the right names. */
export function faultOf(name: string): FaultName {
  const found = faultNames.find((each) => each === name)
  if (found === undefined) throw new TypeError(`no fault ${name}: ${faultNames.join(', ')}`)
  return found
}

function drawFaults(seed: number, random: Random): readonly FaultName[] {
  const alike = Array.from({ length: random.integer(1, 3) }, () => random.pick(drawnAlike))
  return [...alike, ...drawnApart.filter((fault) => makeRandom(seed).fork(fault).chance(0.15))]
}

/** The disturbance of a seed: one to three faults, sometimes with one or two that are drawn apart. */
export function disturbanceOf(seed: number, only?: readonly FaultName[]): Disturbance {
  const random = makeRandom(seed).fork('disturbance')
  const faults = new Set(only ?? drawFaults(seed, random))
  const trouble = new Trouble(faults, random)
  return {
    faults: [...faults],
    isByHand: faults.has('by-hand'),
    isRefusing: faults.has('refusals') || faults.has('unprocessable'),
    fired: trouble.fired,
    options: {
      seed,
      network: (chance) => trouble.network(chance),
      crashAt: () => trouble.crash(),
      onWorld: (world) => trouble.enter(world),
      onStep: () => trouble.begin(),
    },
  }
}

/** One run's faults: begun by a step of the user, over after a while; then everything is told anew. */
class Trouble {
  readonly fired: Partial<Record<FaultName, number>> = {}
  readonly #faults: ReadonlySet<FaultName>
  readonly #random: Random
  #world: World | undefined
  #until = 0
  #crashesLeft = 2
  #hasEmptied = false
  /** What each operator has listed, and was told right the last time. */
  readonly #listed = new Set<string>()

  constructor(faults: ReadonlySet<FaultName>, random: Random) {
    this.#faults = faults
    this.#random = random
  }

  enter(world: World): void {
    this.#world = world
  }

  begin(): void {
    const world = this.#world!
    this.#until = world.schedule.time + troubleMilliseconds
    world.schedule.after(troubleMilliseconds + 2000, () => world.stir())
    if (this.#faults.has('cuts')) this.#cutNow()
    if (this.#faults.has('by-hand')) this.#meddleLater(world)
    const lies = ['dropped', 'old-lists', 'empty-lists'] as const
    if (!lies.some((fault) => this.#faults.has(fault))) return
    // A server that has lied about what there is does not remember it either: all is listed again, twice.
    for (const after of [this.#random.integer(1000, 20_000), troubleMilliseconds + 1000]) {
      world.schedule.after(after, () => world.link.cut(undefined, 'gone'), true)
    }
  }

  crash(): 'before' | 'after' | undefined {
    if (!this.#isOn('crashes') || this.#crashesLeft === 0 || !this.#random.chance(0.08)) return undefined
    this.#crashesLeft -= 1
    this.#fire('crashes')
    return this.#random.chance(0.5) ? 'before' : 'after'
  }

  network(random: Random): Network {
    const quick = quickNetwork(random)
    return {
      fateOf: (question) => this.#fate(question, quick.fateOf(question), random),
      eventFateOf: (plural, event) => {
        const fate = quick.eventFateOf(plural, event)
        if (this.#strikes('dropped', random, 0.1)) return { ...fate, dropped: true }
        if (this.#strikes('duplicates', random, 0.3)) return { ...fate, twice: true }
        if (this.#strikes('frozen', random, 0.1)) return { delay: 60_000 }
        if (this.#strikes('slow', random, 0.2)) return { delay: random.next() * 30_000 }
        return fate
      },
    }
  }

  #isOn(fault: FaultName): boolean {
    return this.#faults.has(fault) && this.#world!.schedule.time < this.#until
  }

  /** Whether a fault happens this time, in `share` of the times it could. */
  #strikes(fault: FaultName, random: Random, share: number): boolean {
    const isStruck = this.#isOn(fault) && random.chance(share)
    if (isStruck) this.#fire(fault)
    return isStruck
  }

  #fire(fault: FaultName): void {
    this.fired[fault] = (this.fired[fault] ?? 0) + 1
  }

  #fate(question: Question, quick: Fate, random: Random): Fate {
    const isWrite = question.method !== 'GET'
    if (this.#strikes('refusals', random, 0.3)) return { ...quick, refused: drawRefusal(random, isWrite) }
    if (this.#strikes('lost', random, 0.2)) return { ...quick, lost: random.chance(0.5) ? 'before' : 'after' }
    if (isWrite && this.#strikes('unprocessable', random, 0.2)) return { ...quick, refused: unprocessable }
    if (isWrite && this.#strikes('twice', random, 0.3)) {
      return { ...quick, twice: random.chance(0.5) ? 'first' : 'second' }
    }
    const listed = isWrite ? undefined : this.#fateOfList(question, quick, random)
    if (listed !== undefined) return listed
    if (!this.#isOn('slow')) return quick
    const late = (): number => (this.#strikes('slow', random, 0.2) ? random.next() * 20_000 : quick.there)
    return { there: late(), back: late() }
  }

  #fateOfList({ path }: Question, quick: Fate, random: Random): Fate | undefined {
    const route = routeOf(path)
    if (route === undefined || route.name !== '' || route.query.has('watch')) return undefined
    // Of a first list nobody can know that it is old or lacks something, nor of one that is asked for again and the same.
    const { starts, double } = this.#world!
    const id = `${starts} ${path}`
    const isBelievable = !this.#listed.has(id)
    this.#listed.add(id)
    if (isBelievable) return undefined
    if (this.#strikes('old-lists', random, 0.5)) {
      this.#listed.delete(id)
      return { ...quick, listAt: Math.max(1, double.store.resourceVersion - random.integer(1, 30)) }
    }
    if (!this.#isOn('empty-lists') || this.#hasEmptied || !random.chance(0.2)) return undefined
    this.#hasEmptied = true
    return { ...quick, tampered: (answer) => this.#emptied(answer) }
  }

  #emptied(answer: Answer): Answer {
    if (!isMembers(answer.body)) return answer
    const { items } = answer.body
    if (Array.isArray(items) && items.length > 0) this.#fire('empty-lists')
    return { ...answer, body: { ...answer.body, items: [] } }
  }

  #cutNow(): void {
    const { schedule, link, double } = this.#world!
    if (schedule.time >= this.#until) return
    const how = this.#random.pick(['end', 'break', 'gone'] as const)
    if (how === 'gone' && this.#random.chance(0.3)) double.compact()
    const plural = this.#random.pick([undefined, 'appinstances', 'namespaces', 'deployments', 'appreleases', 'pods'])
    if (link.cut(plural, how) > 0) this.#fire('cuts')
    schedule.after(this.#random.integer(1, 5000), () => this.#cutNow(), true)
  }

  #meddleLater(world: World): void {
    const delay = this.#random.integer(1, 200)
    const child = this.#random.pick(children)
    const isDeleted = this.#random.chance(0.5)
    world.schedule.after(delay, () => {
      const { status } = world.double.handle(isDeleted ? { method: 'DELETE', path: child } : relabel(child), 'user')
      if (status < 300) this.#fire('by-hand')
    })
  }
}

const children = [
  `/apis/apps/v1/namespaces/${instance}/deployments/web`,
  `/apis/apps/v1/namespaces/${instance}/deployments/jobs`,
  `/api/v1/namespaces/${instance}/services/web`,
  `/api/v1/namespaces/${instance}/serviceaccounts/app`,
  `/apis/networking.k8s.io/v1/namespaces/${instance}/networkpolicies/same-namespace`,
  `/apis/policy/v1/namespaces/${instance}/poddisruptionbudgets/web`,
]

function relabel(path: string): Question {
  const body = { metadata: { labels: { 'appstead.dev/env': 'other' } } }
  return { method: 'PATCH', path: `${path}?fieldManager=kubectl`, body, contentType: 'application/merge-patch+json' }
}

const unprocessable = statusAnswer(422, 'Invalid', 'refused by the test: 422')

function drawRefusal(random: Random, isWrite: boolean): Answer {
  const status = random.pick([429, 500, 503, 504, ...(isWrite ? [409, 403] : [410])])
  const reasons: Record<number, string> = { 403: 'Forbidden', 409: 'Conflict', 410: 'Expired', 429: 'TooManyRequests' }
  const answer = statusAnswer(status, reasons[status] ?? 'InternalError', `refused by the test: ${status}`)
  return status === 429 ? { ...answer, retryAfter: random.integer(1, 5) } : answer
}
