import type { AppInstance } from '../../operator/api/appInstance.ts'
import { appInstanceKind } from '../../operator/api/appInstance.ts'
import type { AppRelease } from '../../operator/api/appRelease.ts'
import { appReleaseKind } from '../../operator/api/appRelease.ts'
import { conditionOf } from '../../operator/status/conditions.ts'
import { isAsItShouldBe } from '../causes.ts'
import { named, replaceSpec, unlessDone, writingOf, type Writing } from '../change.ts'
import { instanceOf, withCluster, type Cluster } from '../cluster.ts'
import { CommandError, exitCodes, type Call, type Run } from '../command.ts'
import { printed } from '../print.ts'
import { promotionOf } from '../promotion.ts'

/** `promote FROM TO`: TO gets what runs in FROM. */
export const promote: Run = (call) =>
  withCluster(call, async (cluster) => {
    const [from, to] = await Promise.all(call.positionals.map((name) => instanceOf(cluster, name)))
    if (!from || !to) throw new CommandError('usage: kubectl appstead promote FROM TO')
    if (from.spec.app !== to.spec.app)
      throw new CommandError(`${named(from)} is of app '${from.spec.app}', ${named(to)} of app '${to.spec.app}'`)
    if (!isAsItShouldBe(from) && !call.flag('force')) throw new CommandError(doubtOf(from))
    const { spec, changes } = promotionOf(from, await releaseOf(cluster, from), to)
    const writing = writingOf(call)
    const object = changes.length > 0 ? await replaceSpec(cluster, to, spec, writing) : to
    call.io.out(textOf(call, to, { object, changes, ...writing }))
    return exitCodes.done
  })

const doubtOf = (from: AppInstance): string => {
  const { name, namespace } = from.metadata
  const reason = conditionOf(from.status?.conditions, 'Ready')?.reason ?? 'not looked at yet'
  return `${named(from)} is not as it should be (${reason}): kubectl appstead why ${name} -n ${namespace}; with --force it is promoted nevertheless`
}

async function releaseOf({ client, namespace }: Cluster, { metadata, status }: AppInstance): Promise<AppRelease> {
  const { name } = status?.currentRelease ?? {}
  if (name === undefined) throw new CommandError(`no release of ${metadata.name} runs yet: there is nothing to promote`)
  return (await client.get(appReleaseKind, { namespace, name })) as AppRelease
}

interface Done extends Writing {
  readonly object: AppInstance
  readonly changes: readonly string[]
}

function textOf(call: Call, to: AppInstance, { object, changes, isDryRun }: Done): string {
  const format = call.text('output')
  if (format !== undefined) return printed([{ type: appInstanceKind, object: declared(object) }], format)
  if (changes.length === 0) return `${named(to)} unchanged\n`
  const head = `${named(to)} promoted${unlessDone({ isDryRun })}`
  const { name } = to.metadata
  const waits = !isDryRun && to.status?.effective?.deploy?.trigger === 'Manual'
  const next = waits ? [`It takes effect with the next deployment; now: kubectl appstead deploy ${name}`] : []
  return [head, ...changes.map((change) => `  ${change}`), ...next, ''].join('\n')
}

/** As it stands in git: what people say of it, and nothing that the server or the operator added. */
function declared({ apiVersion, kind, metadata, spec }: AppInstance): AppInstance {
  const { name, namespace, labels, annotations } = metadata
  const said = { name, ...(namespace && { namespace }), ...(labels && { labels }) }
  const own = Object.entries(annotations ?? {}).filter(([key]) => !key.includes('kubectl.kubernetes.io/'))
  const notes = own.length > 0 ? { annotations: Object.fromEntries(own) } : {}
  return { apiVersion, kind, metadata: { ...said, ...notes }, spec }
}
