import type { AppTask } from '../../operator/api/appTask.ts'
import { appTaskKind } from '../../operator/api/appTask.ts'
import { conditionOf } from '../../operator/status/conditions.ts'
import { withCluster } from '../cluster.ts'
import { ageOf, tableOf } from '../columns.ts'
import { exitCodes, type Run } from '../command.ts'
import { printed } from '../print.ts'

/** `tasks [NAME]`: what was done with an instance, or with all, the oldest first; also when the instance is gone, for its history stays. */
export const tasks: Run = (call) =>
  withCluster(call, async ({ client, namespace }) => {
    const [name] = call.positionals
    const fieldSelector = name === undefined ? undefined : `spec.instance=${name}`
    const { items } = await client.list(appTaskKind, { namespace, fieldSelector })
    const found = (items as AppTask[]).toSorted(byAge)
    const format = call.text('output')
    const list = found.map((object) => ({ type: appTaskKind, object }))
    call.io.out(format === undefined ? textOf(found, { name, namespace }) : printed(list, format))
    return exitCodes.done
  })

const head = ['NAME', 'TYPE', 'RESULT', 'REASON', 'AGE', 'STEP', 'MESSAGE']

/** A table; of several instances with whose task it is, of several namespaces with where. */
function textOf(
  found: readonly AppTask[],
  { name, namespace }: { name: string | undefined; namespace: string },
): string {
  const of = name === undefined ? '' : ` of '${name}'`
  if (found.length === 0) return `No AppTask${of}${namespace === '' ? '' : ` in namespace '${namespace}'`}\n`
  const now = new Date()
  const rows = found.map((task) => [
    ...(namespace === '' ? [task.metadata.namespace ?? ''] : []),
    ...(name === undefined ? [task.spec.instance] : []),
    ...rowOf(task, now),
  ])
  const first = [...(namespace === '' ? ['NAMESPACE'] : []), ...(name === undefined ? ['INSTANCE'] : []), ...head]
  return `${tableOf([first, ...rows]).join('\n')}\n`
}

/** The step is that at which it stands, or failed. */
function rowOf({ metadata, spec, status }: AppTask, now: Date): readonly string[] {
  const succeeded = conditionOf(status?.conditions, 'Succeeded')
  const step = status?.steps?.find(({ state }) => state === 'Running' || state === 'Failed')
  return [
    metadata.name,
    spec.type,
    succeeded?.status ?? 'Unknown',
    succeeded?.reason ?? '<none>',
    ageOf(metadata.creationTimestamp, now),
    step?.name ?? '<none>',
    succeeded?.message ?? '',
  ]
}

const byAge = (a: AppTask, b: AppTask): number =>
  (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '')
