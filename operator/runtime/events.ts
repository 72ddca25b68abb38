import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import type { KubeObject, ResourceType } from '../api/meta.ts'
import type { KubeClient } from '../kube/client.ts'
import { isKubeError } from '../kube/errors.ts'
import type { Clock } from './clock.ts'
import type { EventRecord } from './controller.ts'

/** Core events, not those of events.k8s.io: only they carry the times by which kubectl describe sorts. */
export const eventType: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
}

/** The API server keeps an event for an hour unless told otherwise: until then the one that is listed says it. */
const rememberMilliseconds = 3_600_000
const rememberAtMost = 4096
const maxMessageBytes = 1024
const maxUnderWay = 100
/** A courtesy must not hold up the end of the process, which the next leader waits for. */
const postTimeoutSeconds = 5

export interface EventsOptions {
  readonly client: Pick<KubeClient, 'create'>
  /** `reportingController`, such as appstead.dev/operator. */
  readonly controller: string
  /** `reportingInstance`: the pod's or the host's name. */
  readonly instance: string
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Records Kubernetes Events beside objects, one POST each. The same event of the same object is posted once an hour: its
 * name is a digest of what it says, so that a restarted operator finds it taken and lets it be.
 */
export class Events {
  readonly #options: EventsOptions
  readonly #posted = new Map<string, number>()
  readonly #underWay = new Set<Promise<void>>()

  constructor(options: EventsOptions) {
    this.#options = options
  }

  /**
   * Returns at once; a post that fails is logged and forgotten, since an event is a courtesy. `client`: of the cluster
   * that the object is in; the hub's unless given.
   */
  record(object: KubeObject, event: EventRecord, client: EventsOptions['client'] = this.#options.client): void {
    const id = digestOf([object.metadata.uid ?? '', event.type, event.reason, event.message, event.since ?? ''])
    const now = this.#options.clock.now()
    const postedAt = this.#posted.get(id)
    if (postedAt !== undefined && now - postedAt < rememberMilliseconds) return
    if (this.#underWay.size >= maxUnderWay) {
      this.#options.log.debug({ reason: event.reason }, 'Left out an event: too many are under way')
      return
    }
    this.#remember(id, now)
    const post = this.#post(client, object, event, id).finally(() => this.#underWay.delete(post))
    this.#underWay.add(post)
  }

  /** Resolves when what was recorded so far is posted or given up. */
  async flush(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async #post(client: EventsOptions['client'], object: KubeObject, event: EventRecord, id: string): Promise<void> {
    try {
      const timeoutSeconds = postTimeoutSeconds
      await client.create(eventType, this.#makeEvent(object, event, id), { timeoutSeconds })
    } catch (error) {
      if (isKubeError(error, 'AlreadyExists')) return
      // To be tried again when it is recorded again.
      this.#posted.delete(id)
      this.#options.log.debug({ err: error, reason: event.reason }, 'Failed to record an event')
    }
  }

  #makeEvent(object: KubeObject, event: EventRecord, id: string): KubeObject {
    const { name, namespace = '', uid, resourceVersion } = object.metadata
    const at = this.#options.clock.wall().toISOString()
    const made = {
      apiVersion: 'v1',
      kind: eventType.kind,
      // Events of a cluster-scoped object are kept in `default`; kubectl describe finds them there.
      metadata: { name: `${name.slice(0, 200)}.${id}`, namespace: namespace === '' ? 'default' : namespace },
      firstTimestamp: at.replace(/\.\d+Z$/, 'Z'),
      lastTimestamp: at.replace(/\.\d+Z$/, 'Z'),
      count: 1,
      // With microseconds.
      eventTime: at.replace('Z', '000Z'),
      source: { component: this.#options.controller },
      reportingComponent: this.#options.controller,
      reportingInstance: this.#options.instance,
      type: event.type,
      reason: event.reason,
      action: event.action,
      message: truncate(event.message, maxMessageBytes),
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        uid,
        resourceVersion,
        ...(namespace === '' ? {} : { namespace }),
      },
    }
    return made
  }

  #remember(id: string, now: number): void {
    this.#posted.delete(id)
    this.#posted.set(id, now)
    if (this.#posted.size <= rememberAtMost) return
    const oldest = this.#posted.keys().next()
    if (oldest.done !== true) this.#posted.delete(oldest.value)
  }
}

function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}

/** Cuts text to at most `maxBytes` of UTF-8, at a character. */
function truncate(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text
  const ellipsis = '…'
  const cut = new TextDecoder().decode(Buffer.from(text).subarray(0, maxBytes - 6), { stream: true })
  return cut + ellipsis
}
