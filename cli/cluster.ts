import type { AppInstance } from '../operator/api/appInstance.ts'
import { appInstanceKind } from '../operator/api/appInstance.ts'
import { podType } from '../operator/api/builtin.ts'
import { labels } from '../operator/api/meta.ts'
import { similarNames, thereIs } from '../operator/api/similar.ts'
import { loadKubeConfig } from '../operator/kube/access.ts'
import { isKubeError } from '../operator/kube/errors.ts'
import { makeClientOver, type PooledKubeClient } from '../operator/kube/restClient.ts'
import { Transport } from '../operator/kube/transport.ts'
import type { Wire } from '../operator/kube/wire.ts'
import type { PodSeen } from './causes.ts'
import { CommandError, type Call } from './command.ts'

/** Who wrote what people asked for by a command: never the operator, which would take it for its own. */
const fieldManager = 'kubectl-appstead'

/** The cluster that a command speaks to, and the project it means. */
export interface Cluster {
  readonly client: PooledKubeClient
  /** What the client speaks through, for what is no object. */
  readonly wire: Wire
  readonly namespace: string
}

/**
 * Does something with the cluster of --kubeconfig and --context, as kubectl would find it, and closes the connections.
 * Throws an AccessError or a CommandError when there is none, else what `use` throws.
 */
export async function withCluster<T>(call: Call, use: (cluster: Cluster) => Promise<T>): Promise<T> {
  const config = loadKubeConfig(call.text('kubeconfig'))
  const context = call.text('context')
  if (context !== undefined) config.setCurrentContext(context)
  const chosen = config.getContextObject(config.getCurrentContext())
  if (!chosen) throw new CommandError(`--context '${context}': the kubeconfig has no such context`)
  const wire = new Transport(config, { userAgent: fieldManager, maxPauseSeconds: 10 })
  const client = makeClientOver(wire, fieldManager)
  try {
    return await use({ client, wire, namespace: call.text('namespace') ?? chosen.namespace ?? 'default' })
  } finally {
    await client.close()
  }
}

/** The AppInstance of that name; throws a CommandError with names like it where there is none. */
export async function instanceOf({ client, namespace }: Cluster, name: string): Promise<AppInstance> {
  try {
    return (await client.get(appInstanceKind, { namespace, name })) as AppInstance
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error
    const { items } = await client.list(appInstanceKind, { namespace })
    const similar = similarNames(
      name,
      items.map(({ metadata }) => metadata.name),
    )
    throw new CommandError(`there is no AppInstance '${name}' in namespace '${namespace}'${thereIs(similar)}`)
  }
}

/** Its replicas, or those of a selector, but for those that are ending; none for whoever may not see them: the status says what matters. */
export async function podsOf(
  { client }: Cluster,
  { metadata: { name } }: AppInstance,
  labelSelector = `${labels.instance}=${name}`,
): Promise<readonly PodSeen[]> {
  try {
    const { items } = await client.list(podType, { namespace: name, labelSelector })
    return (items as readonly PodSeen[]).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return []
    throw error
  }
}
