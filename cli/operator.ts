import { podType } from '../operator/api/builtin.ts'
import type { Cluster } from './cluster.ts'
import type { Call } from './command.ts'
import type { Replica } from './replicas.ts'

/** The operator of a cluster: where it runs, and as what. */

/** Where the operator runs, as the command line says. */
export const operatorNamespace = (call: Call): string => call.text('operator-namespace') ?? 'appstead-system'

/** Of a pod of the operator. */
export type OperatorPod = Replica & { readonly spec?: { readonly serviceAccountName?: string } }

/** The operator's pods. Throws a KubeError. */
export async function operatorPods(
  { client }: Pick<Cluster, 'client'>,
  namespace: string,
): Promise<readonly OperatorPod[]> {
  const labelSelector = 'app.kubernetes.io/part-of=appstead,app.kubernetes.io/component=operator'
  const { items } = await client.list(podType, { namespace, labelSelector })
  return items
}
