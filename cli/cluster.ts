import type { AppInstance } from '../operator/api/appInstance.ts'
import { appInstanceKind } from '../operator/api/appInstance.ts'
import { podType } from '../operator/api/builtin.ts'
import { keyOf, labels, refOf } from '../operator/api/meta.ts'
import { similarNames, thereIs } from '../operator/api/similar.ts'
import { loadKubeConfig } from '../operator/kube/access.ts'
import { isKubeError } from '../operator/kube/errors.ts'
import { makeClientOver, type PooledKubeClient } from '../operator/kube/restClient.ts'
import { Transport } from '../operator/kube/transport.ts'
import type { Wire } from '../operator/kube/wire.ts'
import type { PodObject } from './causes.ts'
import { CommandError, type Call } from './command.ts'

/** Who wrote what people asked for by a command: never the operator, which would take it for its own. */
const fieldManager = 'kubectl-appstead'

/** The cluster that a command speaks to, and the project it means. */
export interface Cluster {
  readonly client: PooledKubeClient
  /** What the client speaks through, for what is no object. */
  readonly wire: Wire
  /** '' for all of them. */
  readonly namespace: string
}

/**
 * Does something with the cluster of --kubeconfig and --context, as kubectl would find it, and closes the connections.
 * Throws an AccessError or a CommandError when there is none, else what `use` throws.
 */
export async function withCluster<T>(call: Omit<Call, 'io'>, use: (cluster: Cluster) => Promise<T>): Promise<T> {
  const [name] = call.positionals
  if (name !== undefined && call.flag('all-namespaces'))
    throw new CommandError(`'${name}' and --all-namespaces exclude each other: a name is of one namespace, say -n`)
  const config = loadKubeConfig(call.text('kubeconfig'))
  const context = call.text('context')
  if (context !== undefined) config.setCurrentContext(context)
  const chosen = config.getContextObject(config.getCurrentContext())
  if (!chosen) throw new CommandError(`--context '${context}': the kubeconfig has no such context`)
  const wire = new Transport(config, { userAgent: fieldManager, maxPauseSeconds: 10 })
  const client = makeClientOver(wire, fieldManager)
  try {
    const namespace = call.flag('all-namespaces') ? '' : (call.text('namespace') ?? chosen.namespace ?? 'default')
    return await use({ client, wire, namespace })
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

/** The one that is named, else all of the project or the cluster, by namespace and name. Throws as instanceOf does. */
export async function instancesOf(
  cluster: Cluster,
  name: string | undefined,
  labelSelector?: string,
): Promise<readonly AppInstance[]> {
  if (name !== undefined) return [await instanceOf(cluster, name)]
  const { items } = await cluster.client.list(appInstanceKind, { namespace: cluster.namespace, labelSelector })
  return (items as AppInstance[]).toSorted((a, b) => (keyOf(refOf(a)) < keyOf(refOf(b)) ? -1 : 1))
}

/** Its replicas, or those of a selector, but for those that are ending; none for whoever may not see them: the status says what matters. */
export async function podsOf(
  { client }: Cluster,
  { metadata: { name } }: AppInstance,
  labelSelector = `${labels.instance}=${name}`,
): Promise<readonly PodObject[]> {
  try {
    const { items } = await client.list(podType, { namespace: name, labelSelector })
    return (items as readonly PodObject[]).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return []
    throw error
  }
}
