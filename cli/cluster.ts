import { loadKubeConfig } from '../operator/kube/access.ts'
import { makeKubeClient, type PooledKubeClient } from '../operator/kube/restClient.ts'
import { CommandError, type Call } from './command.ts'

/** The cluster that a command speaks to, and the project it means. */
export interface Cluster {
  readonly client: PooledKubeClient
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
  const client = makeKubeClient(config, { userAgent: 'kubectl-appstead', maxPauseSeconds: 10 })
  try {
    return await use({ client, namespace: call.text('namespace') ?? chosen.namespace ?? 'default' })
  } finally {
    await client.close()
  }
}
