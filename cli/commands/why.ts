import type { AppInstance } from '../../operator/api/appInstance.ts'
import { podType } from '../../operator/api/builtin.ts'
import { labels } from '../../operator/api/meta.ts'
import { isKubeError } from '../../operator/kube/errors.ts'
import { causeOf, isAsItShouldBe, type PodSeen } from '../causes.ts'
import { instanceOf, withCluster, type Cluster } from '../cluster.ts'
import { exitCodes, type Run } from '../command.ts'

/** `why NAME`: 0 when the instance is as it should be, 3 when it is not, with the one cause. */
export const why: Run = (call) =>
  withCluster(call, async (cluster) => {
    const { io } = call
    const instance = await instanceOf(cluster, call.positionals[0] ?? '')
    const isGood = isAsItShouldBe(instance)
    const lines = causeOf(instance, isGood ? [] : await podsOf(cluster, instance))
    if (call.text('output') === 'json') io.out(`${JSON.stringify({ isAsItShouldBe: isGood, lines }, null, 2)}\n`)
    else for (const { label, text, colour } of lines) io.out(`${label}: ${colour ? io.paint(colour, text) : text}\n`)
    return isGood ? exitCodes.done : exitCodes.notSo
  })

/** Its replicas; none for whoever may not see them: the status says what matters. */
async function podsOf({ client }: Cluster, { metadata: { name } }: AppInstance): Promise<readonly PodSeen[]> {
  try {
    const { items } = await client.list(podType, { namespace: name, labelSelector: `${labels.instance}=${name}` })
    return items
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return []
    throw error
  }
}
