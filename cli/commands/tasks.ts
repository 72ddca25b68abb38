import type { AppTask } from '../../operator/api/appTask.ts'
import { appTaskKind } from '../../operator/api/appTask.ts'
import { conditionOf } from '../../operator/status/conditions.ts'
import { withCluster } from '../cluster.ts'
import { ageOf, tableOf } from '../columns.ts'
import { exitCodes, type Run } from '../command.ts'
import { printed } from '../print.ts'

/** `tasks NAME`: what was done with an instance, the oldest first; also when the instance is gone, for its history stays. */
export const tasks: Run = (call) =>
  withCluster(call, async ({ client, namespace }) => {
    const [name = ''] = call.positionals
    const { items } = await client.list(appTaskKind, { namespace, fieldSelector: `spec.instance=${name}` })
    const found = (items as AppTask[]).toSorted(byAge)
    const format = call.text('output')
    const now = new Date()
    if (format !== undefined)
      call.io.out(
        printed(
          found.map((object) => ({ type: appTaskKind, object })),
          format,
        ),
      )
    else if (found.length === 0) call.io.out(`No AppTask of '${name}' in namespace '${namespace}'\n`)
    else call.io.out(`${tableOf([head, ...found.map((task) => rowOf(task, now))]).join('\n')}\n`)
    return exitCodes.done
  })

const head = ['NAME', 'TYPE', 'RESULT', 'REASON', 'AGE', 'STEP', 'MESSAGE']

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
