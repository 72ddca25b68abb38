import type { AppInstance } from '../operator/api/appInstance.ts'
import type { AppRelease } from '../operator/api/appRelease.ts'
import { appReleaseKind } from '../operator/api/appRelease.ts'
import { labels, type KubeObject } from '../operator/api/meta.ts'
import { similarNames, thereIs } from '../operator/api/similar.ts'
import { named } from './change.ts'
import type { Cluster } from './cluster.ts'
import { CommandError } from './command.ts'

/** Who may be listened to or entered: the services of an instance, and their replicas. */

/** A replica, with what tells which processes there were in it. */
export interface Replica extends KubeObject {
  readonly status?: {
    readonly phase?: string
    readonly containerStatuses?: readonly {
      readonly name: string
      readonly ready: boolean
      readonly restartCount: number
      readonly state?: {
        readonly running?: object
        readonly terminated?: object
        readonly waiting?: { readonly reason?: string; readonly message?: string }
      }
    }[]
  }
}

/** Throws a CommandError where nobody may look into pods now, with what can be looked at instead. */
export function refuseBlocked(command: string, instance: AppInstance): void {
  const blocked = instance.status?.blocked?.find(({ operation }) => operation === 'Shell')
  if (!blocked) return
  const { name, namespace } = instance.metadata
  const rest = `${name} -n ${namespace}`
  throw new CommandError(
    `${command} of ${named(instance)} is refused: it is ${instance.status?.phase} (${blocked.reason}); ` +
      `what is known stands in: kubectl appstead why ${rest}; kubectl appstead tasks ${rest}`,
  )
}

/** The selector of an instance's replicas, of one service where one is named. Throws a CommandError for one that is not there. */
export function selectorOf({ metadata, status }: AppInstance, service: string | undefined): string {
  const of = `${labels.instance}=${metadata.name}`
  if (service === undefined) return `${of},${labels.service}`
  const names = (status?.services ?? []).filter(({ external }) => external === undefined).map(({ name }) => name)
  if (!names.includes(service))
    throw new CommandError(
      `--service '${service}': ${metadata.name} runs no such service${thereIs(similarNames(service, names))}`,
    )
  return `${of},${labels.service}=${service}`
}

/** The container that is the service; beside it others may have put some of theirs. */
export const containerOf = ({ metadata }: Replica): string => metadata.labels?.[labels.service] ?? ''

/** The main service of the release that runs. Throws a CommandError where none does. */
export async function mainServiceOf(
  { client, namespace }: Cluster,
  { metadata, status }: AppInstance,
): Promise<string> {
  const { name } = status?.currentRelease ?? {}
  if (name === undefined) throw new CommandError(`no release of ${metadata.name} runs yet`)
  const { spec } = (await client.get(appReleaseKind, { namespace, name })) as AppRelease
  return (spec.services.find(({ main }) => main) ?? spec.services[0])?.name ?? ''
}
