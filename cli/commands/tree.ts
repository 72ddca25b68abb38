import type { AppInstance } from '../../operator/api/appInstance.ts'
import { appInstanceKind } from '../../operator/api/appInstance.ts'
import type { AppRelease } from '../../operator/api/appRelease.ts'
import { appReleaseKind } from '../../operator/api/appRelease.ts'
import type { AppTask } from '../../operator/api/appTask.ts'
import { appTaskKind } from '../../operator/api/appTask.ts'
import { podType } from '../../operator/api/builtin.ts'
import { instancesOf, podsOf, withCluster, type Cluster } from '../cluster.ts'
import { exitCodes, type Run } from '../command.ts'
import { printed, type Printed } from '../print.ts'
import { linesOf, treeOf, type Belongings } from '../tree.ts'

/** `tree [NAME]`: what belongs to an instance, or to each. */
export const tree: Run = (call) =>
  withCluster(call, async (cluster) => {
    const instances = await instancesOf(cluster, call.positionals[0])
    const all = await Promise.all(instances.map((instance) => belongingsOf(cluster, instance)))
    const format = call.text('output')
    if (format === undefined) {
      const trees = all.map((each) => linesOf(treeOf(each), (colour, text) => call.io.paint(colour, text)))
      call.io.out(trees.map((lines) => `${lines.join('\n')}\n`).join('\n'))
    } else call.io.out(printed(all.flatMap(objectsOf), format))
    return exitCodes.done
  })

/** What there is of an instance; the tasks also of a predecessor of its name: the history outlives an instance. */
export async function belongingsOf(cluster: Cluster, instance: AppInstance): Promise<Belongings> {
  const { name, namespace = '', uid } = instance.metadata
  const options = { namespace, fieldSelector: `spec.instance=${name}` }
  const [releases, tasks, pods] = await Promise.all([
    cluster.client.list(appReleaseKind, options),
    cluster.client.list(appTaskKind, options),
    podsOf(cluster, instance),
  ])
  return {
    instance,
    releases: (releases.items as AppRelease[]).filter(({ spec }) => spec.instanceUid === uid),
    tasks: tasks.items as AppTask[],
    pods,
  }
}

function objectsOf({ instance, releases, tasks, pods }: Belongings): readonly Printed[] {
  return [
    { type: appInstanceKind, object: instance },
    ...releases.map((object) => ({ type: appReleaseKind, object })),
    ...tasks.map((object) => ({ type: appTaskKind, object })),
    ...pods.map((object) => ({ type: podType, object })),
  ]
}
