import { appInstanceKind } from '../../operator/api/appInstance.ts'
import { collectionPath, queryOf } from '../../operator/kube/paths.ts'
import { instanceOf, instancesOf, withCluster, type Cluster } from '../cluster.ts'
import { tableOf } from '../columns.ts'
import { exitCodes, type Call, type Run } from '../command.ts'
import { printed } from '../print.ts'

/** `get [NAME]`: instances, in the columns that our CustomResourceDefinition has. */
export const get: Run = (call) =>
  withCluster(call, async (cluster) => {
    const [name] = call.positionals
    const format = call.text('output')
    if (name !== undefined) await instanceOf(cluster, name)
    if (format === undefined || format === 'wide') call.io.out(await rowsOf(cluster, call, format === 'wide'))
    else {
      const objects = await instancesOf(cluster, name, call.text('selector'))
      const list = objects.map((object) => ({ type: appInstanceKind, object }))
      call.io.out(printed(list, format))
    }
    return exitCodes.done
  })

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[]
  readonly rows?: readonly {
    readonly cells: readonly (string | number | boolean | null)[]
    readonly object: { readonly metadata: { readonly namespace: string } }
  }[]
}

async function rowsOf({ wire, namespace }: Cluster, call: Call, isWide: boolean): Promise<string> {
  const [name] = call.positionals
  const fieldSelector = name === undefined ? undefined : `metadata.name=${name}`
  const query = queryOf({ fieldSelector, labelSelector: call.text('selector') })
  const { columnDefinitions: columns, rows = [] } = (await wire.call({
    what: `list ${appInstanceKind.plural}`,
    method: 'GET',
    path: collectionPath(appInstanceKind, namespace) + query,
    accept: 'application/json;as=Table;g=meta.k8s.io;v=v1',
  })) as Table
  if (rows.length === 0) return namespace === '' ? 'No AppInstances\n' : `No AppInstances in namespace '${namespace}'\n`
  const isShown = (_: unknown, index: number): boolean => isWide || columns[index]?.priority === 0
  const shownOf = (cells: readonly (string | number | boolean | null)[], project: string): readonly string[] => [
    ...(namespace === '' ? [project] : []),
    ...cells.filter(isShown).map((cell) => String(cell ?? '')),
  ]
  const head = shownOf(
    columns.map((column) => column.name.toUpperCase()),
    'NAMESPACE',
  )
  const body = rows.map(({ cells, object }) => shownOf(cells, object.metadata.namespace))
  return `${tableOf([head, ...body]).join('\n')}\n`
}
