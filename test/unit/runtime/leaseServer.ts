import type { KubeObject } from '../../../operator/api/meta.ts'
import type { WatchEvent } from '../../../operator/kube/client.ts'
import { KubeError } from '../../../operator/kube/errors.ts'
import type { LeaderOptions } from '../../../operator/runtime/leader.ts'
import type { FakeClock } from './fakeClock.ts'

/** A Lease as a test reads and edits it. */
export interface AnyLease extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: Readonly<Record<string, string | number>>
}

/** What becomes of one process' calls. */
export interface Line {
  /** `down`: nothing arrives; `refused`: and one is told so; `unanswered`: what arrives is done, and nobody is told. */
  calls: 'good' | 'down' | 'refused' | 'unanswered' | 'busy'
  watch: 'good' | 'silent'
  /** From the call to its answer; it is done halfway. */
  delayMilliseconds: number
  /** How often each verb was sent. */
  readonly sent: Record<'get' | 'create' | 'patch' | 'watch', number>
}

/**
 * An API server with one Lease in it. test/apiserver/leader.test.ts shows on the real one what is relied on here: a
 * resourceVersion that grows with each change, a patch whose `test` fails as a Conflict, a watch that begins with what is there.
 */
export class LeaseServer {
  lease: AnyLease | undefined
  /** Who was written in as the holder, in order; '' for a release. */
  readonly holders: string[] = []
  readonly #clock: FakeClock
  readonly #watchers = new Set<(event: WatchEvent) => void>()
  #resourceVersion = 7

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  /** What somebody does by hand; undefined deletes it. */
  edit(change: (lease: AnyLease) => AnyLease | undefined): void {
    if (this.lease !== undefined) this.#store(change(this.lease))
  }

  /** A client that waits for an answer as long as it takes, and the line it speaks through. */
  connect(): { readonly client: LeaderOptions['client']; readonly line: Line } {
    const line: Line = {
      calls: 'good',
      watch: 'good',
      delayMilliseconds: 0,
      sent: { get: 0, create: 0, patch: 0, watch: 0 },
    }
    const send = (verb: keyof Line['sent'], run: () => KubeObject): Promise<KubeObject> => {
      line.sent[verb] += 1
      return this.#send(line, run)
    }
    return {
      line,
      client: {
        get: () => send('get', () => this.#get()),
        create: (_type, object) => send('create', () => this.#create(object)),
        patch: (_type, _ref, operations) => send('patch', () => this.#patch(operations as Operation[])),
        watch: (_type, options) => {
          line.sent.watch += 1
          return this.#watch(line, options.signal)
        },
      },
    }
  }

  async #send(line: Line, run: () => KubeObject): Promise<KubeObject> {
    const { promise, resolve, reject } = Promise.withResolvers<KubeObject>()
    const { calls, delayMilliseconds } = line
    const half = (then: () => void): void => {
      if (delayMilliseconds === 0) then()
      else this.#clock.after(delayMilliseconds / 2, then)
    }
    if (calls === 'refused') reject(new KubeError('Unavailable', 'connection refused'))
    if (calls === 'busy') reject(new KubeError('TooManyRequests', 'too many requests', { retryAfterSeconds: 5 }))
    if (calls === 'good' || calls === 'unanswered') {
      half(() => {
        try {
          const answer = run()
          if (calls === 'good') half(() => resolve(answer))
        } catch (error) {
          if (calls === 'good') half(() => reject(error))
        }
      })
    }
    return promise
  }

  #get(): KubeObject {
    if (this.lease === undefined) throw new KubeError('NotFound', 'no such lease')
    return structuredClone(this.lease)
  }

  #create(object: KubeObject): KubeObject {
    if (this.lease !== undefined) throw new KubeError('AlreadyExists', 'there is one')
    this.#store(object as AnyLease)
    return this.#get()
  }

  #patch(operations: readonly Operation[]): KubeObject {
    const next = structuredClone(this.#get()) as unknown as Record<string, Record<string, unknown>>
    for (const { op, path, value } of operations) {
      const [parent = '', child] = path.split('/').slice(1)
      if (op === 'test' && next[parent]?.[child!] !== value) throw new KubeError('Conflict', 'has changed meanwhile')
      if (op === 'add' && child === undefined) next[parent] = value as Record<string, unknown>
      else if (op === 'add') next[parent]![child!] = value
    }
    this.#store(next as unknown as AnyLease)
    return this.#get()
  }

  #store(lease: AnyLease | undefined): void {
    this.#resourceVersion += 1
    const resourceVersion = String(this.#resourceVersion)
    const before = this.lease
    this.lease = lease && { ...lease, metadata: { ...lease.metadata, resourceVersion } }
    const holder = String(this.lease?.spec['holderIdentity'] ?? '')
    if (holder !== (this.holders.at(-1) ?? '')) this.holders.push(holder)
    const object = this.lease ?? { ...before!, metadata: { ...before!.metadata, resourceVersion } }
    const type = this.lease === undefined ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED'
    for (const tell of this.#watchers) tell({ type, object: structuredClone(object) })
  }

  async *#watch(line: Line, signal: AbortSignal): AsyncGenerator<WatchEvent, void, undefined> {
    const queue: WatchEvent[] = this.lease === undefined ? [] : [{ type: 'ADDED', object: this.#get() }]
    let wake: (() => void) | undefined
    const tell = (event: WatchEvent): void => {
      if (line.watch === 'silent' || line.calls === 'down') return
      queue.push(event)
      wake?.()
    }
    this.#watchers.add(tell)
    signal.addEventListener('abort', () => wake?.(), { once: true })
    try {
      while (!signal.aborted) {
        const event = queue.shift()
        if (event !== undefined && line.watch === 'good' && line.calls !== 'down') yield event
        else if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      this.#watchers.delete(tell)
    }
  }
}

interface Operation {
  readonly op: string
  readonly path: string
  readonly value: unknown
}
