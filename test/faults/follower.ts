import type { ResourceType } from '../../operator/api/meta.ts'
import { loadKubeConfig } from '../../operator/kube/access.ts'
import { makeKubeClient, type PooledKubeClient } from '../../operator/kube/restClient.ts'
import type { KubeError } from '../../operator/kube/errors.ts'
import { ListWatch, type ListWatchOptions } from '../../operator/kube/listWatch.ts'
import { TypeCache } from '../../operator/runtime/cache.ts'
import { systemClock } from '../../operator/runtime/clock.ts'
import { configMapType } from '../apiserver/engineCluster.ts'

export type FollowOptions = Partial<
  Pick<ListWatchOptions, 'maxSilenceMilliseconds' | 'pageSize' | 'slots' | 'minRelistMilliseconds' | 'timing'>
> & { readonly type?: ResourceType }

/** One list + watch and its cache, as the operator has them. */
export interface Follower {
  readonly cache: TypeCache
  /** Its own. */
  readonly client: PooledKubeClient
  readonly listWatch: ListWatch
  readonly failures: readonly KubeError[]
  readonly skipped: readonly string[]
  readonly doubts: readonly string[]
  /** `+name`, `~name`, `-name` in the order of the changes. */
  readonly changes: string[]
  /** Of what the cache holds, in order. */
  names(): string[]
  stop(): Promise<void>
}

/** Follows what carries a label. Lists that are asked for come at once. */
export function follow(kubeconfig: string, labelSelector: string, options: FollowOptions = {}): Follower {
  const client = makeKubeClient(loadKubeConfig(kubeconfig))
  const { type = configMapType, ...more } = options
  const [failures, skipped, doubts, changes]: [KubeError[], string[], string[], string[]] = [[], [], [], []]
  const cache = new TypeCache({
    informer: { type },
    onHandlerError: (error) => {
      throw error
    },
  })
  cache.onChange((before, after) => {
    const sign = before === undefined ? '+' : after === undefined ? '-' : '~'
    changes.push(`${sign}${(after ?? before)?.metadata.name}`)
  })
  const listWatch = new ListWatch({
    client,
    type,
    labelSelector,
    sink: cache,
    timing: systemClock,
    minRelistMilliseconds: 0,
    onFailure: (error) => failures.push(error),
    onSkipped: (why) => skipped.push(why),
    onDoubt: (why) => doubts.push(why.join()),
    ...more,
  })
  const abort = new AbortController()
  const run = listWatch.run(abort.signal)
  return {
    cache,
    client,
    listWatch,
    failures,
    skipped,
    doubts,
    changes,
    names: () =>
      cache
        .list()
        .map(({ metadata }) => metadata.name)
        .toSorted(),
    async stop() {
      abort.abort()
      await run
      await client.close()
    },
  }
}
