import { setTimeout as pause } from 'node:timers/promises'
import type { AppInstance } from '../operator/api/appInstance.ts'
import { appInstanceKind } from '../operator/api/appInstance.ts'
import { podType } from '../operator/api/builtin.ts'
import { refOf } from '../operator/api/meta.ts'
import type { WatchEvent } from '../operator/kube/client.ts'
import { isKubeError } from '../operator/kube/errors.ts'
import { objectPath, queryOf } from '../operator/kube/paths.ts'
import { stateOf } from './causes.ts'
import type { Cluster } from './cluster.ts'
import { containerOf, type Replica } from './replicas.ts'

/** What the replicas of an instance write: what there is, or also what comes, of those that come, too. */

export interface Listening {
  readonly instance: AppInstance
  /** Of the replicas that are listened to. */
  readonly selector: string
  readonly signal: AbortSignal
  /** Of the API: of the replicas that are there at the beginning. */
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>
  /** Given each line whole, of whichever replica, without its end. */
  readonly line: (pod: string, text: string) => void
  /** Told what is no line. */
  readonly note: (text: string) => void
}

/** As long as a timer can wait: a process that writes nothing is no fault. */
const foreverSeconds = 2_147_483

const pauseMilliseconds = 1000

/** Writes what there is, one replica after the other. Out: of how many. Throws a KubeError. */
export async function readLogs(cluster: Cluster, listening: Listening): Promise<number> {
  const { instance, selector, note } = listening
  const { items } = await cluster.client.list(podType, { namespace: instance.metadata.name, labelSelector: selector })
  const pods = (items as Replica[]).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  for (const pod of pods) {
    if (startOf(pod) === undefined) note(`${pod.metadata.name} has not started: ${stateOf(pod)}`)
    else await listen(cluster, pod, listening)
  }
  return pods.length
}

/** Writes what all replicas write until the signal, or until the instance is gone. Throws a KubeError when it cannot begin. */
export async function followLogs(cluster: Cluster, listening: Listening): Promise<void> {
  const { instance, selector, signal, note } = listening
  const where = { namespace: instance.metadata.name, labelSelector: selector }
  const heard = new Map<string, Promise<void>>()
  const failed = (error: unknown): void => {
    if (!signal.aborted) note((error as Error).message)
  }
  const hear = (pod: Replica, query: Listening['query']): void => {
    const start = startOf(pod)
    if (start === undefined || heard.has(start)) return
    const all = listen(cluster, pod, { ...listening, query: { ...query, follow: true } })
    heard.set(start, all.catch(failed))
  }
  let hasBegun = false
  while (!signal.aborted) {
    try {
      const { items, resourceVersion } = await cluster.client.list(podType, where)
      if (items.length === 0 && (await isGoing(cluster, instance))) break
      // Of those that come later everything is news.
      for (const pod of items) hear(pod, hasBegun ? {} : listening.query)
      hasBegun = true
      const events = cluster.client.watch(podType, { ...where, resourceVersion, signal })
      for await (const pod of untilOneGoes(events)) hear(pod, {})
    } catch (error) {
      if (!hasBegun) throw error
      failed(error)
      await pause(pauseMilliseconds)
    }
  }
  await Promise.all(heard.values())
}

/** What a watch shows, until it must be looked anew: one less may be none left, and an error is a watch that came too late. */
async function* untilOneGoes(events: AsyncIterable<WatchEvent>): AsyncGenerator<Replica> {
  for await (const { type, object } of events) {
    if (type === 'DELETED' || type === 'ERROR') return
    if (type !== 'BOOKMARK') yield object
  }
}

/** Which process of a replica writes now, or wrote last; undefined before there is one. */
function startOf(pod: Replica): string | undefined {
  const container = pod.status?.containerStatuses?.find(({ name }) => name === containerOf(pod))
  if (!container) return undefined
  const { state, restartCount } = container
  if (!state?.running && !state?.terminated && restartCount === 0) return undefined
  // What waits for its next try has written what it did before.
  return `${pod.metadata.uid} ${state?.waiting ? restartCount - 1 : restartCount}`
}

async function isGoing({ client }: Cluster, instance: AppInstance): Promise<boolean> {
  try {
    const { metadata } = await client.get(appInstanceKind, refOf(instance))
    return metadata.deletionTimestamp !== undefined || metadata.uid !== instance.metadata.uid
  } catch (error) {
    return isKubeError(error, 'NotFound')
  }
}

/** Gives each line of what one pod writes: of its service, unless the query names a container. Throws a KubeError. */
export async function listen(
  { wire }: Cluster,
  pod: Replica,
  { signal, query, line }: Pick<Listening, 'signal' | 'query' | 'line'>,
): Promise<void> {
  const { name } = pod.metadata
  const request = {
    what: `read the log of pod ${pod.metadata.namespace}/${name}`,
    method: 'GET',
    path: `${objectPath(podType, refOf(pod))}/log${queryOf({ container: containerOf(pod), ...query })}`,
    timeoutSeconds: foreverSeconds,
    signal,
  } as const
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of wire.stream(request)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) line(name, text)
  }
  if (rest !== '') line(name, rest)
}
