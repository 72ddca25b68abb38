import { rmSync } from 'node:fs'
import { writeWhole } from '../cluster/state.ts'
import type { Kubectl } from './kubectl.ts'

/**
 * Writes a kubeconfig for a ServiceAccount: what a process outside of the cluster has in place of a pod's token. It is good
 * for a day. Rejects where there is no such account.
 */
export async function writeAccountKubeconfig(
  kubectl: Kubectl,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  path: string,
): Promise<void> {
  const token = await kubectl.text('-n', namespace, 'create', 'token', name, '--duration=24h')
  const { clusters } = await kubectl.json<{ clusters: readonly { cluster: unknown }[] }>(
    'config',
    'view',
    '--minify',
    '--flatten',
  )
  rmSync(path, { force: true })
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: clusters[0]?.cluster }],
    users: [{ name, user: { token: token.trim() } }],
  }
  writeWhole(path, JSON.stringify(config))
}
