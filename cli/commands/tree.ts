import type { AppRelease } from '../../operator/api/appRelease.ts'
import { appReleaseKind } from '../../operator/api/appRelease.ts'
import type { AppTask } from '../../operator/api/appTask.ts'
import { appTaskKind } from '../../operator/api/appTask.ts'
import { instanceOf, podsOf, withCluster } from '../cluster.ts'
import { exitCodes, type Run } from '../command.ts'
import { linesOf, treeOf } from '../tree.ts'

/** `tree NAME`: what belongs to an instance. */
export const tree: Run = (call) =>
  withCluster(call, async (cluster) => {
    const { client, namespace } = cluster
    const instance = await instanceOf(cluster, call.positionals[0] ?? '')
    const { name, uid } = instance.metadata
    const [releases, tasks, pods] = await Promise.all([
      client.list(appReleaseKind, { namespace, fieldSelector: `spec.instance=${name}` }),
      client.list(appTaskKind, { namespace, fieldSelector: `spec.instance=${name}` }),
      podsOf(cluster, instance),
    ])
    const belongings = treeOf({
      instance,
      releases: (releases.items as AppRelease[]).filter(({ spec }) => spec.instanceUid === uid),
      // Also those of a predecessor of its name: the history outlives an instance.
      tasks: tasks.items as AppTask[],
      pods,
    })
    call.io.out(`${linesOf(belongings, (colour, text) => call.io.paint(colour, text)).join('\n')}\n`)
    return exitCodes.done
  })
