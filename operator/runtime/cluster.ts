import type { KubeClient } from '../kube/client.ts'
import { KubeError } from '../kube/errors.ts'
import { namespaceType } from '../api/builtin.ts'
import { typeIdOf, type Informers } from './informers.ts'

/** The name of the cluster the operator runs on, which holds our kinds: the hub. */
export const localCluster = 'local'

/** A cluster as the engine sees it: who answers, and what was seen of it. */
export interface Cluster {
  readonly name: string
  readonly client: KubeClient
  readonly informers: Informers
  /** Throws a KubeError, Fenced, when nothing may be written there now. Called before every write and live look of a reconcile. */
  check(): void
}

/** The cluster's identity: the uid of its kube-system; '' when its namespaces are not watched, or not yet seen. */
export function identityOf(informers: Informers): string {
  if (informers.cacheOf(typeIdOf(namespaceType)) === undefined) return ''
  return informers.get(namespaceType, { namespace: '', name: 'kube-system' })?.metadata.uid ?? ''
}

/**
 * A Cluster that refuses writes when its kube-system has another uid than `expected` or, without that, than at the first
 * check: then another cluster answers under the same address, and what was decided about this one must not be done to
 * that one.
 */
export function makeCluster(name: string, client: KubeClient, informers: Informers, expected = ''): Cluster {
  let identity = expected
  return {
    name,
    client,
    informers,
    check() {
      const seen = identityOf(informers)
      identity ||= seen
      if (seen !== identity) {
        throw new KubeError(
          'Fenced',
          `cluster '${name}': kube-system has the uid '${seen}', it was '${identity}': another cluster answers`,
        )
      }
    },
  }
}
