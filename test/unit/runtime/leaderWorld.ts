import { pino } from 'pino'
import type { CallOptions } from '../../../operator/kube/client.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { Clock } from '../../../operator/runtime/clock.ts'
import { Leader } from '../../../operator/runtime/leader.ts'
import { makeFakeClock, settle, type FakeClock } from './fakeClock.ts'
import { LeaseServer, type Line } from './leaseServer.ts'

/** One process that may lead. */
export interface Process {
  readonly name: string
  readonly leader: Leader
  readonly line: Line
  /** Why it lost the lead, and why it was asked to give it up. */
  readonly lost: string[]
  readonly superseded: string[]
  /** True when it would write now. */
  mayWrite(): boolean
  /** As SIGSTOP and SIGCONT: time passes, nothing runs. */
  pause(): void
  resume(): void
  /** As SIGKILL. */
  kill(): void
  /** Moves its time of day. */
  jump(milliseconds: number): void
}

export interface World {
  readonly clock: FakeClock
  readonly server: LeaseServer
  readonly processes: readonly Process[]
  /** The spec of the Lease; {} when there is none. */
  readonly spec: Fields
  /** The annotations of the Lease; {} when there are none. */
  readonly notes: Readonly<Record<string, string>>
  /** What somebody changes in the spec of the Lease by hand. */
  editSpec(change: Fields): void
  /** Starts a process and its campaign. */
  start(name: string, version?: string, more?: More): Process
  /** Starts `a` and `b`, and lets time pass: `a` leads and `b` stands by. */
  startPair(seconds: number): Promise<{ readonly a: Process; readonly b: Process }>
  /** Lets time pass in small steps; throws as soon as two would write at the same time. */
  pass(seconds: number): Promise<void>
}

type Fields = Readonly<Record<string, string | number>>

interface More {
  /** Always 1 unless given: delays are then at their longest. */
  readonly random?: () => number
  /** Seconds of its clock in one of the world's; 1 unless given. */
  readonly rate?: number
}

const stepMilliseconds = 100

export function makeWorld(): World {
  const clock = makeFakeClock()
  const server = new LeaseServer(clock)
  const processes: Process[] = []
  const check = (): void => {
    const writers = processes.filter((each) => each.mayWrite()).map(({ name }) => name)
    if (writers.length > 1) throw new Error(`at ${clock.now()} ms ${writers.join(' and ')} would write`)
  }
  const start: World['start'] = (name, version = '1.0.0', { random = () => 1, rate = 1 } = {}) => {
    const process = startProcess(clock, server, { name, version, random, rate })
    processes.push(process)
    return process
  }
  const pass: World['pass'] = async (seconds) => {
    await settle()
    check()
    for (let left = seconds * 1000; left > 0; left -= stepMilliseconds) {
      await clock.pass(Math.min(left, stepMilliseconds))
      check()
    }
  }
  return {
    clock,
    server,
    processes,
    get spec() {
      return server.lease?.spec ?? {}
    },
    get notes() {
      return server.lease?.metadata.annotations ?? {}
    },
    editSpec: (change) => server.edit((lease) => ({ ...lease, spec: { ...lease.spec, ...change } })),
    start,
    async startPair(seconds) {
      const pair = { a: start('a'), b: start('b') }
      await pass(seconds)
      return pair
    },
    pass,
  }
}

interface Who extends Required<More> {
  readonly name: string
  readonly version: string
}

function startProcess(clock: FakeClock, server: LeaseServer, { name, version, random, rate }: Who): Process {
  const { client, line } = server.connect()
  const lost: string[] = []
  const superseded: string[] = []
  const held: (() => void)[] = []
  const state = { isPaused: false, isDead: false, jumped: 0 }
  const own: Clock = {
    now: () => clock.now() * rate,
    random,
    wall: () => new Date(clock.wall().getTime() + state.jumped),
    after: (milliseconds, run) =>
      clock.after(milliseconds / rate, () => {
        if (state.isDead) return
        if (state.isPaused) held.push(run)
        else run()
      }),
  }
  /** By its own clock, as all that it waits for. What is answered while it is paused, is read when it goes on. */
  const read = async <T>(answer: Promise<T>, { timeoutSeconds = Infinity }: CallOptions = {}): Promise<T> => {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const cancel = own.after(timeoutSeconds * 1000, () => reject(new KubeError('Timeout', 'no answer in time')))
    const first = Promise.race([answer, late]).finally(cancel)
    await first.catch(() => undefined)
    if (state.isPaused) await new Promise<void>((resolve) => held.push(resolve))
    return first
  }
  const leader = new Leader({
    client: {
      get: (...call) => read(client.get(...call), call[2]),
      create: (...call) => read(client.create(...call), call[2]),
      patch: (...call) => read(client.patch(...call), call[3]),
      watch: (...call) => client.watch(...call),
    },
    lease: { namespace: 'system', name: 'lease' },
    identity: name,
    version,
    clock: own,
    log: pino({ level: 'silent' }),
    onLost: (reason) => lost.push(reason),
    onSuperseded: (reason) => superseded.push(reason),
  })
  void leader.campaign()
  return {
    name,
    leader,
    line,
    lost,
    superseded,
    mayWrite() {
      if (state.isPaused || state.isDead) return false
      try {
        leader.check()
        return true
      } catch {
        return false
      }
    },
    pause() {
      state.isPaused = true
      line.watch = 'silent'
    },
    resume() {
      state.isPaused = false
      line.watch = 'good'
      for (const run of held.splice(0)) run()
    },
    kill() {
      state.isDead = true
      Object.assign(line, { calls: 'down', watch: 'silent' })
    },
    jump: (milliseconds) => void (state.jumped += milliseconds),
  }
}
