/** Who is served first: a user's change, what became of our children, what failed, what only might have been missed. */
export const priorities = ['user', 'event', 'retry', 'resync'] as const
/** One of them. */
export type Priority = (typeof priorities)[number]

/** The higher of two priorities. */
export function higherOf(one: Priority, other: Priority): Priority {
  return priorities.indexOf(one) <= priorities.indexOf(other) ? one : other
}

/** A key that waits, or was taken and is worked on until it is given back. */
export interface Turn {
  readonly key: string
  readonly priority: Priority
  /** When it began to wait, in the caller's milliseconds. */
  readonly since: number
  readonly project: string
  readonly app: string
}

/** Of so many picks the last goes to the key that waits longest, and the one in the middle to the second priority that waits. */
const picksPerRound = 8

/**
 * Keys that wait, and whose turn it is. By priority; of one priority projects take turns, in a project its apps, of an
 * app the first come. Of eight picks one goes to the key that waits longest, whoever it is: with n keys waiting before
 * it, no key waits for more than 8 (n + 1) picks. Another one goes to the second highest priority that waits: during a
 * flood of new objects it is still told what becomes of the others. Adding and taking cost the same for ten keys and for
 * ten thousand.
 */
export class Turns {
  readonly #workers: number
  readonly #flowOf: (key: string) => readonly string[]
  readonly #waiting = new Map<string, Turn>()
  readonly #byAge = new Fifo<string>()
  readonly #lines: Readonly<Record<Priority, Line>>
  /** How many keys of a project are taken and not given back; projects without any are not in it. */
  readonly #taken = new Map<string, number>()
  #picks = 0

  /** `flowOf`: project and app of a key. */
  constructor(workers: number, flowOf: (key: string) => readonly string[]) {
    this.#workers = workers
    this.#flowOf = flowOf
    this.#lines = { user: new Line(), event: new Line(), retry: new Line(), resync: new Line() }
  }

  /** Keys that wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** Keys that wait with this priority. */
  sizeOf(priority: Priority): number {
    return this.#lines[priority].size
  }

  /** Lets a key wait; one that waits already keeps its age and gets the higher priority. Returns whether it is new. */
  add(key: string, priority: Priority, since: number): boolean {
    const held = this.#waiting.get(key)
    if (held !== undefined && higherOf(held.priority, priority) === held.priority) return false
    const [project = '', app = ''] = held === undefined ? this.#flowOf(key) : [held.project, held.app]
    if (held === undefined) this.#byAge.push(key)
    else this.#lines[held.priority].remove(held)
    const turn = { key, priority, since: held?.since ?? since, project, app }
    this.#waiting.set(key, turn)
    this.#lines[priority].push(turn)
    return held === undefined
  }

  /** Takes the key whose turn it is; it must be given back. undefined when none waits. */
  take(): Turn | undefined {
    if (this.#waiting.size === 0) return undefined
    this.#picks += 1
    const turn = this.#picks % picksPerRound === 0 ? this.#takeOldest() : this.#takeNext()
    if (turn === undefined) return undefined
    this.#waiting.delete(turn.key)
    this.#taken.set(turn.project, (this.#taken.get(turn.project) ?? 0) + 1)
    return turn
  }

  /** A key that was taken is done. */
  giveBack({ project }: Turn): void {
    const left = (this.#taken.get(project) ?? 0) - 1
    if (left > 0) this.#taken.set(project, left)
    else this.#taken.delete(project)
  }

  /** Forgets the keys that wait. */
  clear(): void {
    for (const turn of this.#waiting.values()) this.#lines[turn.priority].remove(turn)
    for (const key of this.#waiting.keys()) this.#byAge.delete(key)
    this.#waiting.clear()
  }

  #takeOldest(): Turn | undefined {
    const turn = this.#waiting.get(this.#byAge.shift() ?? '')
    if (turn !== undefined) this.#lines[turn.priority].remove(turn)
    return turn
  }

  #takeNext(): Turn | undefined {
    const [first, second = first] = priorities.filter((each) => this.#lines[each].size > 0)
    const priority = this.#picks % picksPerRound === picksPerRound / 2 ? second : first
    const turn = priority === undefined ? undefined : this.#lines[priority].take(this.#taken, this.#workers)
    if (turn !== undefined) this.#byAge.delete(turn.key)
    return turn
  }
}

interface App {
  readonly name: string
  readonly turns: Fifo<Turn>
}

interface Project {
  readonly name: string
  readonly apps: Map<string, App>
  readonly turns: Fifo<App>
}

/** The keys of one priority. */
class Line {
  readonly #projects = new Map<string, Project>()
  readonly #turns = new Fifo<Project>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(turn: Turn): void {
    const project = this.#projects.get(turn.project) ?? { name: turn.project, apps: new Map(), turns: new Fifo<App>() }
    const app = project.apps.get(turn.app) ?? { name: turn.app, turns: new Fifo<Turn>() }
    app.turns.push(turn)
    project.apps.set(app.name, app)
    project.turns.push(app)
    this.#projects.set(project.name, project)
    this.#turns.push(project)
    this.#size += 1
  }

  remove(turn: Turn): void {
    const project = this.#projects.get(turn.project)
    const app = project?.apps.get(turn.app)
    if (project === undefined || app === undefined || !app.turns.delete(turn)) return
    this.#size -= 1
    this.#leaveIfEmpty(project, app)
  }

  take(taken: ReadonlyMap<string, number>, workers: number): Turn | undefined {
    const project = this.#nextProject(taken, workers)
    const app = project?.turns.shift()
    const turn = app?.turns.shift()
    if (project === undefined || app === undefined || turn === undefined) return undefined
    this.#size -= 1
    // To the end of their rows; those with nothing left leave.
    project.turns.push(app)
    this.#turns.push(project)
    this.#leaveIfEmpty(project, app)
    return turn
  }

  /**
   * The next project, but one that already has its share of the workers lets those go first that have less: what is
   * slow would otherwise fill one worker after the other. Looks at no more projects than there are workers.
   */
  #nextProject(taken: ReadonlyMap<string, number>, workers: number): Project | undefined {
    const share = Math.max(1, Math.floor(workers / this.#projects.size))
    const passed: Project[] = []
    let next = this.#turns.shift()
    while (next !== undefined && (taken.get(next.name) ?? 0) >= share) {
      passed.push(next)
      next = this.#turns.shift()
    }
    const chosen = next ?? passed.shift()
    for (const project of passed) this.#turns.push(project)
    return chosen
  }

  #leaveIfEmpty(project: Project, app: App): void {
    if (app.turns.size > 0) return
    project.turns.delete(app)
    project.apps.delete(app.name)
    if (project.apps.size > 0) return
    this.#turns.delete(project)
    this.#projects.delete(project.name)
  }
}

/**
 * First come, first served, each once. Reads on where it stopped: a Set read from its start again and again would each
 * time pass by all that was deleted there.
 */
class Fifo<T> {
  readonly #items = new Set<T>()
  #reader: Iterator<T> | undefined

  get size(): number {
    return this.#items.size
  }

  /** To the end, unless it waits already. */
  push(item: T): void {
    this.#items.add(item)
  }

  delete(item: T): boolean {
    return this.#items.delete(item)
  }

  shift(): T | undefined {
    this.#reader ??= this.#items.values()
    const next = this.#reader.next()
    if (next.done === true) {
      // A reader that came to the end stays there.
      this.#reader = undefined
      return undefined
    }
    this.#items.delete(next.value)
    return next.value
  }
}
