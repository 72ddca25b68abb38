import type { ResourceType } from '../api/meta.ts'
import type { KubeClient, WatchEvent, WatchOptions } from './client.ts'
import type { Timing } from './timing.ts'

export interface StreamOptions {
  readonly client: Pick<KubeClient, 'watch'>
  readonly type: ResourceType
  readonly watch: Omit<WatchOptions, 'signal'>
  /** Each of them ends it. */
  readonly signals: readonly AbortSignal[]
  readonly timing: Timing
  /** After this long without an event the stream is cut. */
  readonly maxSilenceMilliseconds: number
}

/**
 * Reads one stream of a watch to its end, and hands on each event to `take`. Resolves to `ended` when the server has
 * ended it, to `silent` when it was cut because nothing came any more: half-open connections tell nobody that they are.
 * Rejects with the KubeError of a stream that broke, Aborted when a signal of its was, and with what `take` throws.
 */
export async function readStream(
  { client, type, watch, signals, timing, maxSilenceMilliseconds }: StreamOptions,
  take: (event: WatchEvent) => void,
): Promise<'ended' | 'silent'> {
  const silence = startSilence(timing, maxSilenceMilliseconds)
  try {
    const signal = AbortSignal.any([...signals, silence.signal])
    for await (const event of client.watch(type, { ...watch, signal })) {
      silence.broken()
      take(event)
    }
    return 'ended'
  } catch (error) {
    if (silence.signal.aborted && !signals.some(({ aborted }) => aborted)) return 'silent'
    throw error
  } finally {
    silence.end()
  }
}

interface Silence {
  /** Aborted when it has lasted for too long. */
  readonly signal: AbortSignal
  /** Something came: it begins anew. */
  broken(): void
  end(): void
}

/** One timer per window, not per event. */
function startSilence(timing: Timing, maxMilliseconds: number): Silence {
  const controller = new AbortController()
  let since = timing.now()
  let cancel = timing.after(maxMilliseconds, look)
  function look(): void {
    const left = since + maxMilliseconds - timing.now()
    if (left <= 0) controller.abort()
    else cancel = timing.after(left, look)
  }
  return { signal: controller.signal, broken: () => void (since = timing.now()), end: () => cancel() }
}
